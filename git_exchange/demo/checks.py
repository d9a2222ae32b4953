"""What the demo claims, checked: by gradebook, forge, GitPython as a second reader, and attempts to break in."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from git import GitCommandError, Repo
from nbgrader.api import Gradebook, MissingEntry

from git_exchange.demo.cycle import (
    ASSIGNMENT,
    COURSE,
    NOTEBOOKS,
    Cast,
    Cycle,
    answers_rightly,
    recorded_pushes,
    seat_path,
)
from git_exchange.demo.people import DemoFailed, Someone
from git_exchange.errors import NotFound
from git_exchange.forge.ports import Project, Push
from git_exchange.rules import times, trailers
from git_exchange.secret import Token


@dataclass(frozen=True)
class Row:
    """One student's line of the final table."""

    student: str
    attempts: int
    commit: str
    time: str
    score: float | None
    max_score: float | None
    feedback: str
    url: str


def check(cycle: Cycle, cast: Cast) -> list[Row]:
    """Return the final table after checking every claim. Raise DemoFailed for the first that does not hold."""
    rows = [_row(cycle, cast, student) for student in cast.students]
    by_name = {row.student: row for row in rows}
    _check_scores(cast, by_name)
    for student in cast.students:
        _check_feedback(cast, student)
        for other in cast.students:
            if other is not student:
                _check_refused(cycle, cast, student, other)
    _holds(by_name[cast.right.name].attempts == 2, "the first student has two attempts")
    _holds(by_name[cast.silent.name].attempts == 0, "the third student has none")
    return rows


def _row(cycle: Cycle, cast: Cast, student: Someone) -> Row:
    project = cycle.forge(cast.instructor, cast).find_project(seat_path(cycle, student))
    pushes = recorded_pushes(cycle, cast, student)
    score, max_score = _score(cast, student)
    if not pushes:
        return Row(student.name, 0, "", "", score, max_score, "none", project.web_url)
    last = pushes[-1]
    _check_times(cast, student, last)
    _check_history(cycle, cast, student, project, pushes)
    pages = sorted((student.work / ASSIGNMENT / "feedback").glob("*/*.html"))
    return Row(
        student.name,
        len(pushes),
        (last.after or "")[:8],
        times.timestamp(last.at),
        score,
        max_score,
        f"{len(pages)} pages",
        project.web_url,
    )


def _check_times(cast: Cast, student: Someone, last: Push) -> None:
    """Check that the collected time is the forge's record of the last push, and no other clock's."""
    folder = cast.course_root / "submitted" / student.name / ASSIGNMENT
    recorded = times.parse_timestamp((folder / "timestamp.txt").read_text(encoding="utf-8"))
    _holds(recorded == last.at, f"{student.name}'s collected time {recorded} is the forge's, {last.at}")
    shown = student.run(["nbgrader", "list", "--cached"])
    _holds(times.timestamp(last.at) in shown, f"{student.name} is shown the same time")


def _check_history(cycle: Cycle, cast: Cast, student: Someone, project: Project, pushes: list[Push]) -> None:
    """Let a reader that is not ours find one commit per attempt on top of the release, and the feedback."""
    copy = cycle.place / "read-by-gitpython" / student.name
    url = cycle.forge(cast.instructor, cast).git_url(project)
    with Repo.clone_from(url, copy, bare=True, env=_git_environment(url, cast.tokens[cast.instructor.name])) as repo:
        heads = {head.name: head.commit for head in repo.heads}
        submitted, returned = heads[f"submit/{ASSIGNMENT}"], heads[f"feedback/{ASSIGNMENT}"]
        mine = [c for c in repo.iter_commits(submitted) if trailers.parse(str(c.message)).first(trailers.ATTEMPT)]
        _holds([c.hexsha for c in mine] == [push.after for push in reversed(pushes)], "each attempt is a pushed commit")
        released = mine[-1].parents[0]
        _holds(
            trailers.parse(str(released.message)).first(trailers.ASSIGNMENT) == ASSIGNMENT and not released.parents,
            "the first attempt's parent is the release",
        )
        files = {str(blob.path) for blob in returned.tree.traverse() if blob.type == "blob"}
        _holds(
            files == {f"{submitted.hexsha}/{name}.html" for name in NOTEBOOKS},
            f"{student.name}'s project holds the feedback on the last attempt",
        )


def _check_scores(cast: Cast, rows: dict[str, Row]) -> None:
    right, wrong = rows[cast.right.name].score, rows[cast.wrong.name].score
    _holds(
        right is not None and wrong is not None and right > wrong, "the right answer scores higher than the wrong one"
    )
    _holds(rows[cast.silent.name].score is None, "who never submitted has no score")
    for student in cast.submitting:
        score = rows[student.name].score
        same = right if answers_rightly(cast, student) else wrong
        _holds(score == same, f"{student.name} has the score of everybody with the same answers")


def _score(cast: Cast, student: Someone) -> tuple[float | None, float | None]:
    database = cast.course_root / "gradebook.db"
    with Gradebook(f"sqlite:///{database}", COURSE) as gradebook:
        try:
            submission = gradebook.find_submission(ASSIGNMENT, student.name)
        except MissingEntry:
            return None, None
        return float(submission.score), float(submission.max_score)


def _check_feedback(cast: Cast, student: Someone) -> None:
    """Check that feedback lies with its student, byte for byte, and no page lies with anybody else."""
    there = {page.name: page.read_bytes() for page in sorted((student.work / ASSIGNMENT / "feedback").glob("*/*.html"))}
    made = cast.course_root / "feedback" / student.name / ASSIGNMENT
    expected = {page.name: page.read_bytes() for page in made.glob("*.html")} if made.is_dir() else {}
    _holds(there == expected, f"{student.name} has exactly the feedback that was made for {student.name}")
    _holds(bool(there) == (student is not cast.silent), f"{student.name} got feedback if and only if there was work")


def _check_refused(cycle: Cycle, cast: Cast, student: Someone, other: Someone) -> None:
    """Check that nobody can read a neighbour's project: not by the API, not by git."""
    path = seat_path(cycle, other)
    project = cycle.forge(cast.instructor, cast).find_project(path)
    try:
        cycle.forge(student, cast).find_project(path)
    except NotFound:
        pass
    else:
        raise DemoFailed(f"The forge shows {other.name}'s project to {student.name}.")
    token = cast.tokens[student.name]
    url = cycle.forge(cast.instructor, cast).git_url(project)
    copy = cycle.place / "break-in" / f"{student.name}-{other.name}"
    try:
        Repo.clone_from(url, copy, bare=True, env=_git_environment(url, token)).close()
    except GitCommandError:
        return
    raise DemoFailed(f"{student.name} could clone {other.name}'s project.")


def _git_environment(url: str, token: Token) -> dict[str, str]:
    basic = base64.b64encode(f"oauth2:{token.value}".encode()).decode()
    settings = {f"http.{url}.extraHeader": f"Authorization: Basic {basic}", "credential.helper": ""}
    numbered: dict[str, str] = {}
    for number, (key, value) in enumerate(settings.items()):
        numbered |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    nothing = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}
    return nothing | numbered | {"GIT_CONFIG_COUNT": str(len(settings))}


def _holds(condition: bool, claim: str) -> None:
    if not condition:
        raise DemoFailed(f"This does not hold: {claim}.")
