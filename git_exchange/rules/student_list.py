"""A list of students in a text file: one id a line, or a CSV file with a column ``student_id``."""

from __future__ import annotations

import csv
import io

COLUMN = "student_id"


def parse(content: bytes) -> tuple[str, ...]:
    """Return the ids, each once, in their order. Raise ValueError if the file is not UTF-8 or names nobody.

    A byte order mark, blank lines and lines that start with ``#`` are passed over. It is a CSV file, separated by
    commas, semicolons or tabs, if its first line has a column ``student_id``; else every line is one id.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError("it is not UTF-8 text") from error
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if not lines:
        raise ValueError("it names no student")
    found = next((column for separator in ",;\t" if (column := _column(lines, separator)) is not None), None)
    if found is None:
        found = [line.strip() for line in lines]
    ids = tuple(dict.fromkeys(student_id for student_id in found if student_id))
    if not ids:
        raise ValueError("it names no student")
    return ids


def _column(lines: list[str], separator: str) -> list[str] | None:
    """Return the column of the ids, None if there is no such column."""
    rows = list(csv.reader(io.StringIO("\n".join(lines)), delimiter=separator))
    header = [name.strip().lower() for name in rows[0]]
    if COLUMN not in header:
        return None
    index = header.index(COLUMN)
    short = next((number for number, row in enumerate(rows[1:], start=1) if len(row) <= index), None)
    if short is not None:
        raise ValueError(f"entry {short} has no {COLUMN}")
    return [row[index].strip() for row in rows[1:]]
