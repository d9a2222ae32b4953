"""The process: state folder, socket, start and end."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import os
import signal
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock, Timeout
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application

from git_exchange.devserver import controls
from git_exchange.devserver.api import (
    branches,
    commits,
    events,
    files,
    groups,
    hooks,
    invitations,
    members,
    projects,
    protected,
    users,
)
from git_exchange.devserver.api.routes import Routes
from git_exchange.devserver.clock import Clock
from git_exchange.devserver.git_http import Backends, GitHandler, record_report
from git_exchange.devserver.handlers import ApiHandler, GraphQLHandler, NothingHandler
from git_exchange.devserver.repositories import Repositories, http_backend
from git_exchange.devserver.site import Site
from git_exchange.devserver.store import Store
from git_exchange.devserver.webhooks import Webhooks

ADMIN = "root"
TOKEN_FILE = "admin-token"  # noqa: S105 - a file's name
DATABASE = "server.sqlite3"
# Requests to the API are small; git's go another way.
LARGEST_REQUEST = 20 * 1024 * 1024

Announce = Callable[[str, str], None]

log = logging.getLogger(__name__)


class StateInUseError(Exception):
    """Another server uses this folder."""


def check_loopback(host: str) -> str:
    """Return the host if only this machine reaches it. Raise ValueError."""
    if host != "localhost":
        try:
            is_loopback = ipaddress.ip_address(host).is_loopback
        except ValueError:
            is_loopback = False
        if not is_loopback:
            raise ValueError(
                f"The development server listens on loopback only (127.0.0.1, ::1 or localhost), not on {host}."
            )
    return host


def serve(host: str, port: int, state: Path | None, *, announce: Announce) -> None:
    """Serve until SIGTERM or SIGINT; ``announce`` is told the URL and the administrator's token once it serves.

    Without ``state`` everything is in a temporary folder that goes away at the end. Raise ValueError for an address off
    loopback, GitMissingError without git's HTTP backend, StateInUseError if another server has the folder.
    """
    check_loopback(host)
    backend = http_backend()
    with contextlib.ExitStack() as stack:
        if state is None:
            state = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="git-exchange-devserver-")))
        state.mkdir(parents=True, exist_ok=True)
        state = state.absolute()
        lock = FileLock(state / "lock")
        try:
            stack.enter_context(lock.acquire(timeout=1))
        except Timeout:
            raise StateInUseError(f"Another development server uses {state}.") from None
        asyncio.run(_serve(host, port, state, backend, announce))


async def _serve(host: str, port: int, folder: Path, backend: Path, announce: Announce) -> None:
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end.set)
    clock = Clock()
    store = Store(folder / DATABASE, clock)
    repositories = Repositories(folder)
    repositories.prepare()
    sockets = bind_sockets(port, host, family=_family(host))
    shown = f"[{host}]" if ":" in host else host
    site = Site(
        f"http://{shown}:{sockets[0].getsockname()[1]}",
        folder,
        backend,
        clock,
        store,
        repositories,
        Webhooks(store.hooks, clock),
    )
    site.webhooks.url = site.url
    site.reports.mkdir(exist_ok=True)
    token = admin_token(store, folder)
    await _catch_up(site)
    backends = Backends()
    server = HTTPServer(application(site, backends), max_body_size=LARGEST_REQUEST)
    server.add_sockets(sockets)
    try:
        announce(site.url, token)
        await end.wait()
    finally:
        server.stop()
        await backends.close()
        await site.webhooks.close()
        await server.close_all_connections()
        await backends.close()
        store.close()


def application(site: Site, backends: Backends) -> Application:
    """Return all handlers."""
    api, control = Routes(), controls.routes
    api.include(
        *(users.routes, groups.routes, projects.routes, members.routes, protected.routes, branches.routes),
        *(commits.routes, files.routes, events.routes, hooks.routes, invitations.routes),
    )
    return Application(
        [
            (r"/api/v4/.*", ApiHandler, {"site": site, "routes": api, "prefix": "/api/v4"}),
            (r"/api/graphql", GraphQLHandler, {"site": site}),
            (r"/-/devserver/.*", ApiHandler, {"site": site, "routes": control, "prefix": "/-/devserver"}),
            (r"/(.+?)/(info/refs|git-upload-pack|git-receive-pack)", GitHandler, {"site": site, "backends": backends}),
        ],
        default_handler_class=NothingHandler,
        default_handler_args={"site": site},
        log_function=lambda handler: None,
        site=site,
    )


def admin_token(store: Store, folder: Path) -> str:
    """Return the administrator's token; at the first start the account and the token's file are made."""
    path = folder / TOKEN_FILE
    if path.exists():
        secret = path.read_text(encoding="utf-8").strip()
        if store.accounts.find_token(secret) is not None:
            return secret
    admin = store.accounts.find_by_username(ADMIN)
    if admin is None:
        admin = store.accounts.create(ADMIN, name="Administrator", email="admin@example.com", is_admin=True)
    scopes = ("api", "read_repository", "write_repository", "sudo", "admin_mode")
    _, secret = store.accounts.create_token(admin.id, name="development server", scopes=scopes, expires_at=None)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(descriptor, 0o600)
        file.write(secret + "\n")
    return secret


async def _catch_up(site: Site) -> None:
    """Do what follows pushes that a killed server has taken but not recorded."""
    for report in sorted(site.reports.iterdir(), key=lambda path: path.stat().st_mtime):
        if report.name.endswith(".part"):
            report.unlink()
        else:
            log.info("recording a push from before the restart")
            await record_report(site, report)


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
