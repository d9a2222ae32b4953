"""The queue: it wakes workers with the keys of deliveries, and nothing else. What it loses, the inbox still has.

Huey, on SQLite or Redis. Messages are JSON, so that who can write to the queue cannot make a worker run code.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from git_exchange.collector.config import CollectorConfig
from git_exchange.collector.values import Arrival
from git_exchange.errors import ConfigurationError

_log = logging.getLogger(__name__)

# With so many unread messages workers have enough to wake up for.
_ENOUGH = 1000
_NAME = "git-exchange"
_SCHEMES = ("sqlite", "redis", "rediss", "unix")


def open_queue(url: str) -> Any:
    """Return the Huey of a URL: "sqlite:///file", "redis://host:port/number" or "unix:///socket".

    Raise ConfigurationError.
    """
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES:
        raise ConfigurationError(
            "The queue of the collector's [storage] is no queue's address.",
            hint="For example sqlite:////var/lib/git-exchange/queue.db or redis://127.0.0.1:6379/0.",
        )
    try:
        import huey
    except ModuleNotFoundError as error:
        raise _missing("huey") from error
    options = {"name": _NAME, "results": False, "utc": True, "serializer": _json_serializer()}
    if parts.scheme == "sqlite":
        return huey.SqliteHuey(filename=_file(parts.path), fsync=False, **options)
    try:
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry
    except ModuleNotFoundError as error:
        raise _missing("redis") from error
    # A server that does not answer must not hold up who asks.
    limits = {"socket_connect_timeout": 2, "socket_timeout": 10, "retry": Retry(NoBackoff(), 0)}
    pool = redis.ConnectionPool.from_url(url, **limits)
    return huey.RedisHuey(connection_pool=pool, read_timeout=1, **options)


def wake(config: CollectorConfig, failed: Callable[[], None] = lambda: None) -> Callable[[Arrival], None]:
    """Return what tells workers of a delivery. Where it cannot, it logs why and calls ``failed``, and never raises.

    What nobody was told of is found by the workers' own looks into the inbox. Raise ConfigurationError.
    """
    queue = open_queue(config.storage.queue)
    message = task(queue, lambda delivery: None)

    def tell(arrival: Arrival) -> None:
        try:
            if queue.pending_count() < _ENOUGH:
                message(arrival.delivery)
        except Exception as error:  # noqa: BLE001 - whatever the queue's library raises, the delivery is safe already
            _log.warning("The queue cannot be reached (%s); workers find the delivery later.", type(error).__name__)
            failed()

    return tell


def task(queue: Any, look: Callable[[str], object]) -> Any:
    """Return the one kind of message that there is: calling it sends one, and a worker that gets it calls ``look``."""

    def wake_up(delivery: str) -> None:
        look(delivery)

    return queue.task(name="wake_up")(wake_up)


def _json_serializer() -> Any:
    from huey.registry import Message
    from huey.serializer import Serializer

    class Json(Serializer):  # type: ignore[misc]  # which has no types
        """Messages as JSON lists of their fields."""

        def _serialize(self, data: Any) -> bytes:
            return json.dumps(data).encode()

        def _deserialize(self, data: bytes) -> Any:
            return Message(*json.loads(data))

    return Json()


def _file(path: str) -> str:
    """Return the file of an SQLAlchemy-like path: one slash more than the path itself."""
    file = Path(path[1:])
    if not path or not file.parent.is_dir():
        raise ConfigurationError(f"The queue {file} cannot be opened: there is no such folder.")
    file.touch(0o600)
    return str(file)


def _missing(name: str) -> ConfigurationError:
    return ConfigurationError(
        f"The collector's queue needs {name}, which is not installed.", hint="pip install 'git-exchange[collector]'"
    )
