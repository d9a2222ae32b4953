"""Captured answers of LMSs, and people who know what LMSs are told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import responses

from git_exchange.provisioning.lms.keys import ToolKey, make_key
from git_exchange.provisioning.lms.lti_token import Platform, TokenSource
from git_exchange.provisioning.lms.session import LmsSession

SAMPLES = Path(__file__).parent / "samples"
MOODLE = "https://lms.example.edu"
TOKEN_URL = f"{MOODLE}/mod/lti/token.php"
ROSTER_URL = f"{MOODLE}/mod/lti/services.php/CourseSection/2/bindings/1/memberships"
PLATFORM = Platform(MOODLE, "aBcD1234", TOKEN_URL)


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))


def exchange(name: str, which: str) -> dict[str, Any]:
    found: dict[str, Any] = sample(name)["exchanges"][which]
    return found


def answers(said: dict[str, Any], **changed: Any) -> responses.Response:
    """Return a captured exchange as what ``responses`` replays; the query of the request counts too."""
    request, response = said["request"], {**said["response"], **changed}
    body = response.get("body_text") or response.get("body_start") or ""
    headers = {name: value for name, value in response.get("headers", {}).items() if name != "Content-Type"}
    return responses.Response(
        request["method"],
        request["url"],
        status=response["status"],
        body=body if "json" not in response else json.dumps(response["json"]),
        headers=headers,
        content_type=response.get("headers", {}).get("Content-Type", "text/html"),
    )


def granted(scope: str) -> responses.Response:
    said = {"access_token": "t" * 32, "token_type": "Bearer", "expires_in": 3600, "scope": scope}
    return responses.Response("POST", TOKEN_URL, body=json.dumps(said), content_type="text/html; charset=utf-8")


def session(url: str = MOODLE, waits: list[float] | None = None) -> LmsSession:
    return LmsSession(url, wait=waits.append if waits is not None else lambda seconds: None)


def tokens(key: ToolKey) -> TokenSource:
    return TokenSource(PLATFORM, key, session())


def new_key(folder: Path) -> ToolKey:
    return make_key(folder / "key.pem")
