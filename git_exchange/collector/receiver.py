"""Takes hooks' requests off the event loop: to the inbox on a few threads, and what can wait on another one."""

from __future__ import annotations

import asyncio
import logging
import os
import stat
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from git_exchange.collector.door import Answer, Door
from git_exchange.collector.inbox import Counts, Inbox
from git_exchange.collector.metrics import Metrics
from git_exchange.errors import ConfigurationError, InboxUnavailable

# Requests that wait for the inbox; more are told to stay away, and the sweep finds what they were about.
PENDING = 500
# Workers to be woken; a queue that hangs must not make this grow, and the sweep wakes them, too.
LATER = 1_000
THREADS = 4
CHECK_SECONDS = 1.0

log = logging.getLogger(__name__)
_Result = TypeVar("_Result")


class Receiver:
    """Everything that requests share. ``max_body`` in bytes; without a ``metrics_token`` only loopback may read."""

    def __init__(self, door: Door, inbox: Inbox, metrics: Metrics, *, max_body: int, metrics_token: str = "") -> None:
        self.door = door
        self.inbox = inbox
        self.max_body = max_body
        self.metrics_token = metrics_token
        self.metrics = metrics
        self.held = 0  # bytes of all bodies that are being read
        self.pending = 0
        metrics.pending.set_function(lambda: self.pending)
        self._checked: tuple[float, bool] = (float("-inf"), False)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="inbox")
        self._afterwards = ThreadPoolExecutor(1, thread_name_prefix="afterwards")
        self._room_for_later = threading.BoundedSemaphore(LATER)

    async def take(self, course: str, project_id: int, headers: Iterable[tuple[str, str]], body: bytes) -> Answer:
        """Return what to answer. Call ``later`` once it is sent."""
        if self.pending >= PENDING:
            return busy()
        self.pending += 1
        try:
            return await self._run(lambda: self.door.take(course, project_id, headers, body))
        finally:
            self.pending -= 1

    def later(self, course: str, project_id: int, answer: Answer) -> None:
        """Do what the forge did not wait for, when there is time."""
        if not self._room_for_later.acquire(blocking=False):
            self.metrics.not_woken.inc()
            return

        def work() -> None:
            try:
                self.door.afterwards(course, project_id, answer)
            finally:
                self._room_for_later.release()

        self._afterwards.submit(work).add_done_callback(_tell_of_a_fault)

    async def is_healthy(self) -> bool:
        """Return whether the inbox answers, as of a second ago at most."""
        at, healthy = self._checked
        if time.monotonic() - at > CHECK_SECONDS:
            try:
                await self._run(self.door.check)
                healthy = True
            except InboxUnavailable as error:
                log.error("%s", error)
                healthy = False
            self._checked = time.monotonic(), healthy
        return healthy

    async def metrics_text(self) -> bytes:
        """Return the metrics with what the inbox holds now."""
        counts: Counts | None = None
        try:
            counts = await self._run(self.inbox.counts)
        except InboxUnavailable as error:
            log.error("%s", error)
        return self.metrics.text(counts)

    def close(self) -> None:
        """Wait for what is under way. Who was not woken is found by the sweep."""
        self._threads.shutdown()
        self._afterwards.shutdown(cancel_futures=True)

    async def _run(self, function: Callable[[], _Result]) -> _Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function)


def _tell_of_a_fault(done: Future[None]) -> None:
    """Log what nobody waits for; everything that can be expected was dealt with before."""
    if not done.cancelled() and (error := done.exception()) is not None:
        log.error("A fault after the answer to a hook", exc_info=error)


def busy() -> Answer:
    """Return the answer for which there is no room."""
    return Answer(503, "busy", "Too many hooks at once. The sweep will find what was pushed.")


def read_metrics_token(path: Path) -> str:
    """Return the token in the file, which only its owner may read. Raise ConfigurationError."""
    try:
        mode, token = path.stat().st_mode, path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"The file of the metrics' token {path} cannot be read: {error}.") from error
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        raise ConfigurationError(f"Other users can read the metrics' token in {path}.", hint=f"Run: chmod 600 {path}")
    if not token:
        raise ConfigurationError(f"The file of the metrics' token {path} is empty.")
    return token
