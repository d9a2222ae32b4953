"""Who belongs to a course, as it was when the roster was last applied: lines of ``roster.csv``. Pure.

People are recognised by what never changes: ``platform`` and ``lms_user_id`` in an LMS (both empty for a roster that
people keep by hand), the account's number on the forge. Names are for readers.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Enrolment:
    """One person. ``how`` says what bound the account: "roster", "map", "sign-in", "created".

    ``active`` is False after a drop.
    """

    person_id: str
    role: str
    account_id: int
    username: str
    platform: str = ""
    lms_user_id: str = ""
    how: str = "roster"
    active: bool = True


COLUMNS = tuple(field.name for field in fields(Enrolment))
_STATES = {"yes": True, "no": False}


def dump(enrolments: Iterable[Enrolment]) -> bytes:
    """Return the CSV file, sorted by id, so that two versions differ only where somebody does."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in sorted(enrolments, key=lambda one: one.person_id):
        values = [getattr(one, name) for name in COLUMNS[:-1]]
        writer.writerow([*values, "yes" if one.active else "no"])
    return text.getvalue().encode()


def load(content: bytes) -> dict[str, Enrolment]:
    """Return person id -> enrolment. Raise ValueError naming the line: guessing would give work to the wrong person."""
    rows = csv.DictReader(io.StringIO(content.decode("utf-8"), newline=""))
    found: dict[str, Enrolment] = {}
    for row in rows:
        try:
            one = Enrolment(
                person_id=row["person_id"],
                role=row["role"],
                account_id=int(row["account_id"]),
                username=row["username"],
                platform=row.get("platform") or "",
                lms_user_id=row.get("lms_user_id") or "",
                how=row.get("how") or "roster",
                active=_STATES[row.get("active") or "yes"],
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"line {rows.line_num} is damaged") from error
        if not one.person_id or one.person_id in found:
            raise ValueError(f"line {rows.line_num} names nobody, or somebody for the second time")
        found[one.person_id] = one
    return found
