"""Who belongs to the course: ``roster.csv`` in the staff project, and who waits for an account: ``waiting.csv``.

Both are written when the roster is applied.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from git_exchange.course.course import Course
from git_exchange.course.staff_files import Files, change_files, read_files
from git_exchange.errors import UnexpectedAnswer
from git_exchange.rules import enrolment, layout, waiting
from git_exchange.rules.enrolment import Enrolment
from git_exchange.rules.waiting import Waiting


def read_enrolments(course: Course) -> dict[str, Enrolment]:
    """Return person id -> enrolment, {} in a course that has no such record yet. Raise NotStaff, UnexpectedAnswer."""
    return _load(read_files(course, [layout.ROSTER_PATH]).get(layout.ROSTER_PATH, b""))


def record_enrolments(course: Course, changed: Iterable[Enrolment]) -> bool:
    """Add or replace people in one push; True if something changed. Raise NotStaff, UnexpectedAnswer."""
    new = {one.person_id: one for one in changed}

    def change(present: Files) -> Files:
        known = _load(present.get(layout.ROSTER_PATH, b"")) | new
        return {layout.ROSTER_PATH: enrolment.dump(known.values())}

    return bool(new) and change_files(course, f"Enrol {len(new)} people", [layout.ROSTER_PATH], change)


def record_waiting(course: Course, now: Collection[Waiting], covers: Collection[str]) -> bool:
    """Record who of the roles that a roster ``covers`` has no account; True if something changed. Raise NotStaff."""

    def change(present: Files) -> Files:
        known = _load_waiting(present.get(layout.WAITING_PATH, b""))
        wanted = waiting.after(known, now, covers)
        return {layout.WAITING_PATH: waiting.dump(wanted)} if wanted or known else {}

    return change_files(course, f"Note {len(now)} people without an account", [layout.WAITING_PATH], change)


def dropped_and_waiting(course: Course) -> tuple[frozenset[str], tuple[Waiting, ...]]:
    """Return the students who are no longer in the course, and those who wait for an account.

    Raise NotStaff, UnexpectedAnswer.
    """
    files = read_files(course, [layout.ROSTER_PATH, layout.WAITING_PATH])
    left = (one.person_id for one in _load(files.get(layout.ROSTER_PATH, b"")).values() if not one.active)
    waits = _load_waiting(files.get(layout.WAITING_PATH, b""))
    return frozenset(left), tuple(one for one in waits if one.role == "student")


def _load_waiting(content: bytes) -> tuple[Waiting, ...]:
    try:
        return waiting.load(content)
    except ValueError as error:
        raise UnexpectedAnswer(
            f"The record {layout.WAITING_PATH} in the staff project is damaged ({error}).",
            hint="Take the file out and apply the roster again.",
        ) from error


def _load(content: bytes) -> dict[str, Enrolment]:
    try:
        return enrolment.load(content)
    except ValueError as error:
        raise UnexpectedAnswer(
            f"The record of people {layout.ROSTER_PATH} in the staff project is damaged ({error}).",
            hint="Put the file's last good version back.",
        ) from error
