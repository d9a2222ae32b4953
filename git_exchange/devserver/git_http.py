"""git's smart HTTP, by the real ``git http-backend``: streamed both ways, nothing held in memory.

https://git-scm.com/docs/git-http-backend
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tornado.iostream import StreamClosedError
from tornado.web import stream_request_body

from git_exchange.devserver import access, signin
from git_exchange.devserver.handlers import SiteHandler
from git_exchange.devserver.pushes import parse_report, record
from git_exchange.devserver.site import HTTP_BACKENDS, Site
from git_exchange.devserver.values import Project
from git_exchange.devserver.viewer import Viewer

CHUNK = 65_536
LARGEST_BODY = 10 * 1024**3

DENIED = (
    "HTTP Basic: Access denied. If a password was provided for Git authentication, the password was incorrect or you're"
    " required to use a token instead of a password."
)
HIDDEN = "The project you were looking for could not be found or you don't have permission to view it."
BANNED = "Too many failed authentication attempts from this IP"
NO_DOWNLOAD = "You are not allowed to download code from this project."
NO_UPLOAD_SCOPE = "You are not allowed to upload code."
NO_DOWNLOAD_SCOPE = "You are not allowed to download code."
ARCHIVED = "You can't push code to a read-only repository: this project is archived."
DUMB = "Please upgrade your git client.\n"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Refusal:
    """Why git gets nothing: a status and a sentence."""

    status: int
    text: str


class Backends:
    """The backends under way: a bounded number, all ended with the server."""

    def __init__(self) -> None:
        self.places = asyncio.Semaphore(HTTP_BACKENDS)
        self.tasks: set[asyncio.Task[None]] = set()
        self._running: set[asyncio.subprocess.Process] = set()
        self._closing = False

    async def start(self, backend: Path, environment: Mapping[str, str]) -> asyncio.subprocess.Process:
        """Start one in a process group of its own."""
        process = await asyncio.create_subprocess_exec(
            str(backend),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=dict(environment),
            limit=CHUNK,
            start_new_session=True,
        )
        self._running.add(process)
        if self._closing:
            kill(process)
        return process

    def ended(self, process: asyncio.subprocess.Process) -> None:
        """Forget one that has ended."""
        self._running.discard(process)

    async def close(self) -> None:
        """End all that is under way, and what was just about to start."""
        self._closing = True
        for process in list(self._running):
            kill(process)
        await asyncio.gather(*self.tasks, return_exceptions=True)


def kill(process: asyncio.subprocess.Process) -> None:
    """Kill a backend with what it has started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


async def record_report(site: Site, report: Path) -> None:
    """Do what follows a push, from what the post-receive hook left; nothing if there was no change."""
    try:
        text = report.read_text(encoding="utf-8", errors="surrogateescape")
    except FileNotFoundError:
        return
    project_id, user_id, _ = report.name.split("-", 2)
    project, user = site.store.projects.find(project_id), site.store.accounts.find(int(user_id))
    if project is not None and user is not None:
        await record(site, project, user, parse_report(text))
    report.unlink(missing_ok=True)


