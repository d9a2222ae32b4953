"""Receivers for tests: one in a thread, one as the program that operators start."""

from __future__ import annotations

import asyncio
import base64
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import requests
from tornado.netutil import bind_sockets

from git_exchange.collector.door import Door, Keys
from git_exchange.collector.inbox import Inbox
from git_exchange.collector.metrics import Metrics
from git_exchange.collector.receiver import Receiver
from git_exchange.collector.serving import server
from git_exchange.collector.values import Arrival
from tests.collector import deliveries

ROOT = Path(__file__).parent.parent.parent


def write_keys(path: Path, *keys: bytes) -> Path:
    """Put a file of hook keys where it is, as `git-exchange collector keys` does."""
    new = path.with_suffix(".new")
    new.write_bytes(b"".join(base64.b64encode(key) + b"\n" for key in keys))
    new.chmod(0o600)
    return new.replace(path)


def until(condition: object, seconds: float = 20.0) -> None:
    """Wait for what a callable says."""
    assert callable(condition)
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "it did not happen"
        time.sleep(0.01)


def post(url: str, forge: str = "gitlab", project_id: int = 15, **how: object) -> requests.Response:
    """Send a push as the forge does; ``commit``, ``delivery`` and ``key`` may be chosen."""
    data = deliveries.body(forge, project_id, commit=str(how.get("commit", deliveries.COMMIT)))
    key = how.get("key", deliveries.KEY)
    assert isinstance(key, bytes)
    secret = deliveries.secret(project_id, key)
    delivery = str(how.get("delivery", ""))
    if forge == "gitlab":
        now = datetime.now(timezone.utc)
        headers = deliveries.gitlab(data, secret, signed=bool(how.get("signed")), delivery=delivery, at=now)
    else:
        headers = deliveries.gitea(data, secret, delivery=delivery)
    return requests.post(f"{url}/hooks/calculus/{project_id}", data=data, headers=dict(headers), timeout=30)


@dataclass(frozen=True)
class Threaded:
    """A receiver on a thread of this process."""

    url: str
    port: int
    receiver: Receiver
    inbox: Inbox
    woken: list[Arrival]
    keys_file: Path


@contextmanager
def threaded(
    inbox: Inbox, folder: Path, *, metrics_token: str = "", wake: Callable[[Arrival], None] | None = None
) -> Iterator[Threaded]:
    """Run a receiver with a limit of 100,000 bytes, also below /collector; ``woken`` has whom it told, or ``wake``."""
    keys_file = write_keys(folder / "hook-keys", deliveries.KEY)
    woken: list[Arrival] = []
    door = Door(["calculus"], Keys(keys_file), inbox, wake or woken.append)
    receiver = Receiver(door, inbox, Metrics(), max_body=100_000, metrics_token=metrics_token)
    sockets = bind_sockets(0, "127.0.0.1")
    port: int = sockets[0].getsockname()[1]
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def run() -> None:
        listening = server(receiver, ["/collector"])
        listening.add_sockets(sockets)
        await stop.wait()
        listening.stop()
        await listening.close_all_connections()

    def work() -> None:
        loop.run_until_complete(run())
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield Threaded(f"http://127.0.0.1:{port}", port, receiver, inbox, woken, keys_file)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(20)
        receiver.close()


@dataclass
class Program:
    """`git-exchange collector serve` in a folder that has its configuration."""

    folder: Path
    environment: Mapping[str, str]
    url: str = ""
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def start(self) -> None:
        # Without the other commands, whose imports take seconds.
        command = [sys.executable, "-c", "from git_exchange.cli.collector.serve import serve; serve()"]
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [*command, "--config", str(self.folder / "collector.toml")],
                env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **self.environment},
                stdout=log,
                stderr=log,
            )
        running = self.process
        until(lambda: "The receiver is on " in self.log or running.poll() is not None, 60)
        assert running.poll() is None, self.log
        self.url = self.log.partition("The receiver is on ")[2].split()[0]

    def memory(self) -> int:
        """Return the most bytes that it has ever held."""
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(30)


def configure(folder: Path, database: str) -> None:
    """Write a configuration for a receiver on a free port, and its keys."""
    write_keys(folder / "hook-keys", deliveries.KEY)
    (folder / "collector.toml").write_text(
        f"""
        url = "https://git.example.edu"
        namespace = "teaching"
        courses = ["calculus"]
        [hooks]
        public_url = "https://collect.example.edu/collector/"
        keys_file = "hook-keys"
        [receiver]
        port = 0
        [storage]
        database = "{database}"
        queue = "sqlite:///{folder}/queue.db"
        """
    )


@contextmanager
def program(folder: Path, database: str, environment: Mapping[str, str] | None = None) -> Iterator[Program]:
    """Run the receiver as operators do, on a free port, until the end."""
    configure(folder, database)
    found = Program(folder, environment or {})
    found.start()
    try:
        yield found
    finally:
        if found.process is not None and found.process.poll() is None:
            found.stop()
