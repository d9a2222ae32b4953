"""The receiver's pages: hooks, health, metrics.

Hooks' bodies are read as they come, kept up to ``max_body`` and thrown away beyond.
"""

from __future__ import annotations

import hmac
import re
import time
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Any

from tornado.http1connection import HTTP1Connection
from tornado.web import Application, HTTPError, RequestHandler, stream_request_body

from git_exchange.collector.door import Answer
from git_exchange.collector.metrics import CONTENT_TYPE
from git_exchange.collector.receiver import Receiver, busy

# A body that is too large is read to its end up to here, as only then its sender sees our answer.
DRAINED = 32_000_000
# Of all bodies together, in bytes, however many connections there are.
HELD = 64_000_000
_FORWARDED = ("forwarded", "via", "x-real-ip", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto")


def application(receiver: Receiver, prefixes: Iterable[str]) -> Application:
    """Return the pages. Hooks and health are below each prefix ("", "/collector"), metrics only below none."""
    shared = {"receiver": receiver}
    hook = r"/hooks/(?P<course>[a-z0-9._-]{1,100})/(?P<project>[1-9][0-9]{0,17})"
    pages: list[tuple[str, type[RequestHandler], dict[str, Any]]] = [("/metrics", _MetricsPage, shared)]
    for prefix in sorted(set(prefixes) | {""}):
        start = re.escape(prefix.rstrip("/"))
        pages += [(start + hook, _Hook, shared), (f"{start}/healthz", _Health, shared)]
    return Application(
        pages,
        default_handler_class=_Other,
        default_handler_args=shared,
        log_function=lambda _: None,  # the door logs what it answered
    )


class _Handler(RequestHandler):
    def initialize(self, receiver: Receiver) -> None:
        self.receiver = receiver
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.clear_header("Server")

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{self._reason}\n")


@stream_request_body
class _Hook(_Handler):
    def prepare(self) -> None:
        self._size = self._kept = 0
        self._chunks: list[bytes] = []
        self._overloaded = False
        self._keep = self.request.method == "POST" and self.receiver.door.knows(self.path_kwargs["course"])
        connection = self.request.connection
        if isinstance(connection, HTTP1Connection):
            connection.set_max_body_size(2**62)  # counted below
        declared = self.request.headers.get("Content-Length", "0")
        if declared.isdecimal() and int(declared[:19]) > DRAINED:
            self._answer(_too_large(), 0.0)

    def data_received(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._size > DRAINED:
            self._answer(_too_large(), 0.0)
        elif self._size > self.receiver.max_body:
            self._let_go()
        elif self.receiver.held + len(chunk) > HELD:
            self._overloaded = True
            self._let_go()
        elif self._keep:
            self._chunks.append(chunk)
            self._kept += len(chunk)
            self.receiver.held += len(chunk)

    async def post(self, course: str, project: str) -> None:
        begun = time.monotonic()
        if self._size > self.receiver.max_body:
            answer = _too_large()
        elif self._overloaded:
            answer = busy()
        else:
            headers = list(self.request.headers.get_all())
            answer = await self.receiver.take(course, int(project), headers, b"".join(self._chunks))
        self._answer(answer, time.monotonic() - begun)
        self.receiver.later(course, int(project), answer)

    def on_finish(self) -> None:
        self._let_go()  # also after a fault of ours

    def on_connection_close(self) -> None:
        self._let_go()
        super().on_connection_close()

    def _answer(self, answer: Answer, seconds: float) -> None:
        self._let_go()
        self.receiver.metrics.answered(answer.status, answer.outcome, seconds)
        self.set_status(answer.status)
        self.finish(f"{answer.text}\n")

    def _let_go(self) -> None:
        self.receiver.held -= self._kept
        self._kept = 0
        self._keep = False
        self._chunks.clear()


class _Health(_Handler):
    async def get(self) -> None:
        if await self.receiver.is_healthy():
            self.finish("ok\n")
        else:
            self.set_status(503)
            self.finish("The inbox does not answer.\n")


class _MetricsPage(_Handler):
    async def get(self) -> None:
        if not self._may_read():
            raise HTTPError(403)
        self.set_header("Content-Type", CONTENT_TYPE)
        self.finish(await self.receiver.metrics_text())

    def _may_read(self) -> bool:
        """Whoever has the token, and this machine; but what came through a proxy came from somewhere else."""
        given = self.request.headers.get("Authorization", "")
        right = f"Bearer {self.receiver.metrics_token}"
        if self.receiver.metrics_token and hmac.compare_digest(given.encode(), right.encode()):
            return True
        forwarded = any(name in self.request.headers for name in _FORWARDED)
        return not forwarded and ip_address(self.request.remote_ip or "0.0.0.0").is_loopback  # noqa: S104


class _Other(_Handler):
    def prepare(self) -> None:
        raise HTTPError(404)


def _too_large() -> Answer:
    return Answer(413, "too-large", "The body is too large.")
