"""A roster from a CSV file, with the columns of nbgrader or of ngshare.

``student_id`` (ngshare) or ``id`` (``nbgrader db student import``), ``first_name``, ``last_name``, ``email``,
``lms_user_id``, and ours: ``role``, ``username``. Others are ignored.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

from git_exchange.errors import ConfigurationError
from git_exchange.provisioning.people import Person, Roster

COLUMNS = {"student_id", "first_name", "last_name", "email", "lms_user_id", "role", "username"}
MAX_SIZE = 50_000_000


def read_csv(path: Path) -> Roster:
    """Return the roster in ``path`` (UTF-8, commas or semicolons). Raise ConfigurationError that names the line."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"The roster {path} cannot be read: {error.strerror}.") from error
    if len(content) > MAX_SIZE:
        raise ConfigurationError(f"The roster {path} is larger than {MAX_SIZE // 1_000_000} MB; is it the right file?")
    try:
        text = content.decode("utf-8-sig").lstrip()
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"The roster {path} is not UTF-8 (byte {error.start}).", hint="Save it as CSV in UTF-8."
        ) from error
    first_line = text.partition("\n")[0]
    delimiter = ";" if first_line.count(";") > first_line.count(",") else ","
    rows = csv.DictReader(io.StringIO(text), delimiter=delimiter, skipinitialspace=True)
    names = [name.strip() for name in rows.fieldnames or ()]
    if "student_id" not in names:
        names = ["student_id" if name == "id" else name for name in names]  # as nbgrader calls it
    twice = sorted({name for name in names if name in COLUMNS and names.count(name) > 1})
    if twice:
        raise ConfigurationError(f"The roster {path} has the column {twice[0]} twice.", hint="Nothing was changed.")
    if "student_id" not in names:
        raise ConfigurationError(
            f"The roster {path} has no column student_id (it has: {', '.join(names) or 'none'}).",
            hint="The first line names the columns: student_id (or id),first_name,last_name,email,role",
        )
    rows.fieldnames = names
    lines = (row for row in rows if any((value or "").strip() for value in _values(row)))
    people = tuple(_person(path, rows.line_num, row) for row in lines)
    return Roster(people, str(path), covers=frozenset(person.role for person in people))


def _values(row: dict[str, str]) -> list[str]:
    return [value for value in row.values() if isinstance(value, str)]


def _person(path: Path, line: int, row: dict[str, str]) -> Person:
    if None in row:
        raise ConfigurationError(
            f"The roster {path} has more values than columns in line {line}.", hint="Quote values that hold commas."
        )
    said = {name: (value or "").strip() for name, value in row.items() if name in COLUMNS}
    if not said["student_id"]:
        raise ConfigurationError(f"The roster {path} has no student_id in line {line}.", hint="Nothing was changed.")
    return Person(
        person_id=said["student_id"],
        first_name=said.get("first_name", ""),
        last_name=said.get("last_name", ""),
        email=said.get("email", ""),
        role=said.get("role", "").lower() or "student",
        username=said.get("username", ""),
        lms_user_id=said.get("lms_user_id", ""),
    )
