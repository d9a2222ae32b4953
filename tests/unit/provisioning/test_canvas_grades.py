"""Grades into Canvas by REST, from its documented answers."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any
from urllib.parse import parse_qs

import pytest
import responses

from git_exchange.errors import ConfigurationError, LmsError, LmsRefused
from git_exchange.provisioning.grades import Mark
from git_exchange.provisioning.lms.canvas_grades import PATIENCE, CanvasColumn, open_assignment
from git_exchange.secret import Token
from tests.unit.provisioning.lms import session

CANVAS = "https://canvas.example.edu"
API = f"{CANVAS}/api/v1"
ASSIGNMENT = f"{API}/courses/5/assignments/77"
UPDATE = f"{ASSIGNMENT}/submissions/update_grades"
PROGRESS = f"{API}/progress/31"
TOKEN = Token("c" * 20, "test")


@pytest.fixture
def lms() -> Any:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def column(waits: list[float] | None = None) -> CanvasColumn:
    wait = waits.append if waits is not None else lambda seconds: None
    return CanvasColumn(ASSIGNMENT, 10.0, TOKEN, session(CANVAS), API, wait)


def marks(*user_ids: str) -> list[Mark]:
    return [Mark(user_id, 7.5, datetime(2026, 11, 20, tzinfo=timezone.utc)) for user_id in user_ids]


def test_an_assignment_that_counts_in_points_is_a_column(lms: responses.RequestsMock) -> None:
    lms.add("GET", ASSIGNMENT, json={"id": 77, "points_possible": 20.0, "grading_type": "points"})
    assert open_assignment(CANVAS, "5", "77", TOKEN, session(CANVAS)).maximum == 20.0


@pytest.mark.parametrize(
    "said",
    [{"points_possible": 10, "grading_type": "pass_fail"}, {"points_possible": 0}, {"points_possible": None}, []],
)
def test_another_one_is_refused(lms: responses.RequestsMock, said: object) -> None:
    lms.add("GET", ASSIGNMENT, json=said)
    with pytest.raises(ConfigurationError, match="does not count in points"):
        open_assignment(CANVAS, "5", "77", TOKEN, session(CANVAS))


def test_all_grades_go_in_one_request_whose_progress_is_waited_for(lms: responses.RequestsMock) -> None:
    waits: list[float] = []
    lms.add("POST", UPDATE, json={"id": 31, "workflow_state": "queued", "url": "https://evil.example/progress"})
    lms.add("GET", PROGRESS, json={"id": 31, "workflow_state": "running"})
    lms.add("GET", PROGRESS, json={"id": 31, "workflow_state": "completed"})
    assert column(waits).send(marks("1", "2")) == {}
    sent = parse_qs(str(lms.calls[0].request.body))
    assert sent == {"grade_data[1][posted_grade]": ["7.5"], "grade_data[2][posted_grade]": ["7.5"]}
    assert waits == [1.0, 1.0]
    assert len(lms.calls) == 3


def test_who_has_no_canvas_number_is_refused_and_the_others_are_sent(lms: responses.RequestsMock) -> None:
    lms.add("POST", UPDATE, json={"id": 31, "workflow_state": "completed"})
    assert set(column().send(marks("1", "535fa085-f2b4"))) == {"535fa085-f2b4"}
    assert b"535fa085" not in str(lms.calls[0].request.body).encode()


def test_a_failed_progress_is_nobodys_success(lms: responses.RequestsMock) -> None:
    lms.add("POST", UPDATE, json={"id": 31, "workflow_state": "failed", "message": "x"})
    assert set(column().send(marks("1", "2"))) == {"1", "2"}


def test_a_progress_without_end_is_not_waited_for_for_ever(lms: responses.RequestsMock) -> None:
    lms.add("POST", UPDATE, json={"id": 31, "workflow_state": "queued"})
    lms.add("GET", PROGRESS, json={"id": 31, "workflow_state": "running"})
    waits: list[float] = []
    assert "look again later" in column(waits).send(marks("1"))["1"]
    assert len(waits) == PATIENCE


def test_an_answer_without_a_progress_is_an_error(lms: responses.RequestsMock) -> None:
    lms.add("POST", UPDATE, json={"errors": []})
    with pytest.raises(LmsError, match="without the progress"):
        column().send(marks("1"))


def test_grades_are_read_from_all_pages(lms: responses.RequestsMock) -> None:
    first = f"{ASSIGNMENT}/submissions?per_page=100"
    second = f"{ASSIGNMENT}/submissions?page=bookmark:WyJB"
    link = {"Link": f'<{second}>; rel="next"'}
    lms.add("GET", first, json=[{"user_id": 1, "score": 7.5}, {"user_id": 2, "score": None}], headers=link)
    lms.add("GET", second, json=[{"user_id": 3, "score": 0}])
    assert column().read() == {"1": 7.5, "3": 0.0}


def test_a_token_that_may_not_grade_is_told_from_one_that_is_gone(lms: responses.RequestsMock) -> None:
    lms.add("POST", UPDATE, status=401)
    lms.add("POST", UPDATE, status=401, headers={"WWW-Authenticate": 'Bearer realm="canvas-lms"'})
    with pytest.raises(LmsRefused, match="may not grade"):
        column().send(marks("1"))
    with pytest.raises(LmsRefused, match="does not accept"):
        column().send(marks("1"))
