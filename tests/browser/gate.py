"""A gate before the forge, always at the same address: open, shut (the forge is down), or slow for some requests."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from collections.abc import Iterator
from types import TracebackType
from urllib.parse import urlsplit


class Gate:
    """Pass TCP connections on to the forge at ``url``."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._shut = False
        self._slow: tuple[re.Pattern[bytes], float] | None = None
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Gate:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._shut = True
        self._listener.close()
        self._cut()

    @contextlib.contextmanager
    def shut(self) -> Iterator[None]:
        """Let nobody through, as a forge that is down."""
        self._shut = True
        self._cut()
        try:
            yield
        finally:
            self._shut = False

    @contextlib.contextmanager
    def slow(self, pattern: str, seconds: float) -> Iterator[None]:
        """Hold each request whose first line matches ``pattern`` for so long."""
        self._slow = (re.compile(pattern.encode()), seconds)
        try:
            yield
        finally:
            self._slow = None

    def _cut(self) -> None:
        with self._lock:
            self._end(*self._open)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self._shut:
                    client.close()
                else:
                    threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(self._target)
        except OSError:
            client.close()
            return
        with self._lock:
            self._open |= {client, server}
        answers = threading.Thread(target=self._answer, args=(server, client), daemon=True)
        answers.start()
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                self._hold(data)
                server.sendall(data)
        self._end(client, server)
        # Closed by one thread only, and when nobody uses them: the next connection gets their numbers.
        answers.join()
        with self._lock:
            self._open -= {client, server}
        client.close()
        server.close()

    def _hold(self, data: bytes) -> None:
        slow = self._slow
        if slow is not None and slow[0].search(data.split(b"\r\n", 1)[0]):
            time.sleep(slow[1])  # being slow is what was asked for

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                client.sendall(data)
        self._end(server, client)

    @staticmethod
    def _end(*sockets: socket.socket) -> None:
        for one in sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
