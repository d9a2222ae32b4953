"""Workers killed at each step, the queue and the database gone and back: nothing is lost, nothing is recorded twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from git_exchange.cli.collector import collector
from git_exchange.collector.inbox import Inbox
from git_exchange.collector.jobs import Jobs
from git_exchange.collector.queue import wake
from git_exchange.collector.worker import Worker
from git_exchange.devserver import RunningServer
from git_exchange.operations import pinning
from git_exchange.secret import Token
from tests.collector.desk import Desk, configuration, write_configuration
from tests.collector.servers import PostgreSQL, Redis
from tests.unit.school import COURSE, School

SECONDS = 40


@dataclass
class Pair:
    """An inbox and a queue; the servers of the larger pair can be killed."""

    database: str
    queue: str
    postgresql: PostgreSQL | None = None
    redis: Redis | None = None


@pytest.fixture(params=["sqlite", "postgresql and redis"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Pair:
    if request.param == "sqlite":
        return Pair(f"sqlite:///{tmp_path}/inbox.db", f"sqlite:///{tmp_path}/queue.db")
    postgresql: PostgreSQL = request.getfixturevalue("postgresql")
    redis: Redis = request.getfixturevalue("redis")
    return Pair(postgresql.new_database(f"inbox{uuid.uuid4().hex}"), redis.url, postgresql, redis)


@pytest.fixture(scope="module")
def school(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> School:
    opened = School(server.url, Token(server.admin_token), tmp_path_factory.mktemp("school"))
    opened.open("ann", "ben")
    opened.release()
    return opened


@pytest.fixture
def desk(school: School, pair: Pair, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("GIT_EXCHANGE_TOKEN", school.token("teacher").value)
    opened = Desk(school, configuration(school, pair.database, pair.queue))
    yield opened
    opened.inbox.close()


def killed(owner: object, name: str, *, after: bool) -> Callable[[pytest.MonkeyPatch], None]:
    """Return what makes this process die before or after a step."""

    def patch(monkeypatch: pytest.MonkeyPatch) -> None:
        real = getattr(owner, name)

        def deadly(*arguments: object, **named: object) -> object:
            if after:
                real(*arguments, **named)
            os.kill(os.getpid(), signal.SIGKILL)
            return None

        monkeypatch.setattr(owner, name, deadly)

    return patch


STEPS = {
    "before the push": killed(pinning, "append_receipts", after=False),
    "after the push": killed(pinning, "append_receipts", after=True),
    "before the student is told": killed(Worker, "_show_received", after=False),
    "before it is noted that the student was told": killed(Jobs, "tell", after=False),
    "before the end": killed(Jobs, "finish", after=False),
}


def in_child(desk: Desk, patch: Callable[[pytest.MonkeyPatch], None]) -> int:
    """Work off the inbox in a forked child, and return the signal that ended it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads: those here only pass bytes on
        child = os.fork()
    if child == 0:
        try:
            patch(pytest.MonkeyPatch())  # never undone: the child ends
            inbox = Inbox.open(desk.config.storage.database, clock=desk.inbox.clock)
            Worker(desk.config, inbox, desk.courses).work_off()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def test_a_worker_killed_at_any_step_loses_nothing_and_nothing_is_recorded_twice(desk: Desk, pair: Pair) -> None:
    steps = list(STEPS) if pair.postgresql is None else ["after the push", "before the end"]
    before, commits = desk.pins("ann"), []
    for step in steps:
        commits.append(desk.submit("ann", f"{step}, {pair.database}"))
        assert in_child(desk, STEPS[step]) == signal.SIGKILL, step
        assert desk.worker().work_off() == 0, step  # the lease of the dead one holds
        desk.ahead += 61
        assert desk.worker().work_off() == 1, step
    assert desk.pins("ann") == [*before, *commits]
    assert [len(desk.statuses("ann", commit)) for commit in commits] == [1] * len(commits)
    assert set(desk.outcomes().values()) == {"done: recorded"}
    assert desk.inbox.counts(COURSE).recorded == len(commits)
    swept = desk.sweeper.sweep()
    assert swept is not None
    assert swept.found == 0


