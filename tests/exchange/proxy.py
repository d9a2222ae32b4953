"""A TCP proxy before the forge that counts bytes and cuts the connection where a test asks for it."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from urllib.parse import urlsplit


class CuttingProxy:
    """Pass everything on and count it, but cut POST requests whose path holds ``cut`` (empty: none).

    After ``after_bytes`` of the request's body, or (``answers``) when the server's answer arrives, which is lost.
    """

    def __init__(self, url: str, *, cut: str = "", after_bytes: int = 0, answers: bool = False) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._cut = cut.encode()
        self._after = after_bytes
        self._answers = answers
        self.uploaded = 0
        self.downloaded = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> CuttingProxy:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        server = socket.create_connection(self._target)
        doomed = threading.Event()
        answers = threading.Thread(target=self._answer, args=(server, client, doomed), daemon=True)
        answers.start()
        left = -1
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                if not doomed.is_set() and self._is_doomed(data):
                    doomed.set()
                    left = data.find(b"\r\n\r\n") + 4 + self._after
                if doomed.is_set() and not self._answers:
                    # No byte more than was asked for: a small push must not get through whole.
                    data, left = data[:left], left - len(data[:left])
                server.sendall(data)
                self.uploaded += len(data)
                if left == 0:
                    break
        self._hang_up(client, server)
        # Closed by one thread only, and when nobody uses them: the next connection gets their numbers.
        answers.join()
        client.close()
        server.close()

    def _is_doomed(self, data: bytes) -> bool:
        first = data.split(b"\r\n", 1)[0]
        return bool(self._cut) and first.startswith(b"POST ") and self._cut in first

    def _answer(self, server: socket.socket, client: socket.socket, doomed: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                if doomed.is_set() and self._answers:
                    break
                client.sendall(data)
                self.downloaded += len(data)
        self._hang_up(client, server)

    @staticmethod
    def _hang_up(*sockets: socket.socket) -> None:
        for one in sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
