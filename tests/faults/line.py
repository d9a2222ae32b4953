"""A line to the forge on which the k-th request of an operation, or all from the k-th on, meet a fault."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from tests.pages.line import Line, Passed

SIGN_IN = "<!DOCTYPE html><html><head><title>Sign in</title></head><body><form>Password</form></body></html>"
REASON = "no such luck"
# How long a request that nobody answers is held at most: the clients' own limits are shorter.
_HELD_SECONDS = 30.0


@dataclass(frozen=True)
class Fault:
    """What becomes of a request.

    ``how`` is "refused" (nothing listens any more), "silent", "answer" (ours, in place of the forge's), "half" (half of
    the request reaches the forge, then the connection is reset), or what becomes of the forge's own answer: "lost",
    "cut" (reset in the middle), "short" (its body ends early, well-formed), "garbled" (bytes in its middle changed).
    ``only`` is "" or how the path of the requests that it strikes ends.
    """

    name: str
    how: str
    status: int = 0
    html: bool = False
    location: str = ""
    only: str = ""

    def __str__(self) -> str:
        return self.name


REFUSED = Fault("refused", "refused")
SILENT = Fault("silent", "silent")
LOST = Fault("answer lost", "lost")
CUT = Fault("reset in mid-answer", "cut")
HALF = Fault("reset in mid-request", "half")
SHORT = Fault("answer ends early", "short")
GARBLED = Fault("answer garbled", "garbled")
STATUSES = tuple(
    Fault(str(status), "answer", status, html=status in (413, 502, 503))
    for status in (401, 403, 404, 409, 413, 429, 500, 502, 503)
)
SIGN_IN_PAGE = Fault("sign-in page", "answer", 200, html=True)
PAGE_NOT_JSON = Fault("page with 403", "answer", 403, html=True)
SHORT_PACK = Fault("truncated pack", "short", only="/git-upload-pack")
GARBLED_PACK = Fault("garbled pack", "garbled", only="/git-upload-pack")


def redirect_to(url: str) -> Fault:
    """Return the fault of a forge that sends everybody elsewhere."""
    return Fault("redirect elsewhere", "answer", 302, location=url)


class FaultyLine(Line):
    """Pass everything on until a fault is set; ``struck`` are the requests that met it."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._port = int(self.url.rpartition(":")[2])
        self._fault: Fault | None = None
        self._at = self._seen = 0
        self._lasting = False
        self._over = threading.Event()
        self._count = threading.Lock()
        self.struck: list[Passed] = []

    @contextlib.contextmanager
    def faulty(self, fault: Fault, at: int = 1, *, lasting: bool = True) -> Iterator[None]:
        """Let the ``at``-th request from now on (counted from 1) meet the fault; if it lasts, all that follow too."""
        self._at, self._seen, self._lasting = at, 0, lasting
        self._over.clear()
        self.struck.clear()
        self._fault = fault
        try:
            yield
        finally:
            self._fault = None
            self._over.set()
            self._listen_again()

    def count(self) -> Recording:
        """Note the requests that pass inside a ``with``."""
        return Recording(self)

    def meets(self, passed: Passed, data: bytes, client: socket.socket) -> bool:
        """Strike the request if its turn has come."""
        fault = self._fault
        if fault is None or not passed.path.endswith(fault.only):
            return False
        with self._count:
            self._seen += 1
            if self._seen < self._at or (self._seen > self._at and not self._lasting):
                return False
            self.struck.append(passed)
        with contextlib.suppress(OSError):
            self._strike(fault, passed, data, client)
        return True

    def _strike(self, fault: Fault, passed: Passed, data: bytes, client: socket.socket) -> None:
        if fault.how == "refused":
            self._refuse()
            _reset(client)
        elif fault.how == "silent":
            self._over.wait(_HELD_SECONDS)
        elif fault.how == "answer":
            _whole(data, client)
            _say(client, _answer(fault, passed))
        elif fault.how == "half":
            self._send_half(_whole(data, client))
            _reset(client)
        else:
            self._spoil(fault.how, _whole(data, client), client)

    def _spoil(self, how: str, request: bytes, client: socket.socket) -> None:
        head, body = self._ask(request)
        if how == "lost":
            _reset(client)
        elif how == "cut":
            client.sendall(head + f"Content-Length: {len(body) + 1}\r\n\r\n".encode() + body[: len(body) // 2])
            _reset(client)
        else:
            middle = len(body) // 2
            spoilt = body[:middle] if how == "short" else body[:middle] + bytes(9) + body[middle + 9 :]
            _say(client, head + f"Content-Length: {len(spoilt)}\r\n\r\n".encode() + spoilt)

    def _ask(self, request: bytes) -> tuple[bytes, bytes]:
        """Pass a request on and return the forge's answer: its head without a length, and its body."""
        with socket.create_connection(self.target, timeout=_HELD_SECONDS) as server:
            server.sendall(request)
            answer = http.client.HTTPResponse(server)
            answer.begin()
            body = answer.read()
            kept = [f"HTTP/1.1 {answer.status} {answer.reason}", "Connection: close"]
            kept += [
                f"{name}: {value}"
                for name, value in answer.getheaders()
                if name.lower() not in ("content-length", "transfer-encoding", "connection")
            ]
            answer.close()
        return ("\r\n".join(kept) + "\r\n").encode("latin-1"), body

    def _send_half(self, request: bytes) -> None:
        start = request.find(b"\r\n\r\n") + 4
        with socket.create_connection(self.target, timeout=_HELD_SECONDS) as server:
            server.sendall(request[: (start + len(request)) // 2])
            _reset(server)

    def _refuse(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes who waits for connections
        self._listener.close()

    def _listen_again(self) -> None:
        if self._listener.fileno() == -1:
            self._listener = socket.create_server(("127.0.0.1", self._port))
            threading.Thread(target=self._accept, daemon=True).start()


class Recording:
    """The requests that pass meanwhile."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self.requests: list[Passed] = []

    def __enter__(self) -> Recording:
        self._before = len(self._line.passed)
        return self

    def __exit__(self, *_: object) -> None:
        self.requests = self._line.passed[self._before :]


def _whole(data: bytes, client: socket.socket) -> bytes:
    """Return the request with all of its body, one after the other as it came."""
    while b"\r\n\r\n" not in data:
        data += client.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            length = int(value)
    while len(body) < length and (more := client.recv(65536)):
        body += more
    return head + b"\r\n\r\n" + body


def _answer(fault: Fault, passed: Passed) -> bytes:
    if fault.html or passed.by_git:
        kind, text = ("text/html", SIGN_IN) if fault.html else ("text/plain", REASON)
    else:
        kind, text = "application/json", json.dumps({"message": REASON})
    extra = f"Location: {fault.location}{passed.path}\r\n" if fault.location else ""
    head = f"HTTP/1.1 {fault.status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(text)}\r\n{extra}"
    return f"{head}Connection: close\r\n\r\n{text}".encode()


def _say(client: socket.socket, answer: bytes) -> None:
    client.sendall(answer)
    client.shutdown(socket.SHUT_WR)
    client.settimeout(5)
    while client.recv(65536):  # until the client has read it and hangs up
        pass


def _reset(one: socket.socket) -> None:
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    one.close()
