"""A server that refuses, breaks, stalls or is something else: the same errors from every adapter."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from git_exchange.errors import ForgeUnreachable, GitExchangeError, Throttled, TokenRefused, UnexpectedAnswer
from git_exchange.forge.connect import connect
from git_exchange.forge.ports import Forge
from git_exchange.secret import Token
from git_exchange.settings import Limits, Settings
from tests.contract.backends import REAL

SECRET = "secret-of-the-test"


@contextmanager
def answering(status: int, body: bytes, headers: dict[str, str]) -> Iterator[tuple[str, list[str]]]:
    """Run a server that gives one answer to everything; yield its URL and the paths that were asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


def forge_at(kind: str, url: str) -> Forge:
    return connect(Settings(url, "teaching", kind, limits=Limits(http_timeout=0.5)), Token(SECRET))


@pytest.mark.parametrize("kind", sorted(REAL))
@pytest.mark.parametrize(
    ("status", "body", "headers", "expected"),
    [
        (429, b"Retry later\n", {"Content-Type": "text/plain", "Retry-After": "3600"}, Throttled),
        (429, b'{"message": "too many"}', {"Content-Type": "application/json", "Retry-After": "3600"}, Throttled),
        (401, b'{"message": "401 Unauthorized"}', {"Content-Type": "application/json"}, TokenRefused),
        (500, b'{"message": "500 Internal Server Error"}', {"Content-Type": "application/json"}, ForgeUnreachable),
        (502, b"<html>Bad gateway</html>", {"Content-Type": "text/html"}, ForgeUnreachable),
        (200, b"<html>Sign in</html>", {"Content-Type": "text/html"}, UnexpectedAnswer),
        (200, b"{", {"Content-Type": "application/json"}, UnexpectedAnswer),
        (302, b"", {"Location": "http://127.0.0.1:9/elsewhere"}, UnexpectedAnswer),
    ],
)
def test_every_bad_answer_has_its_error(
    kind: str, status: int, body: bytes, headers: dict[str, str], expected: type[GitExchangeError]
) -> None:
    with answering(status, body, headers) as (url, asked):
        with pytest.raises(expected) as caught:
            forge_at(kind, url).account()
        assert len(asked) <= 3
    assert SECRET not in str(caught.value)
    if isinstance(caught.value, Throttled):
        assert caught.value.retry_after == 3600


@pytest.mark.parametrize("kind", sorted(REAL))
def test_a_server_that_stalls_is_given_up_in_time(kind: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        forge = forge_at(kind, f"http://127.0.0.1:{listener.getsockname()[1]}")
        with pytest.raises(ForgeUnreachable):
            forge.account()


@pytest.mark.parametrize("kind", sorted(REAL))
def test_a_port_on_which_nobody_listens_is_unreachable(kind: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with pytest.raises(ForgeUnreachable):
        forge_at(kind, url).account()
