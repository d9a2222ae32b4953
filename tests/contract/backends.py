"""The servers that the contract suite runs against. Another kind of forge is one more function and one more name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from git_exchange.devserver import RunningServer
from git_exchange.secret import Token

# Kind of forge, and the variables that name a real server of that kind and an administrator's token for it.
REAL = {"gitlab": ("GIT_EXCHANGE_TEST_GITLAB_URL", "GIT_EXCHANGE_TEST_GITLAB_TOKEN")}


@dataclass(frozen=True)
class Backend:
    """A running forge and an administrator's token. ``patience`` is how many seconds its background jobs may take."""

    name: str
    kind: str
    url: str
    admin: Token
    patience: float

    def make_empty_project(self, group_id: int, path: str) -> None:
        """Make a project without a commit, which no port of ours does."""
        requests.post(
            f"{self.url}/api/v4/projects",
            json={"path": path, "name": path, "namespace_id": group_id, "initialize_with_readme": False},
            headers={"Authorization": f"Bearer {self.admin.value}"},
            timeout=60,
        ).raise_for_status()


def names() -> list[str]:
    """Return the backends that can be run here: always the development server, and what the environment names."""
    return ["devserver", *(kind for kind, variables in REAL.items() if all(map(os.environ.get, variables)))]


def missing() -> list[str]:
    """Return a sentence for every kind of real server that is not set."""
    return [
        f"contract suite: no real {kind} server ({url} and {token} are not set)"
        for kind, (url, token) in REAL.items()
        if kind not in names()
    ]


@contextmanager
def running(name: str, place: Path) -> Iterator[Backend]:
    """Run the backend of this name, or connect to it."""
    if name == "devserver":
        with RunningServer(place) as server:
            yield Backend(name, "gitlab", server.url, Token(server.admin_token, "the test"), patience=10)
        return
    url, token = (os.environ[variable] for variable in REAL[name])
    yield Backend(name, name, url.rstrip("/"), Token(token, "the test"), patience=120)
