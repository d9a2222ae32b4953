"""What the course's students are called: ``people.csv`` in the staff project, written when the roster is applied."""

from __future__ import annotations

from collections.abc import Iterable

from git_exchange.course.course import Course
from git_exchange.course.staff_files import Files, change_files, read_files
from git_exchange.errors import UnexpectedAnswer
from git_exchange.rules import layout, people
from git_exchange.rules.people import Names


def read_people(course: Course) -> dict[str, Names]:
    """Return student id -> names as last recorded. Raise NotStaff, UnexpectedAnswer if the file is damaged."""
    return _load(read_files(course, [layout.PEOPLE_PATH]).get(layout.PEOPLE_PATH, b""))


def record_people(course: Course, said: Iterable[Names]) -> bool:
    """Add names, or bring them up to date, in one push; True if something changed. Raise NotStaff."""
    new = [names for names in said if any(getattr(names, field) for field in people.FIELDS)]

    def change(present: Files) -> Files:
        known = _load(present.get(layout.PEOPLE_PATH, b""))
        for names in new:
            known[names.student_id] = people.merged(known.get(names.student_id, names), names)
        return {layout.PEOPLE_PATH: people.dump(known.values())}

    return bool(new) and change_files(course, f"Record {len(new)} names", [layout.PEOPLE_PATH], change)


def _load(content: bytes) -> dict[str, Names]:
    try:
        return people.load(content)
    except ValueError as error:
        raise UnexpectedAnswer(
            f"The list of names {layout.PEOPLE_PATH} in the staff project is damaged ({error}).",
            hint="Put the file's last good version back, or delete it and apply the roster again.",
        ) from error
