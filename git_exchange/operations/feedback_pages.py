"""What nbgrader generated for one student, ready to be sent: checked, and known which attempt it is about."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from git_exchange.course.attempts import read_attempts, read_heads
from git_exchange.course.course import Course
from git_exchange.course.feedback import received
from git_exchange.course.receipts import read_ledger
from git_exchange.course.seats import Identities, Seat, seat_of
from git_exchange.errors import FilesError
from git_exchange.files.paths import display, problem
from git_exchange.operations import sidecar
from git_exchange.rules import layout, times
from git_exchange.transport.objects import TreeFile


@dataclass(frozen=True)
class Marked:
    """A folder of feedback that nbgrader made: ``folder`` holds ``<notebook>.html`` for one student."""

    student_id: str
    folder: Path
    pages: tuple[Path, ...]


@dataclass(frozen=True)
class Prepared:
    """Pages for one student: the seat's project, the attempt they are about (or what stands for it) and its time."""

    student_id: str
    project_id: int
    attempt: str
    submitted: datetime | None
    pages: tuple[TreeFile, ...]


def prepare(course: Course, assignment_id: str, item: Marked, identities: Identities) -> Prepared:
    """Return the student's feedback as it will be sent. Raise FilesError, NotAMember, CourseError."""
    for page in item.pages:
        reason = problem(os.fsencode(page.name))
        if reason is not None:
            raise FilesError(
                f"The page {display(os.fsencode(page.name))} cannot be released: {reason}.",
                hint="Rename the notebook in submitted/, then autograde it and generate the feedback again.",
            )
    seat = seat_of(course, item.student_id)
    identities.check(seat)
    attempt, submitted = _attempt(course, seat, assignment_id, item)
    pages = tuple(_page(page.name, page) for page in item.pages)
    return Prepared(item.student_id, seat.project.id, attempt, submitted, pages)


def _attempt(course: Course, seat: Seat, assignment_id: str, item: Marked) -> tuple[str, datetime | None]:
    """Return the commit that the feedback is about (or what stands for it), and the time of it that nbgrader knows."""
    submitted = _timestamp(item.folder)
    said = sidecar.read(item.folder)
    if said is not None:
        if said.project_id != seat.project.id or said.ref != layout.submit_ref(assignment_id):
            raise FilesError(
                f"The feedback in {item.folder.name!r} of {display(item.student_id)} belongs to another submission.",
                hint="Collect, autograde and generate the feedback again.",
            )
        return said.commit, submitted
    reading = read_attempts(
        course,
        seat,
        assignment_id,
        read_heads(course, [seat], [assignment_id]),
        None,
        read_ledger(course, assignment_id),
    )
    if reading.failure is not None:
        raise reading.failure
    for attempt in reversed(reading.attempts):
        if submitted is None or attempt.time == submitted:
            return attempt.commit, attempt.time
    if submitted is not None:
        return received(submitted), submitted
    raise FilesError(
        f"It is not known which submission of {display(item.student_id)} this feedback is about.",
        hint="Collect it through the exchange, autograde and generate the feedback again; or, if the work came by"
        " another way, write its time into timestamp.txt in the folder of the feedback.",
    )


def _timestamp(folder: Path) -> datetime | None:
    try:
        return times.parse_timestamp((folder / "timestamp.txt").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _page(path: str, page: Path) -> TreeFile:
    return TreeFile(path=path, executable=False, open=lambda: page.open("rb"), size=page.stat().st_size)
