from __future__ import annotations

import json
import pickle
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from git_exchange.collector import queue
from git_exchange.collector.config import CollectorConfig, Hooks, Receiver, Storage, Sweep, Work
from git_exchange.collector.queue import open_queue, task, wake
from git_exchange.collector.values import Arrival
from git_exchange.errors import ConfigurationError
from git_exchange.settings import Settings
from tests.collector.servers import Redis

ARRIVAL = Arrival("hook:15:a", "calculus", 15, "refs/heads/submit/ps1", "a" * 40, datetime.now(timezone.utc))


@pytest.fixture(params=["sqlite", "redis"])
def url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(queue, "_NAME", f"test-{uuid.uuid4().hex}")  # the Redis is that of all tests
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/queue.db"
    server: Redis = request.getfixturevalue("redis")
    return server.url


def configured(url: str) -> CollectorConfig:
    settings = Settings(url="https://forge.example", namespace="teaching")
    hooks, storage = Hooks("https://collector.example", Path("keys")), Storage("sqlite://", url)
    return CollectorConfig(settings, ("calculus",), hooks, Receiver(), storage, Work(), Sweep(), ())


def waiting(url: str) -> list[bytes]:
    return [bytes(message) for message in open_queue(url).storage.enqueued_items()]


def test_a_worker_gets_the_key_and_nothing_else(url: str) -> None:
    wake(configured(url))(ARRIVAL)
    (message,) = waiting(url)
    assert b"hook:15:a" in message
    assert b"calculus" not in message
    json.loads(message)
    looked: list[str] = []
    worker = open_queue(url)
    task(worker, looked.append)
    worker.execute(worker.dequeue())
    assert looked == ["hook:15:a"]
    assert waiting(url) == []


def test_a_message_that_is_a_program_is_not_run(url: str, tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
            return Path.touch, (tmp_path / "was-run",)

    worker = open_queue(url)
    task(worker, lambda _: None)
    worker.storage.enqueue(pickle.dumps(Evil()))
    with pytest.raises(ValueError, match=r"decode|Expecting"):
        worker.dequeue()
    assert not (tmp_path / "was-run").exists()


def test_a_queue_that_nobody_reads_does_not_grow_without_end(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "_ENOUGH", 3)
    tell = wake(configured(url))
    for number in range(6):
        tell(replace(ARRIVAL, delivery=f"hook:15:{number}"))
    assert len(waiting(url)) == 3


def test_a_queue_that_is_gone_is_counted_and_raises_nothing(tmp_path: Path) -> None:
    failures: list[bool] = []
    wake(configured(f"unix://{tmp_path}/no-such-socket"), lambda: failures.append(True))(ARRIVAL)
    assert failures == [True]


@pytest.mark.parametrize("url", ["queue.db", "http://x", "sqlite:////no/such/folder/queue.db"])
def test_what_is_no_queue_is_a_mistake_in_the_configuration(url: str) -> None:
    with pytest.raises(ConfigurationError):
        open_queue(url)
