"""A worker's process: woken by the queue, it looks into the inbox and sweeps, until it is told to stop."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from git_exchange.collector.config import CollectorConfig
from git_exchange.collector.courses import Courses
from git_exchange.collector.inbox import Inbox
from git_exchange.collector.queue import open_queue, task
from git_exchange.collector.sweep import Sweeper
from git_exchange.collector.worker import Afterwards, Worker
from git_exchange.errors import InboxUnavailable

_log = logging.getLogger(__name__)

# How long a delivery of which the queue told nothing waits at most, and how long the sweep waits for another machine's.
LOOK_SECONDS = 2.0
_SWEEP_AGAIN_SECONDS = 30.0


@dataclass(frozen=True)
class Once:
    """How many ``jobs`` were done, and the courses that could not be swept."""

    jobs: int
    unswept: tuple[str, ...]


def work_once(config: CollectorConfig, afterwards: Sequence[Afterwards] = ()) -> Once:
    """Sweep and do what is due. Raise InboxUnavailable, ConfigurationError."""
    inbox = Inbox.open(config.storage.database)
    try:
        courses = Courses(config.settings)
        swept = Sweeper(config, inbox, courses).sweep()
        done = Worker(config, inbox, courses, afterwards).work_off()
        return Once(done, swept.failed if swept is not None else ())
    finally:
        inbox.close()


def work(config: CollectorConfig, afterwards: Sequence[Afterwards] = ()) -> None:
    """Work until SIGTERM or SIGINT; what is under way then is finished. Call it in the main thread.

    Raise InboxUnavailable, ConfigurationError.
    """
    inbox = Inbox.open(config.storage.database)
    courses, stopping = Courses(config.settings), threading.Event()
    worker = Worker(config, inbox, courses, afterwards)
    consumer = _consumer(config, worker)
    consumer.start()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    threads = [
        threading.Thread(target=_look, args=(worker, stopping), name="look"),
        threading.Thread(target=_sweep, args=(Sweeper(config, inbox, courses), worker, stopping), name="sweep"),
    ]
    for thread in threads:
        thread.start()
    _log.info("Working with %d workers; courses: %s", config.work.workers, ", ".join(config.courses))
    while not stopping.wait(1.0):
        consumer.check_worker_health()
    _log.info("Stopping; what is under way is finished first.")
    worker.stop()
    consumer.stop(graceful=True)
    for thread in threads:
        thread.join()
    inbox.close()


def _consumer(config: CollectorConfig, worker: Worker) -> Any:
    from huey.consumer import Consumer

    _quieten("huey")
    queue = open_queue(config.storage.queue)
    task(queue, lambda _: worker.work_off())
    workers = max(1, config.work.workers)
    return Consumer(queue, workers=workers, periodic=False, max_delay=1.0, scheduler_interval=60)


def _quieten(name: str) -> None:
    """Say in a line what a library logs of errors, once a minute: without its queue the worker goes on."""
    logger = logging.getLogger(name)
    logger.setLevel(logging.ERROR)
    logger.propagate = False
    logger.handlers = [_OncePerMinute()]


class _OncePerMinute(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self._said = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        if time.monotonic() - self._said >= 60:
            self._said = time.monotonic()
            kind = record.exc_info[0] if record.exc_info else None
            _log.error("The queue: %s%s", record.getMessage(), f" ({kind.__name__})" if kind is not None else "")


def _look(worker: Worker, stopping: threading.Event) -> None:
    while not stopping.is_set():
        worker.work_off()
        stopping.wait(LOOK_SECONDS)


def _sweep(sweeper: Sweeper, worker: Worker, stopping: threading.Event) -> None:
    due = _now()
    while not stopping.is_set():
        if _now() >= due:
            began = _now()
            try:
                swept = sweeper.sweep()
            except InboxUnavailable as error:
                _log.error("%s", error)
                swept = None
            again = began + timedelta(seconds=_SWEEP_AGAIN_SECONDS)
            due = again if swept is None or swept.failed else sweeper.next_after(began)
            if swept is not None and swept.found:
                _log.info("The sweep found %d submissions of which no hook had told.", swept.found)
                worker.work_off()
        stopping.wait(min(1.0, max(0.0, (due - _now()).total_seconds())))


def _now() -> datetime:
    return datetime.now(timezone.utc)
