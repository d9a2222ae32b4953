"""Grades by LTI, from what Moodle and Open edX really answer."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import pytest
import responses

from git_exchange.errors import ConfigurationError, LmsError, LmsRefused, LmsUnreachable
from git_exchange.provisioning.grades import Mark
from git_exchange.provisioning.lms.ags import SCOPES, Access, LineItem, below, ensure_line_item
from git_exchange.provisioning.lms.keys import ToolKey
from tests.unit.provisioning.lms import MOODLE, answers, exchange, granted, new_key, sample, session, tokens

ITEMS = "moodle_live_ags_lineitems"
SCORES = "moodle_live_ags_scores"
VALUES = "moodle_live_ags_scores_values"
ITEMS_URL = f"{MOODLE}/mod/lti/services.php/2/lineitems?type_id=1"
ITEM = f"{MOODLE}/mod/lti/services.php/2/lineitems/25/lineitem?type_id=1"
LIST_URL = f"{ITEMS_URL}&resource_id=ps1&tag=nbgrader"
SCORES_URL = f"{MOODLE}/mod/lti/services.php/2/lineitems/25/lineitem/scores?type_id=1"
WHEN = datetime(2026, 11, 20, 10, 22, 8, 613000, tzinfo=timezone.utc)


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> ToolKey:
    return new_key(tmp_path_factory.mktemp("key"))


@pytest.fixture
def lms() -> Any:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.add(granted(" ".join(SCOPES)))
        yield mock


def access(key: ToolKey, waits: list[float] | None = None) -> Access:
    return Access(tokens(key), session(waits=waits))


def send(key: ToolKey, *user_ids: str, item: str = ITEM, score: float = 7.5) -> dict[str, str]:
    return LineItem(access(key), item, 10.0).send([Mark(user_id, score, WHEN) for user_id in user_ids])


def asked(lms: responses.RequestsMock) -> list[tuple[str, str]]:
    """Return method and address of everything but the token."""
    calls = [(str(call.request.method), str(call.request.url)) for call in lms.calls]
    return [call for call in calls if not call[1].endswith("token.php")]


def test_scores_and_results_go_into_the_path_before_the_query() -> None:
    rule = sample("ags")["score_url_rule"]
    assert below(rule["lineitem_id"], "scores") == rule["scores_url"]
    assert below(rule["lineitem_id"], "results") == rule["results_url"]


def test_a_column_is_found_by_resource_id_and_tag_whatever_it_is_called(
    lms: responses.RequestsMock, key: ToolKey
) -> None:
    row = {"id": ITEM, "label": "Renamed", "scoreMaximum": 10, "resourceId": "ps1", "tag": "nbgrader"}
    others = [{**row, "id": "x", **change} for change in ({"resourceId": "ps2"}, {"tag": ""}, {"resourceId": None})]
    lms.add("GET", LIST_URL, body=json.dumps([*others, row]))  # as if the LMS did not filter
    found = ensure_line_item(access(key), ITEMS_URL, "ps1", "ps1", 10.0)
    assert (found.id, found.maximum) == (ITEM, 10.0)
    assert asked(lms) == [("GET", LIST_URL)]
    assert lms.calls[-1].request.headers["Accept"] == "application/vnd.ims.lis.v2.lineitemcontainer+json"


def test_a_column_that_is_missing_is_made_once_and_read_back(lms: responses.RequestsMock, key: ToolKey) -> None:
    made = exchange(ITEMS, "create")
    lms.add("GET", LIST_URL, body="[]")
    lms.add(answers(made))
    lms.add("GET", LIST_URL, body=json.dumps([made["response"]["json"]]))
    found = ensure_line_item(access(key), ITEMS_URL, "ps1", "ps1", 10.0)
    assert found.id == made["response"]["json"]["id"]
    post = lms.calls[-2].request
    assert json.loads(post.body or b"") == made["request"]["json"]
    assert post.headers["Content-Type"] == "application/vnd.ims.lis.v2.lineitem+json"
    assert [method for method, _ in asked(lms)] == ["GET", "POST", "GET"]


def test_two_columns_of_one_assignment_are_not_chosen_between(lms: responses.RequestsMock, key: ToolKey) -> None:
    lms.add("GET", LIST_URL, body=json.dumps(exchange(ITEMS, "list_by_resource_id")["response"]["json"]))
    with pytest.raises(LmsError, match="has 2 columns for ps1"):
        ensure_line_item(access(key), ITEMS_URL, "ps1", "ps1", 10.0)


@pytest.mark.parametrize(("assignment", "label"), [("ps1", "x" * 256), ("x" * 513, "ps1")])
def test_a_name_that_would_leave_a_stray_column_is_not_sent(
    lms: responses.RequestsMock, key: ToolKey, assignment: str, label: str
) -> None:
    with pytest.raises(ConfigurationError, match="too long"):
        ensure_line_item(access(key), ITEMS_URL, assignment, label, 10.0)
    assert not lms.calls


def test_a_score_is_compact_and_has_the_items_maximum_and_its_own_time(
    lms: responses.RequestsMock, key: ToolKey
) -> None:
    lms.add(answers(exchange(SCORES, "ok")))
    assert send(key, "9") == {}
    body = lms.calls[-1].request.body
    assert isinstance(body, bytes)
    assert b"\n" not in body and b": " not in body
    said = sample("ags")["score"]["request"]["json"]
    del said["comment"]
    assert json.loads(body) == {**said, "userId": "9"}
    assert lms.calls[-1].request.headers["Content-Type"] == "application/vnd.ims.lis.v1.score+json"


@pytest.mark.parametrize(
    ("file", "which", "words"),
    [
        (SCORES, "same_timestamp_again", "changed in the LMS later"),
        (SCORES, "user_not_enrolled", "no student of the course there"),
        (SCORES, "instructor", "no student of the course there"),
        (SCORES, "pretty_printed_error", "as for a refusal"),  # status 200 with a body
        (VALUES, "locked_grade", "locked"),
    ],
)
def test_moodles_refusals_are_told_in_words(
    lms: responses.RequestsMock, key: ToolKey, file: str, which: str, words: str
) -> None:
    said = exchange(file, which)
    response = answers(said)
    # What ``responses`` has as the reason is the standard one; Moodle's message is nowhere else.
    real = said["response"]["reason"] or ""
    lms.add(response)
    item = said["request"]["url"].replace("/scores", "")
    tool = access(key)
    send_once = tool.session._http.send

    def with_reason(*arguments: Any, **more: Any) -> Any:
        answer = send_once(*arguments, **more)
        answer.reason = real if "/scores" in answer.url else answer.reason
        return answer

    tool.session._http.send = with_reason  # type: ignore[method-assign]
    refused = LineItem(tool, item, 10.0).send([Mark("75", 7.5, WHEN)])
    assert words in refused["75"]


def test_open_edxs_same_time_is_no_other_error(lms: responses.RequestsMock, key: ToolKey) -> None:
    said = sample("ags")["score_repeat_same_timestamp"]["openedx"]
    lms.add("POST", f"{MOODLE}/lti-ags/1/scores", status=400, json=said["json"])
    assert "changed in the LMS later" in send(key, "u", item=f"{MOODLE}/lti-ags/1")["u"]


def test_another_lms_may_answer_a_score_with_what_it_stored(lms: responses.RequestsMock, key: ToolKey) -> None:
    lms.add("POST", f"{MOODLE}/line_items/2/scores", status=200, json={"resultUrl": "x"})
    assert send(key, "u", item=f"{MOODLE}/line_items/2") == {}


def test_a_lost_connection_is_not_repeated_and_ends_the_run_after_three(
    lms: responses.RequestsMock, key: ToolKey
) -> None:
    # Moodle answers a text as user id with the status code 0, which looks like this.
    lms.add("POST", SCORES_URL, body=ConnectionError("bad status"))
    refused = send(key, "a", "b", "c", "d", "e")
    assert len(asked(lms)) == 3
    assert refused["a"] == "lms.example.edu did not answer (ConnectionError)"
    assert refused["e"] == "not sent: the LMS does not answer"


def test_one_lost_connection_does_not_stop_the_others(lms: responses.RequestsMock, key: ToolKey) -> None:
    lms.add("POST", SCORES_URL, body=ConnectionError("bad status"))
    lms.add("POST", SCORES_URL, body="")
    assert set(send(key, "a", "b", "c")) == {"a"}


def test_a_throttled_score_is_sent_again(lms: responses.RequestsMock, key: ToolKey) -> None:
    waits: list[float] = []
    lms.add("POST", SCORES_URL, status=429, headers={"Retry-After": "7"})
    lms.add("POST", SCORES_URL, body="")
    assert LineItem(access(key, waits), ITEM, 10.0).send([Mark("9", 1.0, WHEN)]) == {}
    assert waits == [7.0]


def test_a_score_that_may_have_arrived_is_not_sent_again(lms: responses.RequestsMock, key: ToolKey) -> None:
    lms.add("POST", SCORES_URL, status=502)
    assert "502" in send(key, "9")["9"]
    assert len(asked(lms)) == 1


def test_a_refused_token_is_renewed_once_and_then_explained(lms: responses.RequestsMock, key: ToolKey) -> None:
    lms.add(answers(exchange(SCORES, "score_bad_bearer")))
    with pytest.raises(LmsRefused, match="does not let this tool send grades"):
        send(key, "26")
    assert [method for method, _ in asked(lms)] == ["POST", "POST"]


def test_results_are_on_the_items_scale_and_no_score_is_no_grade(lms: responses.RequestsMock, key: ToolKey) -> None:
    said = exchange(SCORES, "results_after_not_fully_graded")
    lms.add(answers(said))
    listed = said["response"]["json"]
    found = LineItem(access(key), ITEM, 100.0).read()
    assert found == {row["userId"]: row["resultScore"] * 10 for row in listed if "resultScore" in row}
    assert any("resultScore" not in row for row in listed)


def test_moodle_is_not_asked_for_pages(lms: responses.RequestsMock, key: ToolKey) -> None:
    lms.add(answers(exchange(SCORES, "results_after_ok")))
    assert LineItem(access(key), ITEM, 10.0).read() == {"9": 7.5}
    assert asked(lms) == [("GET", SCORES_URL.replace("/scores", "/results"))]


def test_a_page_for_people_is_no_list_of_grades(lms: responses.RequestsMock, key: ToolKey) -> None:
    lms.add("GET", SCORES_URL.replace("/scores", "/results"), body="<html>Sign in</html>")
    with pytest.raises(LmsError):
        LineItem(access(key), ITEM, 10.0).read()


def test_an_lms_in_maintenance_is_no_empty_list(lms: responses.RequestsMock, key: ToolKey) -> None:
    lms.add("GET", LIST_URL, status=503, headers={"Retry-After": "300"})
    with pytest.raises(LmsUnreachable, match="asks to wait 300 seconds"):
        ensure_line_item(access(key), ITEMS_URL, "ps1", "ps1", 10.0)
