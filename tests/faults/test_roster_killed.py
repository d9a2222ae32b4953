"""Applying a roster is killed at any step: run again it finishes, and run once more it changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from git_exchange.devserver import RunningServer
from git_exchange.provisioning.apply import apply_roster
from git_exchange.provisioning.people import Person, Roster
from git_exchange.report import Report
from git_exchange.secret import Token
from tests.faults.actions import OPERATIONS, STUDENTS, Campus, opened
from tests.faults.forked import Died, in_child
from tests.faults.line import FaultyLine


@pytest.fixture(scope="module")
def campus(line: FaultyLine, server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> Campus:
    place = tmp_path_factory.mktemp("campus")
    found = Campus(line.url, Token(server.admin_token), place, repositories=server.state / "repositories", desks=place)
    for name in ("teacher", *STUDENTS):
        found.token(name)
    return found


def apply(campus: Campus, course_id: str) -> Report:
    people = [Person("teacher", role="instructor", username=campus.username("teacher"))]
    people += [Person(student, username=campus.username(student)) for student in STUDENTS]
    return apply_roster(campus.course(course_id=course_id), campus.forge(), Roster(tuple(people), "the test"))[0]


def killed(campus: Campus, course_id: str, step: int, place: Path) -> tuple[str, Died]:
    """Kill it at the step, or before its last one: how many there are depends on how often it has to ask again."""
    for _ in range(5):
        opened(campus, course_id)
        died = in_child(lambda: apply(campus, course_id), place, kill_at=step)  # noqa: B023 - run at once
        if died.how == "killed":
            return course_id, died
        course_id, step = f"{course_id}x", died.steps - 1
    raise AssertionError(died)


def test_a_roster_that_was_killed_at_any_step_is_finished_by_the_next_run(campus: Campus, tmp_path: Path) -> None:
    opened(campus, "calm")
    made = in_child(lambda: apply(campus, "calm"), tmp_path)
    assert made.how == "done", made
    expected = OPERATIONS["roster-apply"].result(campus, "calm")
    for number in range(6):
        course_id, died = killed(campus, f"killed{number}", 1 + made.steps * number // 6, tmp_path)
        assert not apply(campus, course_id).failed, died.last
        assert OPERATIONS["roster-apply"].result(campus, course_id) == expected, died.last
        assert apply(campus, course_id).counts == {"unchanged": 3}, died.last
