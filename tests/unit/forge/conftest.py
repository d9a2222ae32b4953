"""A GitLab that says what the test wants, at a base URL with a path prefix."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import responses

from git_exchange.forge.gitlab.adapter import GitLab
from git_exchange.forge.gitlab.session import Session
from git_exchange.secret import Token
from git_exchange.settings import Settings

URL = "https://forge.test/gitlab"
SECRET = "glpat-secret-of-the-test"
DATE = "Fri, 20 Nov 2026 10:00:00 GMT"


@dataclass
class Scripted:
    """Answers to come, requests that came, and how long the session waited (it does not really wait)."""

    mock: responses.RequestsMock
    waits: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.settings = Settings(url=URL, namespace="teaching", kind="gitlab")
        self.token = Token(SECRET, "the test")
        self.session = Session(self.settings, self.token, sleep=self.waits.append)
        self.forge = GitLab(self.settings, self.token)
        self.forge._session = self.session

    def answers(self, method: str, path: str, *, headers: dict[str, str] | None = None, **answer: Any) -> None:
        url = path if "://" in path else f"{URL}/api/v4{path}"
        self.mock.add(method, url, headers={"Date": DATE, **(headers or {})}, **answer)

    def graphql(self, document: object, *, date: str = DATE) -> None:
        self.answers("POST", f"{URL}/api/graphql", json=document, headers={"Date": date})

    @property
    def asked(self) -> list[str]:
        """Method and path of every request, without the API's prefix."""
        return [
            f"{call.request.method} {(call.request.url or '').removeprefix(URL).removeprefix('/api/v4').split('?')[0]}"
            for call in self.mock.calls
        ]


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield Scripted(mock)
