"""The receiver's server: whoever is slow, or holds many connections, costs themselves and not others."""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
import time
from collections.abc import Callable, Iterable

from tornado.http1connection import HTTP1ServerConnection
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPConnection, HTTPMessageDelegate

from git_exchange.collector.metrics import Metrics
from git_exchange.collector.pages import application
from git_exchange.collector.receiver import Receiver
from git_exchange.errors import ConfigurationError

# Forges give up after 5 to 10 seconds.
HEADER_SECONDS = 10.0
BODY_SECONDS = 20.0
CONNECTIONS = 400
STOP_SECONDS = 10.0
_CHUNK = 65_536


class Server(HTTPServer):
    """An HTTP server that never holds more than ``CONNECTIONS``: the one that waited longest makes room."""

    metrics: Metrics
    waiting: dict[object, HTTP1ServerConnection]

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        """Make room, if need be, for a connection on which the next request begins."""
        self.waiting.pop(server_conn, None)
        if isinstance(server_conn, HTTP1ServerConnection):
            self.waiting[server_conn] = server_conn
        if len(self.waiting) > CONNECTIONS:
            self.metrics.evicted.inc()
            self.waiting.pop(next(iter(self.waiting))).stream.close()
        self.metrics.connections.set(len(self.waiting))
        return super().start_request(server_conn, request_conn)

    def on_close(self, server_conn: object) -> None:
        """Forget a connection."""
        self.waiting.pop(server_conn, None)
        self.metrics.connections.set(len(self.waiting))
        super().on_close(server_conn)


def server(receiver: Receiver, prefixes: Iterable[str]) -> Server:
    """Return the server of the pages, which listens nowhere yet."""
    made = Server(
        application(receiver, prefixes),
        max_header_size=16_384,
        max_body_size=_CHUNK,  # of pages that take none; hooks count their own
        max_buffer_size=4 * _CHUNK,
        chunk_size=_CHUNK,
        idle_connection_timeout=HEADER_SECONDS,
        body_timeout=BODY_SECONDS,
    )
    # Tornado's own constructor takes nothing more.
    made.metrics = receiver.metrics
    made.waiting = {}
    return made


def serve(
    receiver: Receiver, address: str, port: int, prefixes: Iterable[str], announce: Callable[[str], None]
) -> None:
    """Answer hooks until SIGTERM or SIGINT, then finish what is under way. ``announce`` is told the address.

    Raise ConfigurationError if the address cannot be had.
    """
    try:
        if not 0 <= port < 65_536:
            raise OSError(errno.EINVAL, "there is no such port")
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        listening_socket = socket.create_server((address, port), family=family)
        listening_socket.setblocking(False)
    except OSError as error:
        raise ConfigurationError(
            f"The receiver cannot listen on {address} port {port}: {error.strerror}.",
            hint="Choose another address or port in [receiver], or end what listens there.",
        ) from error

    async def run() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        listening = server(receiver, prefixes)
        listening.add_sockets([listening_socket])
        host = f"[{address}]" if ":" in address else address
        announce(f"http://{host}:{listening_socket.getsockname()[1]}")
        await stop.wait()
        listening.stop()
        limit = time.monotonic() + STOP_SECONDS
        while receiver.pending and time.monotonic() < limit:
            await asyncio.sleep(0.02)
        await asyncio.sleep(0)  # the last answers are on their way
        await listening.close_all_connections()

    asyncio.run(run())
    receiver.close()
