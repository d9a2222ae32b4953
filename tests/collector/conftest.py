"""What the collector keeps, on both pairs: SQLite alone, and PostgreSQL with Redis."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from git_exchange.collector.inbox import Inbox
from git_exchange.devserver import RunningServer
from tests.collector import shut_in
from tests.collector.servers import NGINX, NOT_NGINX, NOT_POSTGRESQL, NOT_REDIS, PostgreSQL, Redis, postgresql_programs


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with RunningServer(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A PostgreSQL of the tests' own."""
    if postgresql_programs() is None:
        pytest.skip(NOT_POSTGRESQL)
    server = PostgreSQL()
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def redis() -> Iterator[Redis]:
    """A Redis of the tests' own."""
    if shutil.which("redis-server") is None:
        pytest.skip(NOT_REDIS)
    server = Redis()
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/inbox.db"
    server: PostgreSQL = request.getfixturevalue("postgresql")
    return server.new_database(f"inbox{uuid.uuid4().hex}")


@pytest.fixture
def inbox(database: str) -> Iterator[Inbox]:
    opened = Inbox.open(database)
    yield opened
    opened.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if postgresql_programs() is None:
        terminalreporter.write_line(NOT_POSTGRESQL)
    if shutil.which("redis-server") is None:
        terminalreporter.write_line(NOT_REDIS)
    if NGINX is None:
        terminalreporter.write_line(NOT_NGINX)
    if reason := shut_in.missing():
        terminalreporter.write_line(reason)
    elif not shut_in.python():
        terminalreporter.write_line("autograding as another user did not run: others cannot start this Python")
    if not shut_in.engine():
        terminalreporter.write_line("commands in containers did not run: neither podman nor docker answers")
