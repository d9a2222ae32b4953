"""Where everything stands: for students what is released, due, handed in and returned; for staff how many of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from git_exchange.course.attempts import read_heads
from git_exchange.course.course import Course
from git_exchange.course.extensions import read_extensions
from git_exchange.course.own import OwnAttempt, own_attempts
from git_exchange.course.releases import Release, releases
from git_exchange.course.seats import my_seat, seats
from git_exchange.operations.update import news
from git_exchange.rules import layout, times
from git_exchange.rules.deadline import Verdict

Copy = Literal["none", "fetched", "older version"]
Returned = Literal["none", "ready", "fetched"]


@dataclass(frozen=True)
class Submission:
    """One's own newest attempt: its time and the page of its commit.

    ``verdict`` is measured against the due date that everybody sees, None without one: extensions only the staff know.
    """

    attempt: int
    at: datetime
    url: str
    verdict: Verdict | None


@dataclass(frozen=True)
class Own:
    """One assignment as a student sees it. ``withdrawn``: taken back, but there is work on it."""

    course_id: str
    assignment_id: str
    due: datetime | None
    withdrawn: bool
    copy: Copy
    submission: Submission | None
    feedback: Returned


@dataclass(frozen=True)
class Counts:
    """One assignment as the staff see it: numbers of students. ``due`` is the date that students see."""

    course_id: str
    assignment_id: str
    due: datetime | None
    withdrawn: bool
    students: int
    submitted: int
    returned: int
    extensions: int


def own_status(course: Course, place: Callable[[str], Path], *, ignore_patterns: Sequence[str] = ()) -> list[Own]:
    """Return where this student stands, by assignment id. ``place`` says where the folder of an assignment is.

    Raise NotAStudent.
    """
    mine: dict[str, list[OwnAttempt]] = {}
    for attempt in own_attempts(course, my_seat(course)):
        mine.setdefault(attempt.assignment_id, []).append(attempt)
    found = []
    for release in releases(course):
        attempts = mine.get(release.assignment_id, [])
        if release.withdrawn and not attempts:
            continue
        folder = place(release.assignment_id)
        found.append(
            Own(
                course.course_id,
                release.assignment_id,
                release.due,
                release.withdrawn,
                _copy(course, release, folder, ignore_patterns),
                _submission(course, attempts, release.due),
                _returned(attempts, folder / "feedback"),
            )
        )
    return found


def counts(course: Course) -> list[Counts]:
    """Return how many students have done what, by assignment id. Raise NotStaff."""
    course.staff()
    everybody = seats(course)
    released = releases(course)
    ids = [release.assignment_id for release in released]
    heads = read_heads(course, everybody, ids, feedback=True).heads.heads
    extensions = read_extensions(course)

    def having(ref: str) -> int:
        return sum((seat.project.id, ref) in heads for seat in everybody)

    return [
        Counts(
            course.course_id,
            release.assignment_id,
            release.due,
            release.withdrawn,
            len(everybody),
            having(layout.submit_ref(release.assignment_id)),
            having(layout.feedback_ref(release.assignment_id)),
            len(extensions.of(release.assignment_id)),
        )
        for release in released
    ]


def _copy(course: Course, release: Release, folder: Path, ignore_patterns: Sequence[str]) -> Copy:
    if not folder.is_dir():
        return "none"
    if release.withdrawn:
        return "fetched"
    return "older version" if news(course, release, folder, ignore_patterns=ignore_patterns) else "fetched"


def _submission(course: Course, attempts: Sequence[OwnAttempt], due: datetime | None) -> Submission | None:
    handed_in = [attempt for attempt in attempts if attempt.number]
    if not handed_in:
        return None
    last = handed_in[-1]
    url = course.forge.commit_url(course.my_seat_project(), last.commit)
    grace = timedelta(seconds=course.settings.grace_seconds)
    return Submission(last.number, last.time, url, _verdict(last.time, due, grace))


def _verdict(at: datetime, due: datetime | None, grace: timedelta) -> Verdict | None:
    """Return the verdict on what arrived between ``grace`` before ``at`` and ``at``."""
    if due is None:
        return None
    if at <= due:
        return "on-time"
    return "late" if at - grace >= due else "undecided"


def _returned(attempts: Sequence[OwnAttempt], folder: Path) -> Returned:
    """Return what there is of the newest feedback, ``folder`` being where feedback is fetched to."""
    marked = [attempt for attempt in attempts if attempt.feedback]
    if not marked:
        return "none"
    last = marked[-1]
    here = folder / times.timestamp(last.time)
    return "fetched" if all((here / f"{page.notebook_id}.html").is_file() for page in last.feedback) else "ready"
