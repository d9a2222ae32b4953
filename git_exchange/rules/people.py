"""What people are called: the names of a roster, and which of them may go into nbgrader's gradebook.

A field of the gradebook is ours while it holds what was last written there by us, and empty fields are. What somebody
typed (an empty field in the place of a name, too) stays.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields, replace


@dataclass(frozen=True)
class Names:
    """One student's names as nbgrader has them; "" is unknown."""

    student_id: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    lms_user_id: str = ""


COLUMNS = tuple(field.name for field in fields(Names))
FIELDS = COLUMNS[1:]


def dump(people: Iterable[Names]) -> bytes:
    """Return the CSV file of these people, sorted by student id."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(astuple(one) for one in sorted(people, key=lambda one: one.student_id))
    return text.getvalue().encode()


def load(content: bytes) -> dict[str, Names]:
    """Return student id -> names of such a file; columns may be missing. Raise ValueError for anything else."""
    rows = csv.DictReader(io.StringIO(content.decode("utf-8"), newline=""))
    found = {}
    for row in rows:
        if not row.get("student_id"):
            raise ValueError(f"no student_id in line {rows.line_num}")
        names = Names(**{column: row.get(column) or "" for column in COLUMNS})
        found[names.student_id] = names
    return found


def merged(known: Names, said: Names) -> Names:
    """Return what is known after ``said``: a field that it leaves empty says nothing."""
    return replace(known, **{field: value for field in FIELDS if (value := getattr(said, field))})


def to_write(roster: Names, present: Names, written: Names) -> Names:
    """Return what of the roster goes into the gradebook, "" for a field that stays as it is.

    ``present`` is what the gradebook holds, ``written`` what was last written there by us.
    """
    # A row with nothing in it is a new one: nobody empties all fields to keep them empty.
    blank = not any(getattr(present, field) for field in FIELDS)

    def news(field: str) -> bool:
        before = getattr(present, field)
        return getattr(roster, field) != before and (blank or before == getattr(written, field))

    return Names(roster.student_id, **{field: getattr(roster, field) for field in FIELDS if news(field)})
