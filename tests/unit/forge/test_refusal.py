from __future__ import annotations

import json
import time

import pytest

from git_exchange.errors import (
    Conflict,
    Forbidden,
    ForgeUnreachable,
    GitExchangeError,
    NotFound,
    Throttled,
    TokenRefused,
    UnexpectedAnswer,
)
from git_exchange.forge.gitlab.refusal import error_of
from git_exchange.forge.http import retry_after
from git_exchange.secret import Token

TOKEN = Token("glpat-abc123", "the test")


def refusal(
    status: int | None, document: object = None, *, body: bytes | None = None, headers: dict[str, str] | None = None
) -> GitExchangeError:
    content = body if body is not None else json.dumps(document).encode() if document is not None else None
    return error_of(status, content, headers or {}, "GET /user", "https://forge.test", TOKEN)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, UnexpectedAnswer),
        (401, TokenRefused),
        (403, Forbidden),
        (404, NotFound),
        (405, UnexpectedAnswer),
        (409, Conflict),
        (412, Conflict),
        (418, UnexpectedAnswer),
        (422, UnexpectedAnswer),
        (429, Throttled),
        (500, ForgeUnreachable),
        (502, ForgeUnreachable),
        (503, ForgeUnreachable),
        (504, ForgeUnreachable),
        (520, ForgeUnreachable),
        (None, UnexpectedAnswer),
    ],
)
def test_the_status_decides_what_an_error_is(status: int | None, kind: type[GitExchangeError]) -> None:
    assert type(refusal(status, {"message": "words of the server"})) is kind
    assert type(refusal(status)) is kind


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
def test_a_web_page_is_no_answer_of_a_forge_whatever_its_status(status: int) -> None:
    error = refusal(status, body=b"<html>Sign in</html>", headers={"Content-Type": "text/html"})
    assert type(error) is UnexpectedAnswer
    assert "login page" in error.hint


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_page_that_says_the_server_is_broken_means_that_it_is_broken(status: int) -> None:
    assert type(refusal(status, body=b"<html>Bad gateway</html>")) is ForgeUnreachable


def test_a_throttle_is_told_from_a_refusal() -> None:
    as_json = refusal(429, {"message": {"error": "This endpoint has been requested too many times."}})
    as_text = refusal(429, body=b"Retry later\n", headers={"Content-Type": "text/plain", "Retry-After": "42"})
    banned = refusal(403, body=b"Forbidden\n", headers={"Content-Type": "text/plain"})
    asked_to_wait = refusal(403, {"message": "slow down"}, headers={"Retry-After": "5"})
    assert [type(error) for error in (as_json, as_text, banned, asked_to_wait)] == [Throttled] * 4
    assert isinstance(as_text, Throttled)
    assert as_text.retry_after == 42
    assert isinstance(as_json, Throttled)
    assert as_json.retry_after is None
    assert type(refusal(403, {"message": "403 Forbidden"})) is Forbidden


def test_a_missing_scope_is_named_in_the_hint() -> None:
    error = refusal(
        403,
        {
            "error": "insufficient_scope",
            "error_description": "The request requires higher privileges than provided by the access token.",
            "scope": "api read_api",
        },
    )
    assert type(error) is Forbidden
    assert "api read_api" in error.hint


def test_an_expired_token_is_told_in_the_servers_words() -> None:
    error = refusal(401, {"error": "invalid_token", "error_description": "Token is expired."})
    assert type(error) is TokenRefused
    assert "Token is expired." in error.message
    assert "the test" in error.message


@pytest.mark.parametrize(
    "document",
    [
        {"message": {"path": ["has already been taken"], "name": ["has already been taken"]}},
        {"message": 'Failed to save group {:path=>["has already been taken"]}'},
        {"message": ["Member already exists"]},
    ],
)
def test_a_name_that_is_taken_is_a_conflict(document: object) -> None:
    assert type(refusal(400, document)) is Conflict


def test_a_group_in_which_one_may_not_create_is_forbidden_though_gitlab_calls_it_invalid() -> None:
    assert type(refusal(400, {"message": {"namespace": ["is not valid"]}})) is Forbidden


def test_a_value_that_the_server_refuses_is_told_in_its_words() -> None:
    error = refusal(400, {"message": {"visibility_level": ["internal is not allowed in a private group."]}})
    assert "visibility_level internal is not allowed in a private group." in error.message


def test_what_the_server_says_is_shown_without_control_characters_and_without_the_token() -> None:
    error = refusal(409, {"message": f"bad\x1b[31m\u202e value glpat-abc123 {'x' * 1000}"})
    assert "\x1b" not in str(error)
    assert "\u202e" not in str(error)
    assert TOKEN.value not in str(error)
    assert len(str(error)) < 500


@pytest.mark.parametrize("value", ["nonsense", "", "nan", "inf", "Fri, 20 Nov 2026 10:00:00 GMT"])
def test_a_waiting_time_that_is_no_number_is_none(value: str) -> None:
    assert retry_after({"Retry-After": value}) is None


def test_the_waiting_time_can_be_a_moment() -> None:
    wait = retry_after({"RateLimit-Reset": str(time.time() + 30)})
    assert wait is not None
    assert 0 < wait <= 30
    assert retry_after({"RateLimit-Reset": "1000"}) == 0
    assert retry_after({"Retry-After": "3", "RateLimit-Reset": "1000"}) == 3
