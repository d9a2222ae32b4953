"""Collect pins: which attempt of a student is collected in place of the latest, as a CSV file of the staff.

Also how people name an attempt. Knows no forge and no file system; whose word counts is decided elsewhere.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from git_exchange.rules import times
from git_exchange.rules.attempt import Attempt

COLUMNS = ("assignment_id", "student_id", "commit", "pinned_by", "pinned_at")
# Fewer digits are a number: nobody makes ten million attempts.
_SHORTEST = 7
_PREFIX = re.compile(rf"[0-9a-f]{{{_SHORTEST},64}}")
_OID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_NUMBER = re.compile(r"[1-9][0-9]{0,5}")


@dataclass(frozen=True)
class CollectPin:
    """The staff member ``pinned_by`` wants the attempt ``commit`` collected; ``pinned_at`` is aware, kept in UTC."""

    assignment_id: str
    student_id: str
    commit: str
    pinned_by: str
    pinned_at: datetime


def dump(pins: Iterable[CollectPin]) -> bytes:
    """Return the file: sorted, so that a change is one line of its history."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for pin in sorted(pins, key=lambda pin: (pin.assignment_id, pin.student_id)):
        writer.writerow([pin.assignment_id, pin.student_id, pin.commit, pin.pinned_by, times.isoformat(pin.pinned_at)])
    return text.getvalue().encode()


def load(content: bytes) -> tuple[CollectPin, ...]:
    """Return the pins of a file; of several for one student and assignment the last. Raise ValueError if damaged."""
    rows = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    found = {}
    for number, row in enumerate(rows, start=2):
        try:
            pin = CollectPin(
                row["assignment_id"],
                row["student_id"],
                row["commit"],
                row["pinned_by"],
                times.parse_iso(row["pinned_at"]),
            )
            if _OID.fullmatch(pin.commit) is None:
                raise ValueError("commit is not the id of a git object")
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"row {number}: {error}") from error
        found[pin.assignment_id, pin.student_id] = pin
    return tuple(found.values())


def is_reference(text: str) -> bool:
    """Return whether a person may have meant an attempt: a number, or seven and more digits of a commit."""
    return _NUMBER.fullmatch(text) is not None or _PREFIX.fullmatch(text.lower()) is not None


def find(attempts: Sequence[Attempt], reference: str) -> Attempt | None:
    """Return the attempt of a number ("3") or of the first seven or more digits of its commit, None if there is none.

    Raise ValueError if the digits fit several.
    """
    if _NUMBER.fullmatch(reference) is not None:
        return next((attempt for attempt in attempts if attempt.number == int(reference)), None)
    fitting = [attempt for attempt in attempts if attempt.commit.startswith(reference.lower())]
    if len(fitting) > 1:
        raise ValueError(f"{reference} fits several commits")
    return fitting[0] if fitting else None
