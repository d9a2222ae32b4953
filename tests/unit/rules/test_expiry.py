from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from git_exchange.rules import expiry

END = datetime(2026, 11, 20, 10, 0, tzinfo=timezone.utc)


def web_token(claims: object) -> str:
    parts = ({"alg": "none"}, claims, "signature")
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)


@pytest.mark.parametrize(
    "kept",
    [
        {"expires_at": END.timestamp()},
        {"expires_at": "2026-11-20T10:00:00Z"},
        {"token_response": {"expires_at": int(END.timestamp())}},
        {"token_response": {"created_at": END.timestamp() - 7200, "expires_in": 7200}},
        {"access_token": web_token({"exp": int(END.timestamp())})},
    ],
)
def test_the_end_of_a_token_is_known_where_the_sign_in_tells(kept: dict[str, Any]) -> None:
    assert expiry.of_sign_in(kept) == END


@pytest.mark.parametrize(
    "kept",
    [
        {},
        {"access_token": "glpat-1234567890", "token_response": {"expires_in": 7200}},
        {"token_response": None, "expires_at": None},
        {"expires_at": "soon", "token_response": {"created_at": True, "expires_in": "7200"}},
        {"expires_at": 10**30},
        {"access_token": "a.b.c"},
        {"access_token": web_token(["exp"])},
        {"access_token": web_token({"exp": "never"})},
    ],
)
def test_otherwise_nothing_is_known_and_nothing_breaks(kept: dict[str, Any]) -> None:
    assert expiry.of_sign_in(kept) is None
    assert not expiry.has_ended(None, END)


def test_clocks_may_differ_by_a_minute() -> None:
    assert not expiry.has_ended(END, END + timedelta(seconds=59))
    assert expiry.has_ended(END, END + timedelta(seconds=61))
