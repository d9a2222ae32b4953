"""The forges that the exchange runs on: a development server per worker, a real Gitea or Forgejo if there is one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from git_exchange.devserver import RunningServer
from git_exchange.secret import Token
from tests import realforge
from tests.exchange.classroom import Classroom
from tests.exchange.zygote import Zygote


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not realforge.available():
        terminalreporter.write_line(f"exchange, provisioning and demo suites: {realforge.MISSING}")


@dataclass(frozen=True)
class Server:
    """A running forge and a site administrator's token; ``folder`` is where one of ours lies."""

    kind: str
    url: str
    admin: Token
    folder: Path | None = None


@pytest.fixture(scope="session", params=["gitlab", *(["gitea"] if realforge.available() else [])])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    place = tmp_path_factory.mktemp(request.param)
    if request.param == "gitlab":
        with RunningServer(place) as development:
            yield Server("gitlab", development.url, Token(development.admin_token), place)
    else:
        with realforge.running(place, immediate=True) as forge:
            yield Server("gitea", forge.url, Token(forge.token), forge.folder)


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    with Zygote() as running:
        yield running


@pytest.fixture
def classroom(server: Server, zygote: Zygote, tmp_path: Path) -> Classroom:
    return Classroom(server.url, server.admin, tmp_path, zygote, kind=server.kind)
