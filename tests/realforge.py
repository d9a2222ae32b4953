"""A real Gitea or Forgejo for tests: a throwaway instance on loopback, or one that the environment names.

A binary called ``forgejo`` or ``gitea`` on PATH, or the one that GIT_EXCHANGE_TEST_GITEA_BINARY names, is started with
SQLite in a temporary folder. GIT_EXCHANGE_TEST_GITEA_URL and GIT_EXCHANGE_TEST_GITEA_TOKEN (a site administrator's
token with all scopes) name a server that runs already; it gets accounts and organisations that stay there.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

URL = "GIT_EXCHANGE_TEST_GITEA_URL"
TOKEN = "GIT_EXCHANGE_TEST_GITEA_TOKEN"
BINARY = "GIT_EXCHANGE_TEST_GITEA_BINARY"
MISSING = (
    "No Gitea or Forgejo to test against: nothing of the real server was tested. Put forgejo or gitea on PATH, or set"
    f" {BINARY}, or {URL} and {TOKEN}."
)
ADMINISTRATOR = "root0"  # "admin" is a reserved name

# Sizes and times are small so that paging happens; the rest is a course's server as the documentation has it.
_CONFIGURATION = """\
RUN_MODE = prod
APP_NAME = throwaway
WORK_PATH = {root}
I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = {as_root}
[server]
HTTP_ADDR = 127.0.0.1
HTTP_PORT = {port}
ROOT_URL = http://127.0.0.1:{port}/
DISABLE_SSH = true
OFFLINE_MODE = true
{static}
[database]
DB_TYPE = sqlite3
PATH = {root}/forge.db
SQLITE_JOURNAL_MODE = WAL
SQLITE_TIMEOUT = 20000
[security]
INSTALL_LOCK = true
SECRET_KEY = throwaway
PASSWORD_HASH_ALGO = pbkdf2_v1
[oauth2]
JWT_SIGNING_ALGORITHM = HS256
[repository]
DEFAULT_REPO_UNITS = repo.code,repo.issues
[service]
DISABLE_REGISTRATION = true
AUTO_WATCH_NEW_REPOS = false
DEFAULT_ALLOW_CREATE_ORGANIZATION = false
[mailer]
ENABLED = false
[webhook]
ALLOWED_HOST_LIST = loopback
[api]
MAX_RESPONSE_ITEMS = 5
[indexer]
ISSUE_INDEXER_TYPE = db
[cron]
ENABLED = false
[queue]
TYPE = {queue}
[log]
LEVEL = error
"""


@dataclass(frozen=True)
class RealForge:
    """A server that answers, and a site administrator's token for it; one of ours has ``folder`` and ``process``."""

    url: str
    token: str
    folder: Path | None = None
    process: Process | None = None


class Process:
    """The program of a server of ours, which can be killed and started again on what it has."""

    def __init__(self, binary: Path, root: Path, url: str) -> None:
        self._command = [str(binary), "-c", str(root / "app.ini"), "web"]
        self._root, self._url = root, url
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        with (self._root / "log").open("ab") as log:
            self._running = subprocess.Popen(self._command, env=_environment(self._root), stdout=log, stderr=log)
        _wait_until_it_answers(self._url, self._running, self._root / "log")

    def kill(self) -> None:
        """End it at once, in the middle of whatever it does."""
        assert self._running is not None
        self._running.kill()
        self._running.wait()

    def stop(self) -> None:
        """End it in good order, if it runs."""
        if self._running is None:
            return
        self._running.terminate()
        try:
            self._running.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()


def available() -> bool:
    """Return whether there is a server or a binary to test against."""
    return bool(os.environ.get(URL) and os.environ.get(TOKEN)) or binary() is not None


@contextmanager
def running(root: Path, *, immediate: bool = False) -> Iterator[RealForge]:
    """Give the server that the environment names, or start one in ``root`` and end it afterwards.

    ``immediate`` makes a server of ours record pushes before they return, instead of a second or two later.
    """
    url, token = os.environ.get(URL), os.environ.get(TOKEN)
    if url and token:
        yield RealForge(url.rstrip("/"), token)
        return
    found = binary()
    assert found is not None, MISSING
    with started(found, root, immediate=immediate) as forge:
        yield forge


