"""A course behind a line with faults, on each forge that can be had; every test is to be over in bounded time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from git_exchange.devserver import RunningServer
from git_exchange.forge import http
from git_exchange.secret import Token
from tests import realforge
from tests.faults.line import FaultyLine
from tests.faults.wrapped_git import WrappedGit
from tests.unit.school import School

# It is killed, so that only a server of ours will do.
collect_ignore = [] if realforge.binary() is not None else ["test_real_server.py"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if realforge.binary() is None:
        terminalreporter.write_line("faults: no program forgejo or gitea to start: none met a real server.")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with RunningServer(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="module")
def line(server: RunningServer) -> Iterator[FaultyLine]:
    with FaultyLine(server.url) as running:
        yield running


@pytest.fixture(scope="module")
def school(line: FaultyLine, server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> School:
    """A school that a module's cases share: its forge is reached by the line only."""
    return School(line.url, Token(server.admin_token), tmp_path_factory.mktemp("school"))


@pytest.fixture
def git(tmp_path: Path) -> WrappedGit:
    return WrappedGit(tmp_path / "bin")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Repeat requests as often as ever, but at once."""
    waits = http.wait_before

    def at_once(*arguments: object) -> float | None:
        return None if waits(*arguments) is None else 0.0  # type: ignore[arg-type]  # passed on as they come

    for kind in ("gitlab", "gitea"):
        monkeypatch.setattr(f"git_exchange.forge.{kind}.session.wait_before", at_once)