@stream_request_body
class GitHandler(SiteHandler):
    """``<full path>[.git]/info/refs``, ``/git-upload-pack`` and ``/git-receive-pack``."""

    def initialize(self, site: Site, backends: Backends) -> None:  # type: ignore[override] # Tornado's way
        """Take the site and the backends under way."""
        super().initialize(site)
        self._backends = backends
        self._refusal: Refusal | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._pump: asyncio.Task[None] | None = None
        self._gone = False
        self._receives = False
        self._arrived = False

    async def prepare(self) -> None:
        """Decide, and start the backend before the body arrives."""
        self.request.connection.set_max_body_size(LARGEST_BODY)  # type: ignore[union-attr] # an HTTP1Connection
        if fault := self.site.faults.take(self.request.method or "GET", self.request.path):
            self.refuse_by_fault(fault)
            return
        path, endpoint = self.path_args[0], self.path_args[1]
        service = self.get_query_argument("service", "") if endpoint == "info/refs" else endpoint
        self._receives = service == "git-receive-pack"
        allowed = self._decide(path.removesuffix(".git"), service)
        if isinstance(allowed, Refusal):
            self._refusal = allowed
            return
        project, viewer = allowed
        report = None
        if self._receives and endpoint != "info/refs" and viewer.user is not None:
            report = self.site.reports / f"{project.id}-{viewer.user.id}-{uuid.uuid4().hex}"
        await self._backends.places.acquire()
        if self._gone:
            self._backends.places.release()
            return
        environment = self._environment(project, viewer, endpoint, report)
        self._process = await self._backends.start(self.site.backend, environment)
        self._pump = asyncio.get_running_loop().create_task(self._run(self._process, report))
        self._backends.tasks.add(self._pump)
        self._pump.add_done_callback(self._backends.tasks.discard)

    async def data_received(self, chunk: bytes) -> None:
        """Hand the body on as it arrives; when the backend has had enough, the rest is dropped."""
        if self._process is not None and self._process.stdin is not None:
            try:
                self._process.stdin.write(chunk)
                await self._process.stdin.drain()
            except (BrokenPipeError, ConnectionResetError):
                pass  # it says why on its output

    async def get(self, *_: str) -> None:
        """Answer info/refs."""
        await self._conclude()

    async def post(self, *_: str) -> None:
        """Answer a service."""
        await self._conclude()

    def on_connection_close(self) -> None:
        """Let a push that has arrived whole go on, as GitLab does; end a torn one, and a fetch that nobody wants."""
        self._gone = True
        if self._process is not None and not (self._receives and self._arrived):
            kill(self._process)

    async def _conclude(self) -> None:
        if self._refusal is not None:
            self._refuse(self._refusal)
            return
        if self._process is None or self._pump is None:
            return
        self._arrived = True
        if self._process.stdin is not None:
            self._process.stdin.close()
        await self._pump
        if not self._gone:
            with contextlib.suppress(StreamClosedError):
                await self.finish()

    def _decide(  # noqa: PLR0911 - GitLab's order of checks
        self, path: str, service: str
    ) -> tuple[Project, Viewer] | Refusal:
        if service not in ("git-upload-pack", "git-receive-pack"):
            return Refusal(403, DUMB)
        address, bans = self.request.remote_ip or "", self.site.bans
        has_credentials = "Authorization" in self.request.headers
        if has_credentials and bans.is_banned(address):
            return Refusal(403, BANNED)
        signed_in = signin.git_user(self.site.store, self.site.clock, self.request.headers.get("Authorization"))
        if has_credentials:
            (bans.succeeded if signed_in else bans.failed)(address)
        user, token = signed_in or (None, None)
        viewer = Viewer(self.site.store, user, token)
        project = self.site.store.projects.find(path) if "/" in path else None
        if user is None:
            readable = project is not None and not self._receives and viewer.reads_code(project)
            if has_credentials or not readable:
                return Refusal(401, DENIED)
        if project is None or not viewer.sees_project(project):
            return Refusal(404, HIDDEN)
        scopes = set(token.scopes) if token else {"read_repository"}
        if not self._receives and not scopes & {"api", "read_repository", "write_repository"}:
            return Refusal(403, NO_DOWNLOAD_SCOPE)
        if self._receives and not scopes & {"api", "write_repository"}:
            return Refusal(403, NO_UPLOAD_SCOPE)
        if not viewer.reads_code(project):
            return Refusal(403, NO_DOWNLOAD)
        if self._receives and not viewer.can(project, access.DEVELOPER):
            return Refusal(403, access.PUSH_REFUSED)
        if self._receives and project.archived:
            return Refusal(403, ARCHIVED)
        return project, viewer

    def _refuse(self, refusal: Refusal) -> None:
        self.set_status(refusal.status)
        if refusal.status == 401:
            self.set_header("WWW-Authenticate", 'Basic realm="GitLab"')
        self.set_header("Content-Type", "text/plain")
        self.finish(refusal.text)

    def _environment(self, project: Project, viewer: Viewer, endpoint: str, report: Path | None) -> dict[str, str]:
        headers = self.request.headers
        # Without CONTENT_LENGTH the backend reads to the end of its input; with it, one that is cut off makes it spin.
        found = self.site.repositories.environment() | {
            "GIT_PROJECT_ROOT": str(self.site.repositories.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": f"/{project.storage}/{endpoint}",
            "REQUEST_METHOD": self.request.method or "GET",
            "QUERY_STRING": self.request.query,
            "CONTENT_TYPE": headers.get("Content-Type", ""),
            "REMOTE_ADDR": "127.0.0.1",
            "REMOTE_USER": viewer.user.username if viewer.user else "",
            "GL_PROJECT_PATH": project.full_path,  # for server hooks
            "GIT_DEVSERVER_PUSH_TABLE": viewer.push_table(project).dump(),
        }
        if viewer.user is None:
            del found["REMOTE_USER"]
        if "Content-Encoding" in headers:
            found["HTTP_CONTENT_ENCODING"] = headers["Content-Encoding"]
        if "Git-Protocol" in headers:
            found["GIT_PROTOCOL"] = found["HTTP_GIT_PROTOCOL"] = headers["Git-Protocol"]
        if report is not None:
            found["GIT_DEVSERVER_PUSH_REPORT"] = str(report)
        return found

    async def _run(self, process: asyncio.subprocess.Process, report: Path | None) -> None:
        """Hand the backend's answer on until it ends; then do what follows a push, before the client hears the end."""
        try:
            await self._copy(process)
            await process.wait()
            if report is not None:
                await record_report(self.site, report)
        except Exception:
            log.exception("git for %s failed", self.request.path)
            kill(process)
            await process.wait()
        finally:
            self._backends.ended(process)
            self._backends.places.release()

    async def _copy(self, process: asyncio.subprocess.Process) -> None:
        if process.stdout is None:
            raise ValueError("the backend has no output")
        while line := (await process.stdout.readline()).strip():
            name, _, value = line.decode("latin-1").partition(": ")
            if name == "Status":
                self.set_status(int(value.split(" ")[0]))
            elif name.lower() != "date":
                self.set_header(name, value)
        while chunk := await process.stdout.read(CHUNK):
            if self._gone:
                continue
            self.write(chunk)
            try:
                await self.flush()
            except StreamClosedError:
                self._gone = True
