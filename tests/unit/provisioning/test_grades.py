"""Whose grade is sent, and what is said of the others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone

import pytest

from git_exchange.provisioning.grades import outcome, plan_grades, points
from git_exchange.rules.grades import GRADED, MISSING, UNGRADED, Score, Sent

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Scale:
    maximum: float

    def read(self) -> dict[str, float]:
        return {}

    def send(self, marks: object) -> dict[str, str]:
        return {}


def sent(score: float = 7.5) -> Sent:
    return Sent("x", "ps1", "ann", "9", score, 10.0, NOW)


def test_every_student_is_either_due_or_held_back_with_a_reason() -> None:
    states = {"dan": UNGRADED, "eve": MISSING}
    names = ("ann", "ben", "cat", "dan", "eve", "fay", "gil")
    scores = {name: Score(name, states.get(name, GRADED), 1.0, 2.0) for name in names}
    numbers = {"ann": "1", "ben": "2", "cat": "2", "dan": "4", "eve": "5", "fay": "6", "gil": ""}
    plan = plan_grades(scores, numbers, {"fay"})
    assert [(one.student_id, one.lms_user_id, one.score, one.maximum) for one in plan.due] == [("ann", "1", 1.0, 2.0)]
    assert {one.subject: one.status for one in plan.held} == {
        "ben": "failed",  # or one's grade would replace the other's
        "cat": "failed",
        "dan": "not graded",
        "eve": "no submission",
        "fay": "left",
        "gil": "unmatched",
    }
    assert len(plan.due) + len(plan.held) == len(scores)


def test_grades_are_sent_on_the_columns_own_scale() -> None:
    assert points(sent(), Scale(10.0)) == 7.5
    assert points(sent(), Scale(100.0)) == 75.0


@pytest.mark.parametrize(
    ("shown", "refused", "status", "words"),
    [
        (7.5, None, "sent", "7.5 of 10"),
        (7.5, "it was changed in the LMS later", "sent", "7.5 of 10"),  # "already there", and it is
        (3.0, "it was changed in the LMS later", "failed", "changed in the LMS later); the LMS shows 3"),
        (None, "no student of the course there", "failed", "no student of the course there); the LMS shows no grade"),
        (3.0, None, "failed", "the LMS took 7.5 and shows 3: overridden"),
    ],
)
def test_what_counts_is_what_the_lms_shows_afterwards(
    shown: float | None, refused: str | None, status: str, words: str
) -> None:
    found = outcome(sent(), Scale(10.0), shown, refused)
    assert found.status == status
    assert words in found.detail
