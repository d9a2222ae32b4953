"""Sending grades, when it is interrupted and when somebody else does the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest

from git_exchange.course.grades_sent import read_sent
from git_exchange.errors import ConfigurationError, LmsUnreachable, NotStaff
from git_exchange.provisioning.grades import Mark, Plan
from git_exchange.provisioning.push_grades import push_grades
from git_exchange.report import Outcome, Report
from git_exchange.rules.grades import Due
from tests.unit.school import School

PLAN = Plan((Due("ann", "9", 7.5, 10.0), Due("ben", "10", 8.0, 10.0)), (Outcome("cat", "no submission"),))


@dataclass
class Sheet:
    """A column that keeps what it gets; ``fails_after`` marks the connection is lost for good."""

    maximum: float = 10.0
    shown: dict[str, float] = field(default_factory=dict)
    got: list[Mark] = field(default_factory=list)
    fails_after: int = 100

    def read(self) -> dict[str, float]:
        return dict(self.shown)

    def send(self, marks: Iterable[Mark]) -> dict[str, str]:
        for mark in marks:
            if len(self.got) >= self.fails_after:
                raise LmsUnreachable("gone")
            self.got.append(mark)
            self.shown[mark.lms_user_id] = mark.points
        return {}


def push(school: School, sheet: Sheet, plan: Plan = PLAN, name: str = "teacher", *, again: bool = False) -> Report:
    return push_grades(school.course(name), "ps1", plan, "https://lms", lambda maximum: sheet, again=again)


def test_an_interrupted_run_goes_on_where_it_stopped_and_sends_nothing_twice(school: School) -> None:
    school.open()
    sheet = Sheet(fails_after=1)
    with pytest.raises(LmsUnreachable):
        push(school, sheet)
    times = {line.student_id: line.time for line in read_sent(school.course()).values()}
    sheet.fails_after = 100
    report = push(school, sheet)
    assert report.counts == {"unchanged": 1, "sent": 1, "no submission": 1}
    assert [(mark.lms_user_id, mark.time) for mark in sheet.got] == [("9", times["ann"]), ("10", times["ben"])]
    assert all(line.confirmed for line in read_sent(school.course()).values())


def test_a_grader_who_may_not_write_it_down_sends_nothing(school: School) -> None:
    school.open(staff=(("tim", "grader"),))
    sheet = Sheet()
    with pytest.raises(NotStaff, match="did not take the change"):
        push(school, sheet, name="tim")
    assert sheet.got == []


def test_a_column_with_another_maximum_gets_proportions_and_a_note(school: School) -> None:
    school.open()
    report = push(school, sheet := Sheet(maximum=100.0))
    assert sheet.shown == {"9": 75.0, "10": 80.0}
    assert "counts to 100 points, the gradebook to 10" in report.notes[0]


def test_without_anything_to_send_the_lms_is_not_asked(school: School) -> None:
    school.open()
    push(school, Sheet())

    def never(maximum: float) -> Sheet:
        raise AssertionError("asked")

    report = push_grades(school.course(), "ps1", PLAN, "https://lms", never)
    assert report.counts == {"unchanged": 2, "no submission": 1}


def test_an_assignment_without_points_has_no_grades(school: School) -> None:
    plan = Plan((Due("ann", "9", 0.0, 0.0),), ())
    with pytest.raises(ConfigurationError, match="worth no points"):
        push(school, Sheet(), plan)
