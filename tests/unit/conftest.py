from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from git_exchange.devserver import RunningServer
from git_exchange.secret import Token
from tests.unit.school import School


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with RunningServer(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def school(server: RunningServer, tmp_path: Path) -> Iterator[School]:
    opened = School(server.url, Token(server.admin_token), tmp_path)
    yield opened
    opened.control("faults", "DELETE")
    opened.control("events", lag=0, release=True)
    opened.control("clock", offset=0)
