"""The line to the forge: notes every HTTP request that passes, and can be cut or go silent as real lines do."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from dataclasses import dataclass
from types import TracebackType
from urllib.parse import parse_qs, urlsplit

_REQUEST = re.compile(rb"(GET|HEAD|POST|PUT|PATCH|DELETE) (\S+) HTTP/1\.1\r\n")
_GIT = re.compile(r"/(info/refs|git-upload-pack|git-receive-pack)$")


@dataclass(frozen=True)
class Passed:
    """One request: its method, path and the page of a list that it asked for."""

    method: str
    path: str
    page: int

    @property
    def by_git(self) -> bool:
        return _GIT.search(self.path) is not None

    @property
    def transfers(self) -> bool:
        """Whether git begins to fetch or push with it: what follows belongs to the same transfer."""
        return self.path.endswith("/info/refs")


class Line:
    """Listen on loopback and pass everything on to the forge at ``url``."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.target = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._state = "up"
        self._open: set[socket.socket] = set()
        self._held: list[socket.socket] = []
        self._lock = threading.Lock()
        self.passed: list[Passed] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Line:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cut()
        self._listener.close()

    def cut(self) -> None:
        """Close what is open and whatever is opened from now on."""
        self._change("cut")

    def silence(self) -> None:
        """Take connections from now on and never answer."""
        self._change("silent")

    def restore(self) -> None:
        """Pass everything on again."""
        self._change("up")

    def _change(self, state: str) -> None:
        with self._lock:
            self._state = state
            for one in self._open:
                _hang_up(one)
            held, self._held = self._held, []
        for one in held:
            _hang_up(one)
            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with self._lock:
            state = self._state
            if state == "silent":
                self._held.append(client)
            if state == "up":
                self._open.add(client)
        if state != "up":
            if state == "cut":
                client.close()
            return
        # Only this thread closes: a number that is free too early is the next connection's.
        with contextlib.suppress(OSError), client, socket.create_connection(self.target) as server:
            with self._lock:
                self._open.add(server)
            back = threading.Thread(target=self._back, args=(server, client), daemon=True)
            back.start()
            with contextlib.suppress(OSError):
                while data := client.recv(65536):
                    passed = self._note(data)
                    if passed is not None and self.meets(passed, data, client):
                        break
                    server.sendall(data)
            _hang_up(client)
            _hang_up(server)
            back.join()
            with self._lock:
                self._open.difference_update((client, server))

    def meets(self, passed: Passed, data: bytes, client: socket.socket) -> bool:
        """Return whether the request was dealt with here, and must not reach the forge. ``data`` is how it begins."""
        return False

    @staticmethod
    def _back(server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                client.sendall(data)
        _hang_up(client)

    def _note(self, data: bytes) -> Passed | None:
        # Our clients wait for each answer: a request always begins what is received at once.
        begins = _REQUEST.match(data)
        if begins is None:
            return None
        address = urlsplit(begins[2].decode("latin-1"))
        page = parse_qs(address.query).get("page", ["1"])[-1]
        passed = Passed(begins[1].decode(), address.path, int(page))
        with self._lock:
            self.passed.append(passed)
        return passed


def _hang_up(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
