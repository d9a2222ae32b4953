"""What a student sees of a course: own attempts with their times, and the feedback that came back.

The times are computed by the same rules as the staff's record, from the same push events of the forge; where the staff
have recorded another time, the feedback's ``Submitted:`` trailer tells it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from git_exchange.course.course import Course
from git_exchange.course.feedback import Feedback, FeedbackFile, read_feedback
from git_exchange.course.seats import Seat
from git_exchange.forge.ports import Branch, Push
from git_exchange.rules import layout, trailers
from git_exchange.rules.attempt import Attempt, Commit, Evidence, attempts
from git_exchange.transport.cache import Repository
from git_exchange.transport.fetch import fetch
from git_exchange.transport.objects import has_commit, history, list_tree

MAX_COMMITS = 5_000


@dataclass(frozen=True)
class OwnAttempt:
    """One attempt of mine: ``time`` as in nbgrader's ``timestamp.txt``, ``notebooks`` the top-level ones."""

    course_id: str
    student_id: str
    assignment_id: str
    number: int
    commit: str
    time: datetime
    notebooks: tuple[str, ...]
    feedback: tuple[FeedbackFile, ...]


def own_attempts(course: Course, seat: Seat, assignment_id: str | None = None) -> list[OwnAttempt]:
    """Return the attempts of the seat, of one assignment or of all: two requests, and git only for what is new."""
    project = seat.project
    branches = {branch.ref: branch for branch in course.forge.branches(project.id, "")}
    wanted = [
        (found, branch)
        for branch in branches.values()
        if (found := _assignment(branch)) is not None and assignment_id in (None, found)
    ]
    if not wanted:
        return []
    pushes = course.forge.pushes(project.id)
    now = course.forge.server().date + timedelta(seconds=1)

    def look(repository: Repository) -> list[OwnAttempt]:
        found = []
        for name, branch in sorted(wanted, key=lambda item: item[0]):
            returned = branches.get(layout.feedback_ref(name))
            _bring(course, repository, seat, [branch, *([returned] if returned else [])])
            feedback = read_feedback(repository, returned.commit) if returned else Feedback((), {}, {})
            for attempt in _attempts(course, repository, branch, pushes, now):
                found.append(_own(course, repository, seat, name, attempt, feedback))
        return found

    return course.in_repository(lambda cache: cache.seat(project.id), look)


def _assignment(branch: Branch) -> str | None:
    said = trailers.parse(branch.message)
    return layout.assignment_in(branch.ref, "submit", said.first(trailers.ASSIGNMENT))


def _bring(course: Course, repository: Repository, seat: Seat, branches: list[Branch]) -> None:
    new = [branch.ref for branch in branches if not has_commit(repository, branch.commit)]
    if new:
        fetch(repository, course.forge.git_url(seat.project), new)


def _attempts(
    course: Course, repository: Repository, branch: Branch, pushes: list[Push], now: datetime
) -> tuple[Attempt, ...]:
    commits = history(repository, branch.commit, limit=MAX_COMMITS)
    evidence = [
        Evidence(push.after or "", push.at, "push-event", push.account.username, push.id)
        for push in pushes
        if push.ref == branch.ref and push.after is not None
    ]
    evidence.append(Evidence(branch.commit, now, "read", "", None))
    return attempts(
        tuple(Commit(commit.oid, commit.tree, commit.parents) for commit in commits),
        branch.commit,
        evidence,
        {},
        now=now,
        grace_seconds=course.settings.grace_seconds,
        settle_seconds=course.settings.settle_seconds,
        identical=course.settings.identical_resubmission,
        last_other_read={},
    )


def _own(
    course: Course, repository: Repository, seat: Seat, name: str, attempt: Attempt, feedback: Feedback
) -> OwnAttempt:
    return OwnAttempt(
        course_id=course.course_id,
        student_id=seat.student_id,
        assignment_id=name,
        number=attempt.number,
        commit=attempt.commit,
        time=feedback.submitted.get(attempt.commit, attempt.time),
        notebooks=top_notebooks(repository, attempt.commit),
        feedback=tuple(file for file in feedback.files if file.attempt == attempt.commit),
    )


def top_notebooks(repository: Repository, commit: str) -> tuple[str, ...]:
    """Return the names of the notebooks in the top folder of a commit, sorted."""
    return tuple(
        sorted(
            entry.path.decode("utf-8", "replace")
            for entry in list_tree(repository, commit)
            if entry.kind == "blob" and entry.path.endswith(b".ipynb") and b"/" not in entry.path
        )
    )
