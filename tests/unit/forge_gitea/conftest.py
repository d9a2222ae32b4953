"""A forge without a server: the adapter, and an object that answers in its place."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import responses

from git_exchange.forge.gitea.session import Session
from git_exchange.secret import Token
from git_exchange.settings import Settings

URL = "https://forge.example"
API = f"{URL}/api/v1"
SECRET = "b5f9c3d1e7a24f6880ab"


@pytest.fixture
def server() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def waits() -> list[float]:
    """How long the session waited, without waiting."""
    return []


@pytest.fixture
def session(waits: list[float]) -> Session:
    settings = Settings(url=URL, namespace="teaching", kind="gitea")
    return Session(settings, Token(SECRET, "the test"), sleep=waits.append)
