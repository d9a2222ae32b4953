"""Who has which seat: ``seats.csv`` in the staff project, written when the roster is applied.

A project's identity is its number: with this list a renamed or swapped project is noticed.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields

from git_exchange.course.course import Course
from git_exchange.course.staff_files import Files, change_files, read_files
from git_exchange.errors import UnexpectedAnswer
from git_exchange.rules import layout


@dataclass(frozen=True)
class Registered:
    """One student's seat: the project and the forge account, by number; the user name is for people."""

    student_id: str
    project_id: int
    account_id: int
    username: str


COLUMNS = tuple(field.name for field in fields(Registered))


def read_register(course: Course) -> dict[str, Registered]:
    """Return student id -> seat as it was last registered. Raise NotStaff, UnexpectedAnswer if the file is damaged."""
    return _load(read_files(course, [layout.SEATS_PATH]).get(layout.SEATS_PATH, b""))


def register(course: Course, entries: Iterable[Registered]) -> bool:
    """Add or replace entries in one push; True if something changed."""
    new = {entry.student_id: entry for entry in entries}

    def change(present: Files) -> Files:
        entries = _load(present.get(layout.SEATS_PATH, b"")) | new
        return {layout.SEATS_PATH: _dump(entries.values())}

    return bool(new) and change_files(course, f"Register {len(new)} seats", [layout.SEATS_PATH], change)


def _dump(entries: Iterable[Registered]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(astuple(entry) for entry in sorted(entries, key=lambda entry: entry.student_id))
    return text.getvalue().encode()


def _load(content: bytes) -> dict[str, Registered]:
    try:
        rows = csv.DictReader(io.StringIO(content.decode("utf-8")))
        entries = [
            Registered(row["student_id"], int(row["project_id"]), int(row["account_id"]), row["username"])
            for row in rows
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise UnexpectedAnswer(
            f"The list of seats {layout.SEATS_PATH} in the staff project is damaged.",
            hint="Apply the roster again, or put the file's last good version back.",
        ) from error
    return {entry.student_id: entry for entry in entries}
