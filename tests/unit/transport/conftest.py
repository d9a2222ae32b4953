"""A real git server on loopback (``git http-backend``), with faults that a test can switch on."""

from __future__ import annotations

import base64
import io
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from git_exchange.transport.cache import Cache, Repository
from git_exchange.transport.command import Git
from git_exchange.transport.objects import TreeFile, commit_tree

TOKEN = "glpat-SecretSecretSecret"
AUTHORIZATION = "Basic " + base64.b64encode(f"oauth2:{TOKEN}".encode()).decode()
AT = datetime(2026, 11, 20, 10, 0, tzinfo=timezone.utc)
REF = "refs/heads/submit/ps1"


@dataclass
class Faults:
    """What goes wrong at the server; all off at first."""

    answer: int | None = None
    location: str = ""
    body: bytes = b""
    cut_answer_after: int | None = None
    drop_answer_to_push: bool = False
    hang: threading.Event | None = None
    before_receive: Callable[[], None] | None = None
    only: str = ""
    answers_left: int = 10**9


@dataclass
class Server:
    """A running server: repositories below ``root``; ``requests`` (path, Authorization) came with so many bytes."""

    root: Path
    port: int
    faults: Faults = field(default_factory=Faults)
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    hanging: threading.Event = field(default_factory=threading.Event)
    received: list[int] = field(default_factory=list)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def url(self, name: str) -> str:
        return f"{self.origin}/{name}.git"

    def create(self, name: str) -> Path:
        git_dir = self.root / f"{name}.git"
        plain_git("init", "--quiet", "--bare", "--initial-branch=main", str(git_dir))
        plain_git("config", "http.receivepack", "true", git_dir=git_dir)
        plain_git("config", "receive.denyNonFastForwards", "true", git_dir=git_dir)
        return git_dir

    def head(self, name: str, ref: str = REF) -> str | None:
        shown = plain_git("for-each-ref", "--format=%(objectname)", ref, git_dir=self.root / f"{name}.git")
        return shown.strip() or None


def plain_git(*arguments: str, git_dir: Path | None = None, stdin: bytes = b"") -> str:
    """Run git as another program would, without our code."""
    where = ["--git-dir", str(git_dir)] if git_dir else []
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        **{f"GIT_{who}_NAME": "Server" for who in ("AUTHOR", "COMMITTER")},
        **{f"GIT_{who}_EMAIL": "server@example.edu" for who in ("AUTHOR", "COMMITTER")},
    }
    done = subprocess.run(["git", *where, *arguments], input=stdin, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: Server

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        self._serve(self._body())

    def log_message(self, *_: Any) -> None:
        pass

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            parts = []
            while size := int(self.rfile.readline().strip(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _serve(self, body: bytes) -> None:
        faults = self.state.faults
        self.state.received.append(len(body))
        self.state.requests.append((self.path, self.headers.get("Authorization")))
        concerned = faults.only in self.path and faults.answers_left > 0
        if concerned:
            faults.answers_left -= 1
        if concerned and faults.hang is not None:
            self.state.hanging.set()
            faults.hang.wait()
            self.close_connection = True
            return
        if concerned and faults.answer is not None:
            self._answer(faults.answer, [("Location", faults.location)] if faults.location else [], faults.body)
            return
        if self.headers.get("Authorization") != AUTHORIZATION:
            self._answer(401, [("WWW-Authenticate", 'Basic realm="Git"')], b"HTTP Basic: Access denied")
            return
        pushing = self.path.endswith("/git-receive-pack")
        if pushing and faults.before_receive is not None:
            action, faults.before_receive = faults.before_receive, None
            action()
        status, headers, answer = self._backend(body)
        if concerned and pushing and faults.drop_answer_to_push:
            self.close_connection = True
            return
        if concerned and faults.cut_answer_after is not None and self.command == "POST":
            self._answer(status, headers, answer, cut=faults.cut_answer_after)
            self.close_connection = True
            return
        self._answer(status, headers, answer)

    def _backend(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        parts = urlsplit(self.path)
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_PROJECT_ROOT": str(self.state.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REMOTE_USER": "student",
            "REMOTE_ADDR": "127.0.0.1",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": unquote(parts.path),
            "QUERY_STRING": parts.query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        done = subprocess.run(["git", "http-backend"], input=body, env=environment, capture_output=True, check=False)
        head, _, answer = done.stdout.partition(b"\r\n\r\n")
        status, headers = 200, []
        for line in head.decode().splitlines():
            name, _, value = line.partition(": ")
            if name == "Status":
                status = int(value.split()[0])
            elif name:
                headers.append((name, value))
        return status, headers, answer

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes, cut: int | None = None) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if body and not any(name == "Content-Type" for name, _ in headers):
            self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:cut])


class _Http(ThreadingHTTPServer):
    def handle_error(self, *_: Any) -> None:
        """Say nothing: clients that break off are what some tests are about."""


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep every test away from the real home and its configuration of git."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    return home


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    root = tmp_path / "server"
    root.mkdir()
    handler = type("Handler", (_Handler,), {})
    http = _Http(("127.0.0.1", 0), handler)
    http.daemon_threads = True
    running = Server(root, http.server_address[1])
    handler.state = running  # type: ignore[attr-defined]
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield running
    if running.faults.hang is not None:
        running.faults.hang.set()
    http.shutdown()
    http.server_close()
    thread.join()


@pytest.fixture
def git(server: Server) -> Git:
    return Git(authorization={server.origin: AUTHORIZATION}, timeout=30.0, stall=10.0)


@pytest.fixture
def cache(tmp_path: Path, git: Git) -> Cache:
    return Cache(tmp_path / "cache" / "forge" / "1" / "2", git)


@pytest.fixture
def seat(server: Server, cache: Cache) -> Repository:
    """A local copy for the server's project "alice", both empty."""
    server.create("alice")
    return cache.seat(7)


def text_file(path: str, content: bytes = b"hello\n", *, executable: bool = False) -> TreeFile:
    return TreeFile(path, executable, lambda: io.BytesIO(content), len(content))


def make_commit(repository: Repository, *parents: str, message: str = "Submit ps1\n", **files: bytes) -> str:
    """Commit the files (by name, ``_`` stands for ``.``) and return the commit."""
    return commit_tree(
        repository,
        parents=parents,
        files=[text_file(name.replace("_", "."), content) for name, content in files.items()],
        message=message,
        name="Alice",
        email="alice@example.edu",
        at=AT,
    )