def test_deliveries_twice_and_in_any_order_record_each_attempt_once(desk: Desk) -> None:
    first = desk.school.submit("ann", f"one {desk.config.storage.database}").commit
    second = desk.school.submit("ann", f"two {desk.config.storage.database}").commit
    before = desk.pins("ann")
    late = replace(desk.hook("ann", second), delivery="late")
    desk.worker().work_off()
    for commit in (first, second, first):
        desk.hook("ann", commit)
        desk.worker().work_off()
    assert desk.inbox.receive(late)
    assert not desk.inbox.receive(late)
    desk.worker().work_off()
    assert desk.pins("ann") == [*before, first, second]
    assert [len(desk.statuses("ann", commit)) for commit in (first, second)] == [1, 1]


def until(what: Callable[[], bool], running: subprocess.Popen[bytes], log: Path) -> None:
    limit = time.monotonic() + SECONDS
    while not what():
        assert running.poll() is None, log.read_text()
        assert time.monotonic() < limit, log.read_text()
        time.sleep(0.05)


def test_a_worker_goes_on_when_queue_and_database_were_gone_and_ends_in_good_order(
    desk: Desk, pair: Pair, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "git_exchange.cli.main", "collector"]
    file, log = write_configuration(desk, tmp_path), tmp_path / "log"
    with log.open("wb") as output:
        running = subprocess.Popen([*command, "work", "--config", str(file)], stdout=output, stderr=output)
    failures: list[bool] = []
    tell = wake(desk.config, lambda: failures.append(True))

    def submitted(text: str) -> str:
        """Hand in, tell the queue, and wait until the inbox says that it is done."""
        commit = desk.school.submit("ben", f"{text}, {tmp_path}").commit
        arrival = desk.hook("ben", commit)
        tell(arrival)
        until(lambda: desk.outcomes().get(arrival.delivery) == "done: recorded", running, log)
        return commit

    before = desk.pins("ben")
    try:
        commits = [submitted("by the queue")]
        assert failures == []
        if pair.redis is not None and pair.postgresql is not None:
            pair.redis.kill()
            pair.postgresql.kill()
            pair.postgresql.start()
        else:
            Path(pair.queue.removeprefix("sqlite:///")).write_bytes(b"no database any more" * 1000)
        commits.append(submitted("without the queue"))
        assert failures == [True]
        running.send_signal(signal.SIGTERM)
        assert running.wait(SECONDS) == 0, log.read_text()
        assert desk.pins("ben") == [*before, *commits]
        said = CliRunner().invoke(collector, ["status", "--config", str(file), "--json"])
        assert said.exit_code == 0, said.output
        assert json.loads(said.output)["courses"][0]["recorded"] == len(commits)
    finally:
        if running.poll() is None:
            running.kill()
            running.wait()
        if pair.redis is not None and failures:
            pair.redis.start()


def test_a_forge_that_was_killed_is_asked_again_when_it_is_back(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("git_exchange.forge.gitlab.session.wait_before", lambda *_: None)
    with RunningServer(tmp_path_factory.mktemp("mortal")) as mortal:
        mortal.port = int(mortal.url.rpartition(":")[2])
        school = School(mortal.url, Token(mortal.admin_token), tmp_path)
        school.open("ann")
        school.release()
        monkeypatch.setenv("GIT_EXCHANGE_TOKEN", school.token("teacher").value)
        desk = Desk(school, configuration(school, f"sqlite:///{tmp_path}/inbox.db"))
        commit = desk.submit("ann", "mine")
        mortal.kill()
        desk.worker().work_off()
        assert desk.sweeper.sweep() is not None
        assert desk.inbox.counts().waiting == 1
        assert desk.inbox.marks("sweep") == {}
        mortal.start()
        desk.ahead += 301
        desk.worker().work_off()
        assert desk.pins("ann") == [commit]
        desk.inbox.close()
