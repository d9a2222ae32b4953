"""Who belongs to the course: ``roster.csv`` in the staff project, written when the roster is applied."""

from __future__ import annotations

from collections.abc import Iterable

from git_exchange.course.course import Course
from git_exchange.course.staff_files import Files, change_files, read_files
from git_exchange.errors import UnexpectedAnswer
from git_exchange.rules import enrolment, layout
from git_exchange.rules.enrolment import Enrolment


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


def dropped(course: Course) -> frozenset[str]:
    """Return the students who are no longer in the course. Raise NotStaff, UnexpectedAnswer."""
    return frozenset(one.person_id for one in read_enrolments(course).values() if not one.active)


def _load(content: bytes) -> dict[str, Enrolment]:
    try:
        return enrolment.load(content)
    except ValueError as error:
        raise UnexpectedAnswer(
            f"The record of people {layout.ROSTER_PATH} in the staff project is damaged ({error}).",
            hint="Put the file's last good version back.",
        ) from error
