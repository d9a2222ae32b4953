"""Rosters from Canvas' REST API, from its documented answers."""

from __future__ import annotations

import json
from typing import Any

import pytest
import responses

from git_exchange.errors import LmsError, LmsRefused, LmsUnreachable
from git_exchange.provisioning.people import Roster
from git_exchange.provisioning.sources.canvas import CanvasCourse, read_canvas
from git_exchange.secret import Token
from tests.unit.provisioning.lms import sample, session

CANVAS = "https://school.instructure.com"
ENROLLMENTS = f"{CANVAS}/api/v1/courses/1/enrollments"
USERS = f"{CANVAS}/api/v1/courses/1/users"


@pytest.fixture
def canvas() -> Any:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def read(waits: list[float] | None = None, **said: Any) -> Roster:
    return read_canvas(CanvasCourse(CANVAS, "1", **said), Token("secret", "test"), session(CANVAS, waits))


def enrolment(number: int, kind: str = "Student", state: str = "active", **more: Any) -> dict[str, Any]:
    user = {"id": number, "name": f"U {number}", "sortable_name": f"{number}, U", "login_id": f"u{number}"}
    return {"user_id": number, "type": f"{kind}Enrollment", "enrollment_state": state, "user": user, **more}


def serve(
    canvas: responses.RequestsMock, rows: list[dict[str, Any]], users: list[dict[str, Any]] | None = None
) -> None:
    canvas.add("GET", ENROLLMENTS, json=rows)
    canvas.add("GET", USERS, json=users or [])


def roles(roster: Roster) -> dict[str, str]:
    return {person.lms_user_id: person.role for person in roster.people}


def test_the_documented_answer_is_read_and_its_next_page_followed(canvas: responses.RequestsMock) -> None:
    page = sample("canvas_rest_enrollments")["response"]
    canvas.add("GET", ENROLLMENTS, body=json.dumps(page["json"]), headers={"Link": page["headers"]["Link"]})
    canvas.add("GET", ENROLLMENTS, json=[enrolment(9)])
    canvas.add("GET", USERS, json=sample("canvas_rest_users")["response"]["json"])
    people = {person.lms_user_id: person for person in read().people}
    assert (people["3"].first_name, people["3"].last_name, people["3"].email) == ("Student", "1", "student1@school.edu")
    assert (people["3"].login, people["3"].sourced_id) == ("student1@school.edu", "S1005")
    assert people["5"].role == "grader"  # "Head TA" is a name that the school gave; the type counts
    assert not people["4"].active
    assert people["9"].active
    asked = [str(call.request.url) for call in canvas.calls]
    assert any("bookmark:WyJTdHVkZW50RW5yb2xsbWVudCIsIjEsIFN0dWRlbnQiLDFd" in url for url in asked)
    assert all("secret" not in url for url in asked)


def test_two_sections_are_one_person_and_the_strongest_role_counts(canvas: responses.RequestsMock) -> None:
    serve(canvas, [enrolment(3), enrolment(3, "Ta"), enrolment(4), enrolment(4, course_section_id=2)])
    assert roles(read()) == {"3": "grader", "4": "student"}


def test_a_role_of_an_inactive_enrolment_does_not_count_beside_an_active_one(canvas: responses.RequestsMock) -> None:
    serve(canvas, [enrolment(3, "Teacher", "inactive"), enrolment(3)])
    assert roles(read()) == {"3": "student"}


def test_an_override_counts(canvas: responses.RequestsMock) -> None:
    serve(canvas, [enrolment(3)])
    assert roles(read(roles={"3": "grader"})) == {"3": "grader"}


def test_observers_and_the_test_student_are_left_out_and_named(canvas: responses.RequestsMock) -> None:
    serve(canvas, [enrolment(3), enrolment(4, "Observer"), enrolment(5, "StudentView")])
    roster = read()
    assert roles(roster) == {"3": "student"}
    assert [left.why for left in roster.left_out] == [
        f"no part in the course as {k}" for k in ("Observer", "StudentView")
    ]


@pytest.mark.parametrize("which", ["new", "old"])
def test_throttling_is_waited_for(canvas: responses.RequestsMock, which: str) -> None:
    said = sample("canvas_rest_throttled")[which]
    canvas.add("GET", ENROLLMENTS, status=said["status"], body=said["body"])
    serve(canvas, [enrolment(3)])
    waits: list[float] = []
    assert roles(read(waits)) == {"3": "student"}
    assert len(waits) == 1


def test_throttling_without_end_is_an_error(canvas: responses.RequestsMock) -> None:
    said = sample("canvas_rest_throttled")["old"]
    canvas.add("GET", ENROLLMENTS, status=said["status"], body=said["body"])
    with pytest.raises(LmsUnreachable, match="takes no more requests"):
        read()
    assert len(canvas.calls) == 5


def test_a_retry_after_is_honoured(canvas: responses.RequestsMock) -> None:
    canvas.add("GET", ENROLLMENTS, status=429, headers={"Retry-After": "7"})
    serve(canvas, [enrolment(3)])
    waits: list[float] = []
    read(waits)
    assert waits == [7.0]


@pytest.mark.parametrize(
    ("which", "words"),
    [("not_throttled_403", "may not read"), ("expired_token", "does not accept the token from test")],
)
def test_a_refusal_says_what_to_do(canvas: responses.RequestsMock, which: str, words: str) -> None:
    said = sample("canvas_rest_throttled")["unverified"][which]
    canvas.add("GET", ENROLLMENTS, status=said["status"], json=said["json"], headers=said.get("headers", {}))
    with pytest.raises(LmsRefused, match=words):
        read()


@pytest.mark.parametrize(
    "rows", [{}, "x", [1], [{"type": "StudentEnrollment"}], [{"user_id": None}], [{"user_id": True}]]
)
def test_an_answer_that_is_no_list_of_people_is_an_error(canvas: responses.RequestsMock, rows: Any) -> None:
    canvas.add("GET", ENROLLMENTS, json=rows)
    with pytest.raises(LmsError):
        read()


def test_a_missing_course_is_said(canvas: responses.RequestsMock) -> None:
    canvas.add("GET", ENROLLMENTS, status=404, json={})
    with pytest.raises(LmsError, match="no such course"):
        read()
