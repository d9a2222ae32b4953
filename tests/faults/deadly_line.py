"""A line that kills the server behind it in the middle of a push."""

from __future__ import annotations

import socket
from typing import Protocol

from tests.faults.line import FaultyLine, _reset, _whole
from tests.pages.line import Passed


class Mortal(Protocol):
    """A server that can be killed and started again on what it had."""

    def kill(self) -> None:
        """End it at once."""

    def start(self) -> object:
        """Start it again."""


class DeadlyLine(FaultyLine):
    """Kills the server at the next push: before it has the whole of it, or as soon as it has taken it."""

    def __init__(self, url: str, server: Mortal) -> None:
        super().__init__(url)
        self._server = server
        self.moment = ""
        self.died = False

    def meets(self, passed: Passed, data: bytes, client: socket.socket) -> bool:
        if passed.method == "POST" and passed.path.endswith("/git-receive-pack") and (moment := self._taken()):
            whole = _whole(data, client)
            if moment == "in the middle":
                self._send_half(whole)
            else:
                self._ask(whole)
            self._refuse()
            self._server.kill()
            self.died = True
            _reset(client)
            return True
        return super().meets(passed, data, client)

    def _taken(self) -> str:
        """Return the moment once: of several pushes at the same time only one is deadly."""
        with self._count:
            moment, self.moment = self.moment, ""
            return moment

    def revive(self) -> None:
        """Start the server again on what it had."""
        self._server.start()
        self._listen_again()
