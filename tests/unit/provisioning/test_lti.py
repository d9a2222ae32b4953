"""Rosters by LTI, from what Moodle, Canvas and Open edX really answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import responses

from git_exchange.errors import ConfigurationError, GitExchangeError, LmsError, LmsRefused, LmsUnreachable
from git_exchange.provisioning.lms.keys import ToolKey
from git_exchange.provisioning.lms.lti_token import ROSTER_SCOPE
from git_exchange.provisioning.people import Roster
from git_exchange.provisioning.sources.lti import Members, read_lti
from tests.unit.provisioning.lms import MOODLE, ROSTER_URL, answers, exchange, granted, new_key, sample, session, tokens

HOSTILE = {case["why"]: case for case in sample("nrps_hostile")["cases"]}


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> ToolKey:
    return new_key(tmp_path_factory.mktemp("key"))


@pytest.fixture
def lms() -> Any:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.add(granted(ROSTER_SCOPE))
        yield mock


def read(key: ToolKey, url: str = ROSTER_URL, **said: Any) -> Roster:
    return read_lti(Members(url, MOODLE, **said), tokens(key), session(url))


def serve(lms: responses.RequestsMock, content: Any, url: str = ROSTER_URL, **more: Any) -> None:
    lms.add("GET", url, body=json.dumps(content), **more)


def members(*listed: dict[str, Any]) -> dict[str, Any]:
    return {"id": "x", "context": {"id": "2"}, "members": [{"roles": ["Learner"], **member} for member in listed]}


def test_moodles_roster_is_read_as_it_is(lms: responses.RequestsMock, key: ToolKey) -> None:
    lms.add(answers(exchange("moodle_live_nrps", "full")))
    people = {person.lms_user_id: person for person in read(key, context_id="2").people}
    assert len(people) == 15
    assert people["18"].first_name == "Tom & Jerry"
    assert people["18"].last_name == "Smith & Sons"
    assert (people["16"].first_name, people["16"].sourced_id, people["16"].login) == ("José María", "S 1008/ä", "s008")
    assert people["3"].role == "instructor"
    assert people["5"].role == "student"  # a non-editing teacher, of whom Moodle says "Learner"
    assert {person.person_id for person in people.values()} == {""}


def test_a_role_that_the_lms_cannot_say_is_overridden(lms: responses.RequestsMock, key: ToolKey) -> None:
    lms.add(answers(exchange("moodle_live_nrps", "full")))
    people = {person.lms_user_id: person for person in read(key, roles={"5": "grader"}).people}
    assert people["5"].role == "grader"
    assert people["6"].role == "student"


def test_nobody_asks_moodle_for_pages_or_roles(lms: responses.RequestsMock, key: ToolKey) -> None:
    lms.add(answers(exchange("moodle_live_nrps", "full")))
    read(key)
    asked = [call.request for call in lms.calls if call.request.method == "GET"]
    assert [request.url for request in asked] == [ROSTER_URL]
    assert asked[0].headers["Accept"] == "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"
    assert asked[0].headers["Authorization"].startswith("Bearer ")


def test_pages_are_followed_to_the_last(lms: responses.RequestsMock, key: ToolKey) -> None:
    for page in (1, 2, 3):
        lms.add(answers(exchange("moodle_live_nrps_paged", f"limit_5_page_{page}")))
    first = exchange("moodle_live_nrps_paged", "limit_5_page_1")["request"]["url"]
    roster = read(key, first)
    assert len(roster.people) + len(roster.left_out) == 14


def test_open_edxs_pages_and_assistants(lms: responses.RequestsMock, key: ToolKey) -> None:
    pages = sample("nrps_openedx_captured")["pages"]
    for page in pages:
        lms.add(answers(page))
    roster = read(key, pages[0]["request"]["url"])
    listed = [member["user_id"] for page in pages for member in page["response"]["json"]["members"]]
    assert len(roster.people) + len(roster.left_out) == len(set(listed))
    assert "grader" in {person.role for person in roster.people}


def test_canvas_test_student_and_observer_are_left_out_and_named(lms: responses.RequestsMock, key: ToolKey) -> None:
    page = sample("nrps_canvas_page1")
    del page["response"]["headers"]["Link"]
    lms.add(answers(page))
    roster = read(key, page["request"]["url"])
    assert {person.role for person in roster.people} == {"instructor", "student", "grader"}
    assert sorted(left.why for left in roster.left_out) == [
        "no part in the course as Mentor",
        "the LMS's own test student",
    ]


def test_a_course_that_is_another_one_is_refused(lms: responses.RequestsMock, key: ToolKey) -> None:
    lms.add(answers(exchange("moodle_live_nrps", "full")))
    with pytest.raises(ConfigurationError, match="the course '2', but context_id is '3'"):
        read(key, context_id="3")


def test_an_empty_class_changes_nothing(lms: responses.RequestsMock, key: ToolKey) -> None:
    serve(lms, members())
    with pytest.raises(ConfigurationError, match="names nobody"):
        read(key)


@pytest.mark.parametrize(
    "why", [why for why in HOSTILE if ("members" in why and "error" in why) or why == "members null"]
)
def test_an_answer_without_members_is_no_empty_class(lms: responses.RequestsMock, key: ToolKey, why: str) -> None:
    serve(lms, HOSTILE[why]["json"])
    with pytest.raises(LmsError, match="without a list of members"):
        read(key)


def test_a_next_page_that_was_read_already_ends_with_an_error(lms: responses.RequestsMock, key: ToolKey) -> None:
    serve(lms, members({"user_id": "1"}), headers={"Link": f'<{ROSTER_URL}>; rel="next"'})
    with pytest.raises(LmsError, match="has no end"):
        read(key)


def test_the_token_does_not_go_to_another_server(lms: responses.RequestsMock, key: ToolKey) -> None:
    serve(lms, members({"user_id": "1"}), headers={"Link": '<https://evil.example/m>; rel="next"'})
    with pytest.raises(LmsError, match="names another server"):
        read(key)
    assert all("evil" not in str(call.request.url) for call in lms.calls)


def test_a_redirect_to_another_server_is_not_followed(lms: responses.RequestsMock, key: ToolKey) -> None:
    lms.add("GET", ROSTER_URL, status=302, headers={"Location": "https://evil.example/m"})
    with pytest.raises(LmsError, match="redirected to another server"):
        read(key)
    assert all("evil" not in str(call.request.url) for call in lms.calls)


def test_a_bookmark_keeps_its_capitals(lms: responses.RequestsMock, key: ToolKey) -> None:
    bookmark = f"{ROSTER_URL}?page=bookmark:WyJBYkMiXQ"
    serve(lms, members({"user_id": "1"}), headers={"Link": f'<{bookmark}>; rel="next"'})
    serve(lms, members({"user_id": "2"}), url=bookmark)
    assert len(read(key).people) == 2
    assert str(lms.calls[-1].request.url).endswith("bookmark:WyJBYkMiXQ")


def test_somebody_on_two_pages_is_one_person_with_all_roles(lms: responses.RequestsMock, key: ToolKey) -> None:
    serve(lms, members({"user_id": "1"}, {"user_id": "1", "roles": ["Instructor"]}, {"user_id": 5}))
    people = {person.lms_user_id: person.role for person in read(key).people}
    assert people == {"1": "instructor", "5": "student"}


def test_people_may_share_an_address(lms: responses.RequestsMock, key: ToolKey) -> None:
    serve(lms, HOSTILE["two members with one e-mail"]["json"])
    assert len(read(key).people) == 2


def test_somebody_without_any_personal_data_is_named_by_number(lms: responses.RequestsMock, key: ToolKey) -> None:
    serve(lms, HOSTILE["anonymous tool: no PII at all"]["json"])
    (person,) = read(key).people
    assert "535fa085" in person.shown


def test_a_suspended_member_is_not_active_and_a_deleted_one_is_absent(
    lms: responses.RequestsMock, key: ToolKey
) -> None:
    serve(lms, members({"user_id": "1", "status": "Inactive"}, {"user_id": "2", "status": "Deleted"}, {"user_id": "3"}))
    assert {person.lms_user_id: person.active for person in read(key).people} == {"1": False, "3": True}


@pytest.mark.parametrize("which", ["bad_bearer", "token_without_scope", "expired_access_token"])
def test_a_refused_token_is_renewed_once_and_then_explained(
    lms: responses.RequestsMock, key: ToolKey, which: str
) -> None:
    lms.add(answers(exchange("moodle_live_nrps_errors", which)))
    with pytest.raises(LmsRefused, match="does not let this tool read the roster"):
        read(key)
    assert [call.request.method for call in lms.calls] == ["POST", "GET", "POST", "GET"]


def test_a_token_that_expired_meanwhile_is_renewed(lms: responses.RequestsMock, key: ToolKey) -> None:
    lms.add(answers(exchange("moodle_live_nrps_errors", "expired_access_token")))
    lms.add(answers(exchange("moodle_live_nrps", "full")))
    assert len(read(key).people) == 15


def test_maintenance_is_no_empty_class(lms: responses.RequestsMock, key: ToolKey) -> None:
    said = exchange("moodle_live_unavailable", "cli_maintenance_nrps")
    lms.add(answers(said))
    with pytest.raises(LmsUnreachable, match="asks to wait 300 seconds"):
        read(key, said["request"]["url"])


@pytest.mark.parametrize("body", [b"<html>Sign in</html>", b"[]", b"", b"\xff\xfe"])
def test_a_page_for_people_is_no_roster(lms: responses.RequestsMock, key: ToolKey, body: bytes) -> None:
    lms.add("GET", ROSTER_URL, body=body)
    with pytest.raises(LmsError):
        read(key)


@pytest.mark.parametrize("member", [{}, {"user_id": ""}, {"user_id": None}, {"user_id": "1", "roles": None}])
def test_a_member_without_identity_or_roles_is_an_error(
    lms: responses.RequestsMock, key: ToolKey, member: dict[str, Any]
) -> None:
    serve(lms, members(member))
    with pytest.raises(LmsError):
        read(key)


@pytest.mark.parametrize("url", ["http://lms.example.edu/x", "ftp://lms.example.edu", "https://u:p@lms.example.edu/x"])
def test_an_address_that_would_leak_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(GitExchangeError):
        session(url)
