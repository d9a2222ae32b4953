"""Accounts on the real server, as its administrator makes them, and what they ask it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import requests

from tests.realforge import ADMINISTRATOR, RealForge

PASSWORD = "throwaway-1"


@dataclass(frozen=True)
class Person:
    """An account and the password that it signs in with."""

    forge: RealForge
    username: str
    token: str

    def asks(self, method: str, path: str, **body: Any) -> requests.Response:
        """Return the server's answer to this person's request."""
        return asked(self.forge, method, path, f"token {self.token}", body)


def asked(forge: RealForge, method: str, path: str, authorization: str, body: dict[str, Any]) -> requests.Response:
    """Return the server's answer; ``path`` is below /api/v1."""
    return requests.request(
        method,
        f"{forge.url}/api/v1{path}",
        json=body or None,
        headers={"Authorization": authorization},
        timeout=60,
        allow_redirects=False,
    )


def administrator(forge: RealForge) -> Person:
    """Return who made the server."""
    return Person(forge, ADMINISTRATOR, forge.token)


def make(forge: RealForge, username: str, *scopes: str) -> Person:
    """Make an account with a password and a personal access token of these scopes."""
    account = {
        "username": username,
        "email": f"{username}@example.invalid",
        "password": PASSWORD,
        "must_change_password": False,
    }
    administrator(forge).asks("POST", "/admin/users", **account).raise_for_status()
    made = requests.post(
        f"{forge.url}/api/v1/users/{username}/tokens",
        json={"name": "tests", "scopes": scopes or ("read:user", "write:repository")},
        auth=(username, PASSWORD),
        timeout=60,
    )
    made.raise_for_status()
    return Person(forge, username, made.json()["sha1"])