@contextmanager
def started(binary: Path, root: Path, *, immediate: bool = False, extra: str = "") -> Iterator[RealForge]:
    """Start the binary with an empty database in ``root``; end it afterwards.

    ``extra`` is more of the configuration file; what it sets prevails.
    """
    root.mkdir(parents=True, exist_ok=True)
    port = _free_port()
    file = root / "app.ini"
    beside = binary.resolve().parent
    # A binary that was built without its templates finds them in the source folder that it lies in.
    static = f"STATIC_ROOT_PATH = {beside}" if (beside / "templates").is_dir() and (beside / "options").is_dir() else ""
    as_root = str(os.geteuid() == 0).lower()
    queue = "immediate" if immediate else "level"
    written = _CONFIGURATION.format(root=root, port=port, static=static, as_root=as_root, queue=queue)
    file.write_text(f"{written}{extra}")
    _command(binary, root, "migrate")
    account = ("--username", ADMINISTRATOR, "--email", "root0@example.invalid", "--password", "throwaway-1")
    _command(binary, root, "admin", "user", "create", *account, "--admin", "--must-change-password=false")
    token = _command(
        *(binary, root),
        *("admin", "user", "generate-access-token", "--username", ADMINISTRATOR),
        *("--token-name", "tests", "--scopes", "all", "--raw"),
    ).split()[-1]
    process = Process(binary, root, f"http://127.0.0.1:{port}")
    try:
        process.start()
        yield RealForge(f"http://127.0.0.1:{port}", token, root, process)
    finally:
        process.stop()


def binary() -> Path | None:
    """Return the program to start servers with, None if there is none."""
    named = os.environ.get(BINARY)
    found = named or shutil.which("forgejo") or shutil.which("gitea")
    return Path(found) if found else None


def sign_in_source(folder: Path | None) -> str:
    """Return the number of an authentication source on the server in ``folder``: a mail server that is never asked."""
    found = binary()
    if found is None or folder is None:
        pytest.skip("only on a server of ours a source of authentication can be made")
    name = f"campus-{uuid.uuid4().hex[:8]}"
    options = ("--name", name, "--host", "127.0.0.1", "--port", "9", "--auth-type", "PLAIN")
    _command(found, folder, "admin", "auth", "add-smtp", *options)
    listed = _command(found, folder, "admin", "auth", "list")
    return next(line.split()[0] for line in listed.splitlines() if name in line)


def _environment(root: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(root), "USER": os.environ.get("USER", "root")}


def _command(binary: Path, root: Path, *arguments: str) -> str:
    started = [str(binary), "-c", str(root / "app.ini"), *arguments]
    made = subprocess.run(started, env=_environment(root), capture_output=True, text=True, timeout=120, check=False)
    assert made.returncode == 0, f"{arguments}: {made.stdout}{made.stderr}"
    return made.stdout


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_it_answers(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    limit = time.monotonic() + 60
    while time.monotonic() < limit:
        assert server.poll() is None, f"the server ended: {log.read_text(errors='replace')[-2000:]}"
        try:
            with requests.get(f"{url}/api/healthz", timeout=2) as answer:
                if answer.status_code == 200:
                    return
        except requests.RequestException:
            pass
        time.sleep(0.1)  # polling a starting server, with a limit
    raise AssertionError(f"the server did not answer within a minute: {log.read_text(errors='replace')[-2000:]}")


def let_create_organisations(forge: RealForge, username: str) -> None:
    """Let the account make organisations, as whoever opens courses needs; the throwaway server lets nobody else."""
    with requests.patch(
        f"{forge.url}/api/v1/admin/users/{username}",
        json={"source_id": 0, "login_name": username, "allow_create_organization": True},
        headers={"Authorization": f"token {forge.token}"},
        timeout=60,
    ) as answer:
        answer.raise_for_status()
