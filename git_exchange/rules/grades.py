"""Grades on their way to an LMS, and what is remembered of them: lines of ``grades-sent.csv``. Pure.

A line is written before its grade is sent (``confirmed`` no) and again after the LMS shows it (yes). A run that was
interrupted thus sends the same grade with the same time once more, which an LMS takes for what it is: the same grade.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from git_exchange.rules import times

GRADED, UNGRADED, MISSING = "graded", "not graded", "no submission"
# Half a hundredth of a point: LMSs round (Moodle to five places), and nobody's grade hangs on it.
TOLERANCE = 0.005


@dataclass(frozen=True)
class Score:
    """One student's result in nbgrader, late penalty taken off. ``state`` is GRADED, UNGRADED or MISSING."""

    student_id: str
    state: str
    score: float = 0.0
    maximum: float = 0.0


@dataclass(frozen=True)
class Due:
    """A grade that the LMS should have."""

    student_id: str
    lms_user_id: str
    score: float
    maximum: float


@dataclass(frozen=True)
class Sent:
    """A grade with the time that it carries; ``confirmed`` once the LMS showed it. ``target`` is the LMS's course."""

    target: str
    assignment_id: str
    student_id: str
    lms_user_id: str
    score: float
    maximum: float
    time: datetime
    confirmed: bool = False

    @property
    def key(self) -> tuple[str, str, str]:
        """Return what there is one line of."""
        return self.target, self.assignment_id, self.student_id


Ledger = Mapping[tuple[str, str, str], Sent]
COLUMNS = tuple(field.name for field in fields(Sent))
_STATES = {"yes": True, "no": False}


def reserve(
    ledger: Ledger, target: str, assignment_id: str, due: Iterable[Due], now: datetime, *, again: bool = False
) -> list[Sent]:
    """Return a line for each grade: the one that is there if the grade is the same, else a new one with a later time.

    ``again`` gives grades that were never confirmed a new time, so that they replace what somebody typed in the LMS.
    """
    found = []
    for one in due:
        before = ledger.get((target, assignment_id, one.student_id))
        if before is not None and _same(before, one) and (before.confirmed or not again):
            found.append(before)
            continue
        # Moodle compares whole seconds, and refuses an equal one.
        time = now if before is None else max(now, before.time + timedelta(seconds=1))
        found.append(Sent(target, assignment_id, one.student_id, one.lms_user_id, one.score, one.maximum, time))
    return found


def agrees(shown: float | None, points: float) -> bool:
    """Return whether the LMS shows these points; both on the scale of its column."""
    return shown is not None and abs(shown - points) <= TOLERANCE


def dump(lines: Iterable[Sent]) -> bytes:
    """Return the CSV file, sorted, so that two versions differ only where a grade does."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in sorted(lines, key=lambda line: line.key):
        plain = (one.target, one.assignment_id, one.student_id, one.lms_user_id, repr(one.score), repr(one.maximum))
        writer.writerow((*plain, times.isoformat(one.time), "yes" if one.confirmed else "no"))
    return text.getvalue().encode()


def load(content: bytes) -> dict[tuple[str, str, str], Sent]:
    """Return the lines of such a file by their keys. Raise ValueError naming the line that is damaged."""
    rows = csv.DictReader(io.StringIO(content.decode("utf-8"), newline=""))
    found: dict[tuple[str, str, str], Sent] = {}
    for row in rows:
        try:
            one = Sent(
                target=row["target"],
                assignment_id=row["assignment_id"],
                student_id=row["student_id"],
                lms_user_id=row["lms_user_id"],
                score=float(row["score"]),
                maximum=float(row["maximum"]),
                time=times.parse_iso(row["time"]),
                confirmed=_STATES[row["confirmed"]],
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(f"line {rows.line_num} is damaged") from error
        found[one.key] = one
    return found


def _same(before: Sent, due: Due) -> bool:
    return (
        before.lms_user_id == due.lms_user_id
        and math.isclose(before.score, due.score, abs_tol=1e-9)
        and math.isclose(before.maximum, due.maximum, abs_tol=1e-9)
    )
