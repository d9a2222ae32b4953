"""One server for all tests here, a group of its own for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from git_exchange.devserver import RunningServer
from tests.devserver.world import World


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with RunningServer(tmp_path_factory.mktemp("devserver")) as running:
        yield running


@pytest.fixture
def world(server: RunningServer, tmp_path: Path) -> World:
    return World(server, tmp_path)
