"""What a student sees of a course: own attempts with their times, and the feedback that came back.

The times are computed by the same rules as the staff's record, from the same push events of the forge; where the staff
have recorded another time, the feedback's ``Submitted:`` trailer tells it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from git_exchange.course.course import Course
from git_exchange.course.feedback import Feedback, FeedbackFile, read_feedback, received_at
from git_exchange.course.seats import Seat
from git_exchange.forge.ports import Branch, Push
from git_exchange.rules import layout, trailers
from git_exchange.rules.attempt import Attempt, Evidence, attempts
from git_exchange.transport.cache import Repository
from git_exchange.transport.fetch import fetch
from git_exchange.transport.objects import graph, has_commit, list_tree

MAX_COMMITS = 5_000


@dataclass(frozen=True)
class OwnAttempt:
    """One attempt of mine: ``time`` as in nbgrader's ``timestamp.txt``, ``notebooks`` the top-level ones.

    Work that did not come through the exchange shows when there is feedback on it; ``number`` is 0 then, and ``commit``
    what stands for it.
    """

    course_id: str
    student_id: str
    assignment_id: str
    number: int
    commit: str
    time: datetime
    notebooks: tuple[str, ...]
    feedback: tuple[FeedbackFile, ...]
    pushed_by: str = ""


def own_attempts(course: Course, seat: Seat, assignment_id: str | None = None) -> list[OwnAttempt]:
    """Return the attempts of the seat, of one assignment or of all: three requests, and one fetch of what is new."""
    project = seat.project
    branches = {branch.ref: branch for branch in course.forge.branches(project.id, "")}
    submitted, returned = _by_assignment(branches, "submit"), _by_assignment(branches, "feedback")
    wanted = sorted(name for name in submitted.keys() | returned.keys() if assignment_id in (None, name))
    if not wanted:
        return []
    pushes = course.forge.pushes(project.id) if submitted else []
    now = course.forge.server().date + timedelta(seconds=1)

    def look(repository: Repository) -> list[OwnAttempt]:
        found = []
        _bring(
            course,
            repository,
            seat,
            [branch for name in wanted for branch in (submitted.get(name), returned.get(name)) if branch is not None],
        )
        for name in wanted:
            work, back = submitted.get(name), returned.get(name)
            feedback = read_feedback(repository, back.commit) if back else Feedback((), {}, {})
            if work is not None:
                made = _attempts(course, repository, work, pushes, now)
                for attempt in made:
                    found.append(
                        _own(course, seat, name, attempt, _marked(attempt, made, feedback), feedback, repository)
                    )
            found += _received(course, seat, name, feedback)
        return found

    return course.in_repository(lambda cache: cache.seat(project.id), look)


def _by_assignment(branches: Mapping[str, Branch], kind: layout.Kind) -> dict[str, Branch]:
    found = {}
    for branch in branches.values():
        said = trailers.parse(branch.message)
        name = layout.assignment_in(branch.ref, kind, said.first(trailers.ASSIGNMENT))
        if name is not None:
            found[name] = branch
    return found


def _bring(course: Course, repository: Repository, seat: Seat, branches: list[Branch]) -> None:
    new = [branch.ref for branch in branches if not has_commit(repository, branch.commit)]
    if new:
        fetch(repository, course.forge.git_url(seat.project), new)


def _attempts(
    course: Course, repository: Repository, branch: Branch, pushes: list[Push], now: datetime
) -> tuple[Attempt, ...]:
    commits = graph(repository, branch.commit, limit=MAX_COMMITS)
    evidence = [
        Evidence(push.after or "", push.at, "push-event", push.account.username, push.id, push.account.id)
        for push in pushes
        if push.ref == branch.ref and push.after is not None
    ]
    evidence.append(Evidence(branch.commit, now, "read", "", None))
    return attempts(
        commits,
        branch.commit,
        evidence,
        {},
        now=now,
        grace_seconds=course.settings.grace_seconds,
        settle_seconds=course.settings.settle_seconds,
        identical=course.settings.identical_resubmission,
        last_other_read={},
    )


def _marked(attempt: Attempt, made: tuple[Attempt, ...], feedback: Feedback) -> str:
    """Return the commit whose feedback is the attempt's: its own, else that of the same files with the same time.

    Who hands in unchanged work again has one submission, with one time and one folder of feedback, however many pushes.
    """
    there = {file.attempt for file in feedback.files}
    run = [other.commit for other in made if (other.tree, other.time) == (attempt.tree, attempt.time)]
    return next((commit for commit in (attempt.commit, *reversed(run)) if commit in there), attempt.commit)


def _own(
    course: Course,
    seat: Seat,
    name: str,
    attempt: Attempt,
    marked: str,
    feedback: Feedback,
    repository: Repository,
) -> OwnAttempt:
    return OwnAttempt(
        course_id=course.course_id,
        student_id=seat.student_id,
        assignment_id=name,
        number=attempt.number,
        commit=attempt.commit,
        time=feedback.submitted.get(marked, attempt.time),
        notebooks=top_notebooks(repository, attempt.commit),
        feedback=tuple(file for file in feedback.files if file.attempt == marked),
        pushed_by=attempt.pushed_by,
    )


def _received(course: Course, seat: Seat, name: str, feedback: Feedback) -> list[OwnAttempt]:
    """Return the work on which there is feedback though it came by another way."""
    times = {file.attempt: at for file in feedback.files if (at := received_at(file.attempt)) is not None}
    found = []
    for key, at in sorted(times.items()):
        pages = tuple(file for file in feedback.files if file.attempt == key)
        notebooks = tuple(sorted(f"{page.notebook_id}.ipynb" for page in pages))
        found.append(OwnAttempt(course.course_id, seat.student_id, name, 0, key, at, notebooks, pages))
    return found


def top_notebooks(repository: Repository, commit: str) -> tuple[str, ...]:
    """Return the names of the notebooks in the top folder of a commit, sorted."""
    return tuple(
        sorted(
            entry.path.decode("utf-8", "replace")
            for entry in list_tree(repository, commit)
            if entry.kind == "blob" and entry.path.endswith(b".ipynb") and b"/" not in entry.path
        )
    )
