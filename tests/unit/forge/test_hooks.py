"""Webhooks on GitLabs that our development server is none of: older ones, and what their record of deliveries holds."""

from __future__ import annotations

import json
from datetime import datetime, timezone

import pytest

from git_exchange.errors import NotFound, UnexpectedAnswer
from git_exchange.forge.ports import Delivery, Hook
from git_exchange.rules.hook_secrets import derive
from tests.unit.forge.conftest import Scripted

HOOKS = "/projects/15/hooks"
WHERE = "https://collector.test/hooks/calc/15"
SECRET = derive(bytes(range(32)), 15)
# What GitLab 15 answers: nothing of signing tokens, filter strategies and alerts.
OLD = {
    "id": 3,
    "url": WHERE,
    "push_events": True,
    "push_events_branch_filter": "submit/*",
    "tag_push_events": False,
    "enable_ssl_verification": True,
}


def test_an_older_gitlab_s_hook_is_active_and_does_not_sign(scripted: Scripted) -> None:
    scripted.answers("GET", HOOKS, json=[])
    scripted.answers("POST", HOOKS, json=OLD, status=201)
    hook = scripted.forge.ensure_hook(15, WHERE, SECRET)
    assert hook == Hook(3, WHERE, active=True, disabled_until=None, signs=False, narrow=True)
    said = json.loads(scripted.mock.calls[-1].request.body or b"")
    assert (said["token"], said["signing_token"]) == (SECRET.token, SECRET.signing_token)


def test_a_hook_that_was_not_set_up_as_asked_is_an_error(scripted: Scripted) -> None:
    scripted.answers("GET", HOOKS, json=[])
    scripted.answers("POST", HOOKS, json={**OLD, "push_events_branch_filter": None}, status=201)
    with pytest.raises(UnexpectedAnswer, match="did not set the webhook up") as error:
        scripted.forge.ensure_hook(15, WHERE, SECRET)
    assert SECRET.token not in str(error.value)


def test_a_hook_that_is_off_for_good_has_no_time_of_return(scripted: Scripted) -> None:
    off = {**OLD, "alert_status": "disabled", "disabled_until": None}
    rests = {**OLD, "alert_status": "temporarily_disabled", "disabled_until": "2026-11-20T10:01:00.000Z"}
    scripted.answers("GET", HOOKS, json=[off, rests])
    found = scripted.forge.hooks(15)
    assert [(hook.active, hook.disabled_until) for hook in found] == [
        (False, None),
        (False, datetime(2026, 11, 20, 10, 1, tzinfo=timezone.utc)),
    ]


def test_the_time_of_a_delivery_comes_from_where_it_is_told(scripted: Scripted) -> None:
    at = datetime(2026, 11, 20, 10, 0, tzinfo=timezone.utc)
    signed = {"Webhook-Timestamp": str(int(at.timestamp()))}
    rows: list[dict[str, object]] = [
        {"response_status": "202", "request_headers": signed, "response_headers": {}},
        {
            "response_status": "401",
            "request_headers": {},
            "response_headers": {"Date": "Fri, 20 Nov 2026 10:00:00 GMT"},
        },
        {
            "response_status": "internal error",
            "request_headers": {"webhook-timestamp": "soon"},
            "response_headers": None,
        },
    ]
    scripted.answers("GET", f"{HOOKS}/3/events", json=rows)
    assert scripted.forge.deliveries(15, 3) == [
        Delivery(at, "202", ok=True),
        Delivery(at, "401", ok=False),
        Delivery(None, "internal error", ok=False),
    ]


def test_a_gitlab_without_a_record_of_deliveries_says_not_found(scripted: Scripted) -> None:
    scripted.answers("GET", f"{HOOKS}/3/events", json={"error": "404 Not Found"}, status=404)
    with pytest.raises(NotFound):
        scripted.forge.deliveries(15, 3)
