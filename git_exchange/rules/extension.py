"""Extensions: until when which student may hand in what, as ``extensions.csv`` and as a read-model.

Who may grant one is decided by who may write the file; the forge records who did.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime

from git_exchange.rules import times
from git_exchange.rules.until import parse_until


@dataclass(frozen=True)
class Extension:
    """One student's own due date of one assignment. ``until`` is kept in UTC; ``granted_by`` is for people."""

    assignment_id: str
    student_id: str
    until: datetime
    reason: str = ""
    granted_by: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "until", times.utc(self.until))


COLUMNS = tuple(field.name for field in fields(Extension))
_NEEDED = ("assignment_id", "student_id", "until")


@dataclass(frozen=True)
class Extensions:
    """All extensions of a course, in the order of the file; at most one for a student and an assignment."""

    granted: tuple[Extension, ...] = ()

    def of(self, assignment_id: str) -> Mapping[str, datetime]:
        """Return student id -> until when, for one assignment."""
        return {one.student_id: one.until for one in self.granted if one.assignment_id == assignment_id}

    def having(self, new: Iterable[Extension]) -> Extensions:
        """Return these with ``new`` ones in place of those for the same student and assignment."""
        by_key = {(one.assignment_id, one.student_id): one for one in (*self.granted, *new)}
        return Extensions(tuple(by_key[key] for key in sorted(by_key)))

    def without(self, assignment_id: str, student_ids: Iterable[str]) -> Extensions:
        """Return these without those of the students for the assignment."""
        gone = {(assignment_id, student_id) for student_id in student_ids}
        return Extensions(tuple(one for one in self.granted if (one.assignment_id, one.student_id) not in gone))


def dump(extensions: Extensions) -> str:
    """Return the file: a header and one line for each extension."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in extensions.granted:
        writer.writerow([one.assignment_id, one.student_id, times.isoformat(one.until), one.reason, one.granted_by])
    return text.getvalue()


def load(text: str) -> Extensions:
    """Return the extensions of a file, which people may also have edited: other columns and blank lines are ignored.

    The last line for a student and an assignment counts. Raise ValueError naming the line: guessing would move
    deadlines.
    """
    rows = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    found = []
    try:
        missing = [column for column in _NEEDED if text.strip() and column not in (rows.fieldnames or ())]
        if missing:
            raise ValueError(f"the column {missing[0]} is missing")
        for row in rows:
            if any(isinstance(value, str) and value.strip() for value in row.values()):
                found.append(_extension(row))
    except (ValueError, csv.Error) as error:
        raise ValueError(f"line {max(rows.line_num, 1)}: {error}") from error
    return Extensions().having(found)


def _extension(row: Mapping[str, str | None]) -> Extension:
    said = {column: (row.get(column) or "").strip() for column in COLUMNS}
    for column in _NEEDED:
        if not said[column]:
            raise ValueError(f"{column} is empty")
    try:
        until = times.parse_iso(said["until"])
    except ValueError:
        until = parse_until(said["until"])
    return Extension(said["assignment_id"], said["student_id"], until, said["reason"], said["granted_by"])
