"""The servers that the contract suite runs against. Another kind of forge is one more function and one more name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from git_exchange.devserver import RunningServer
from git_exchange.forge.ports import Group
from git_exchange.secret import Token
from tests import realforge

# Kind of forge, and the variables that name a real server of that kind and an administrator's token for it.
REAL = {"gitlab": ("GIT_EXCHANGE_TEST_GITLAB_URL", "GIT_EXCHANGE_TEST_GITLAB_TOKEN")}


@dataclass(frozen=True)
class Backend:
    """A running forge and an administrator's token. ``patience`` is how many seconds its background jobs may take.

    What differs by the kind of forge: whether groups lie in each other, with members and rights that go down
    (``nested_groups``), and whether one request tells the heads of many projects (``bulk_heads``).
    """

    name: str
    kind: str
    url: str
    admin: Token
    patience: float
    nested_groups: bool = True
    bulk_heads: bool = True
    folder: Path | None = None

    def address(self, group: Group) -> str:
        """Return where the group's projects lie on the server: in a path, or below a joint name."""
        return f"{self.url}/{group.full_path if self.nested_groups else group.full_path.replace('/', '.')}"

    def sign_in_source(self) -> str:
        """Return the institution's sign-in as the forge calls it: a provider's name, or a source that is made here."""
        return realforge.sign_in_source(self.folder) if self.kind == "gitea" else "saml"

    def make_empty_project(self, group: Group, path: str) -> None:
        """Make a project without a commit, which no port of ours does."""
        if self.kind == "gitea":
            where = f"{self.url}/api/v1/orgs/{group.web_url.rpartition('/')[2]}/repos"
            body: dict[str, object] = {"name": path, "private": True, "auto_init": False}
        else:
            where = f"{self.url}/api/v4/projects"
            body = {"path": path, "name": path, "namespace_id": group.id, "initialize_with_readme": False}
        headers = {"Authorization": f"Bearer {self.admin.value}"}
        requests.post(where, json=body, headers=headers, timeout=60).raise_for_status()


def names() -> list[str]:
    """Return the backends that can be run here: always the development server, and what the environment names."""
    real = [kind for kind, variables in REAL.items() if all(map(os.environ.get, variables))]
    return ["devserver", *real, *(["gitea"] if realforge.available() else [])]


def missing() -> list[str]:
    """Return a sentence for every kind of real server that is not set."""
    unset = [
        f"contract suite: no real {kind} server ({url} and {token} are not set)"
        for kind, (url, token) in REAL.items()
        if kind not in names()
    ]
    return unset if "gitea" in names() else [*unset, f"contract suite: {realforge.MISSING}"]


@contextmanager
def running(name: str, place: Path) -> Iterator[Backend]:
    """Run the backend of this name, or connect to it."""
    if name == "devserver":
        with RunningServer(place) as server:
            yield Backend(name, "gitlab", server.url, Token(server.admin_token, "the test"), patience=10)
        return
    if name == "gitea":
        with realforge.running(place) as forge:
            token = Token(forge.token, "the test")
            yield Backend(
                name, name, forge.url, token, patience=30, nested_groups=False, bulk_heads=False, folder=forge.folder
            )
        return
    url, value = (os.environ[variable] for variable in REAL[name])
    yield Backend(name, name, url.rstrip("/"), Token(value, "the test"), patience=120)
