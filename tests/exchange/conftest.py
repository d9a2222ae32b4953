"""One development server per worker, a namespace per test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from git_exchange.devserver import RunningServer
from git_exchange.secret import Token
from tests.exchange.classroom import Classroom
from tests.exchange.zygote import Zygote


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with RunningServer(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    with Zygote() as running:
        yield running


@pytest.fixture
def classroom(server: RunningServer, zygote: Zygote, tmp_path: Path) -> Classroom:
    return Classroom(server.url, Token(server.admin_token), tmp_path, zygote)
