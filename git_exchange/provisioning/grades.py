"""Whose grade goes to the LMS, and whose does not and why. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from git_exchange.files.paths import display
from git_exchange.report import Outcome
from git_exchange.rules.grades import GRADED, MISSING, UNGRADED, Due, Score, Sent, agrees

_HELD = {
    UNGRADED: "not autograded, or a cell waits for a grade by hand",
    MISSING: "the gradebook has no submission",
}


@dataclass(frozen=True)
class Mark:
    """A grade in the points of the LMS's column, with the time that it carries."""

    lms_user_id: str
    points: float
    time: datetime


class Column(Protocol):
    """A column of an LMS's gradebook."""

    @property
    def maximum(self) -> float:
        """Return the points of a full grade."""

    def read(self) -> Mapping[str, float]:
        """Return LMS user id -> points, of everybody who has some. Raise LmsError."""

    def send(self, marks: Iterable[Mark]) -> Mapping[str, str]:
        """Send each; return LMS user id -> what the LMS said, of those that it refused. Raise LmsError."""


@dataclass(frozen=True)
class Plan:
    """Every student of the gradebook once: in ``due``, or in ``held`` with the reason."""

    due: tuple[Due, ...]
    held: tuple[Outcome, ...]


def plan_grades(scores: Mapping[str, Score], lms_user_ids: Mapping[str, str], dropped: Collection[str]) -> Plan:
    """Return what should be in the LMS. ``lms_user_ids`` is student id -> id in the LMS, "" or absent if unknown."""
    shared = {identity for identity, number in Counter(filter(None, lms_user_ids.values())).items() if number > 1}
    due, held = [], []
    for student_id, score in sorted(scores.items()):
        identity = lms_user_ids.get(student_id, "")
        shown = display(student_id)
        if student_id in dropped:
            held.append(Outcome(shown, "left", "no longer in the course"))
        elif score.state != GRADED:
            held.append(Outcome(shown, score.state, _HELD[score.state]))
        elif not identity:
            held.append(Outcome(shown, "unmatched", "no lms_user_id: apply the roster from the LMS"))
        elif identity in shared:
            held.append(Outcome(shown, "failed", f"somebody else has the lms_user_id {display(identity)}, too"))
        else:
            due.append(Due(student_id, identity, score.score, score.maximum))
    return Plan(tuple(due), tuple(held))


def points(line: Sent, column: Column) -> float:
    """Return the grade on the column's scale, which may differ from nbgrader's."""
    if line.maximum == column.maximum:
        return line.score
    return line.score / line.maximum * column.maximum


def outcome(line: Sent, column: Column, shown: float | None, refused: str | None) -> Outcome:
    """Return what became of a grade that was sent: what counts is what the LMS shows afterwards."""
    wanted = points(line, column)
    who = display(line.student_id)
    if agrees(shown, wanted):
        return Outcome(who, "sent", f"{wanted:g} of {column.maximum:g}")
    there = "shows no grade" if shown is None else f"shows {shown:g}"
    if refused is not None:
        return Outcome(who, "failed", f"{wanted:g} was refused ({refused}); the LMS {there}")
    return Outcome(
        who, "failed", f"the LMS took {wanted:g} and {there}: overridden or locked there, cut, or not updated yet"
    )
