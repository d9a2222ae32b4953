"""Rosters from Moodle's web services, from what a live Moodle 4.5.6 answers."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs

import pytest
import responses

from git_exchange.errors import ConfigurationError, LmsError, LmsRefused, LmsUnreachable
from git_exchange.provisioning.people import Roster
from git_exchange.provisioning.sources.moodle import MoodleCourse, read_moodle
from git_exchange.secret import Token
from tests.unit.provisioning.lms import MOODLE, answers, exchange, session

ADDRESS = f"{MOODLE}/webservice/rest/server.php"


@pytest.fixture
def moodle() -> Any:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def read(**said: Any) -> Roster:
    return read_moodle(MoodleCourse(MOODLE, "2", **said), Token("wstoken", "test"), session())


class Class:
    """A course in a Moodle: answers pages of the active or the suspended, as asked."""

    def __init__(self, active: list[dict[str, Any]], suspended: list[dict[str, Any]], short: int = 0) -> None:
        self.active, self.suspended, self.short = active, suspended, short

    def answer(self, request: Any) -> tuple[int, dict[str, str], str]:
        form = {name: values[0] for name, values in parse_qs(request.body).items()}
        numbers = range(sum(name.endswith("[name]") for name in form))
        options = {form[f"options[{n}][name]"]: form[f"options[{n}][value]"] for n in numbers}
        people = self.active if "onlyactive" in options else self.suspended
        start, count = int(options["limitfrom"]), int(options["limitnumber"])
        return 200, {}, json.dumps(people[start : start + count - self.short] if start < len(people) else [])


def serve(moodle: responses.RequestsMock, active: list[Any], suspended: list[Any] | None = None) -> None:
    moodle.add_callback("POST", ADDRESS, Class(active, suspended or []).answer)


def user(number: int, *roles: str, **more: Any) -> dict[str, Any]:
    return {"id": number, "username": f"u{number}", "roles": [{"shortname": role} for role in roles], **more}


def test_a_live_moodles_people_are_read(moodle: responses.RequestsMock) -> None:
    said = exchange("moodle_live_ws_enrolled_users", "all")["response"]["json"]
    gone = exchange("moodle_live_ws_enrolled_users", "onlysuspended")["response"]["json"]
    suspended = {entry["id"] for entry in gone}
    serve(moodle, [entry for entry in said if entry["id"] not in suspended], gone)
    people = {person.login: person for person in read().people}
    assert (people["prof1"].role, people["prof1"].first_name, people["prof1"].last_name) == (
        "instructor",
        "Ada",
        "Prof",
    )
    assert people["ta1"].role == "grader"  # what LTI cannot say of a non-editing teacher
    assert people["ta1"].sourced_id == "E0003"
    assert people["ta2"].sourced_id == ""
    assert [person.active for person in people.values()].count(False) == len(gone)


def test_pages_are_read_until_an_empty_one(moodle: responses.RequestsMock) -> None:
    serve(moodle, [user(number, "student") for number in range(1, 1201)])
    assert len(read().people) == 1200


def test_the_token_is_in_the_body_and_not_in_the_address(moodle: responses.RequestsMock) -> None:
    serve(moodle, [user(1, "student")])
    read()
    assert all("wstoken" not in str(call.request.url) for call in moodle.calls)
    assert "wstoken=wstoken" in str(moodle.calls[0].request.body)


def test_the_strongest_role_counts_and_an_override_more(moodle: responses.RequestsMock) -> None:
    serve(moodle, [user(1, "student", "teacher"), user(2, "student"), user(3, "manager")])
    people = {person.lms_user_id: person.role for person in read(roles={"2": "grader"}).people}
    assert people == {"1": "grader", "2": "grader", "3": "instructor"}


def test_somebody_without_a_role_is_left_out_and_named(moodle: responses.RequestsMock) -> None:
    serve(moodle, [user(1, "student"), user(2), user(3, "guest")])
    assert [left.why for left in read().left_out] == [
        "no part in the course as somebody without a role",
        "no part in the course as guest",
    ]


def test_a_server_that_ignores_the_option_is_noticed(moodle: responses.RequestsMock) -> None:
    everybody = [user(1, "student"), user(2, "student")]
    serve(moodle, everybody, everybody)
    with pytest.raises(LmsError, match="as active and as suspended"):
        read()


def test_nobody_enrolled_changes_nothing(moodle: responses.RequestsMock) -> None:
    serve(moodle, [])
    with pytest.raises(ConfigurationError, match="names nobody"):
        read()


@pytest.mark.parametrize(
    ("which", "words"),
    [
        ("wrong_token", "the token from test is not accepted"),
        ("function_not_in_service", "Add core_enrol_get_enrolled_users to the service"),
        ("as_ta1_onlyactive", "an editing teacher has both"),
        ("as_outsider", "is not in this course"),
        ("separate_groups_other_group", "an editing teacher has both"),
        ("unknown_course", "Check the course's number"),
    ],
)
def test_an_error_that_comes_as_success_is_an_error(moodle: responses.RequestsMock, which: str, words: str) -> None:
    moodle.add(answers(exchange("moodle_live_ws_errors", which)))
    with pytest.raises(LmsRefused) as caught:
        read()
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "which", ["site_maintenance_ws", "upgrade_running_ws", "database_down_ws", "cli_maintenance_ws"]
)
def test_a_moodle_that_is_down_is_no_empty_class(moodle: responses.RequestsMock, which: str) -> None:
    moodle.add(answers(exchange("moodle_live_unavailable", which)))
    with pytest.raises(LmsUnreachable):
        read()


@pytest.mark.parametrize("which", ["ws_disabled_ws", "rest_disabled_ws"])
def test_switched_off_web_services_are_said(moodle: responses.RequestsMock, which: str) -> None:
    moodle.add(answers(exchange("moodle_live_unavailable", which)))
    with pytest.raises(LmsRefused, match="switched off"):
        read()


@pytest.mark.parametrize("said", [{}, None, "x", [1], [{}], [{"id": True}]])
def test_an_answer_that_is_no_list_of_people_is_an_error(moodle: responses.RequestsMock, said: Any) -> None:
    moodle.add("POST", ADDRESS, json=said)
    with pytest.raises(LmsError):
        read()
