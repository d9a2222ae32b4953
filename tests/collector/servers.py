"""PostgreSQL and Redis for tests: Debian's programs, in temporary folders, on Unix sockets, ended by their own ids."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

NOT_POSTGRESQL = "No PostgreSQL (Debian: apt-get install postgresql): the collector's inbox was not tested on it."
NOT_REDIS = "No Redis (Debian: apt-get install redis-server): the collector's queue was not tested on it."
NOT_NGINX = "No nginx (Debian: apt-get install nginx): the collector's site was not tested."
NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")


def postgresql_programs() -> Path | None:
    """Return the folder of initdb and postgres, None if there is none or nobody who may run them."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    usable = [folder for folder in folders if (folder / "initdb").exists() and (folder / "postgres").exists()]
    return usable[0] if usable and (os.geteuid() != 0 or _postgres_account()) else None


def _postgres_account() -> str | None:
    """Return who may run PostgreSQL when we are root, whom it refuses."""
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    return None


class Server:
    """A program that can be killed and started again on what it has."""

    def __init__(self, command: list[str], folder: Path, account: str | None, answers: Callable[[], bool]) -> None:
        self._command, self._folder, self._account, self._answers = command, folder, account, answers
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        with (self._folder.parent / f"{self._folder.name}.log").open("ab") as log:
            self._running = subprocess.Popen(
                self._command,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                user=self._account,
                group=None if self._account is None else pwd.getpwnam(self._account).pw_gid,
                extra_groups=None if self._account is None else [],
            )
        limit = time.monotonic() + 30
        while not self._answers():
            assert self._running.poll() is None, f"{self._command[0]} ended: {self.log()}"
            assert time.monotonic() < limit, f"{self._command[0]} does not answer: {self.log()}"
            time.sleep(0.02)

    def kill(self) -> None:
        """End it at once, in the middle of whatever it does."""
        assert self._running is not None
        self._running.kill()
        self._running.wait()

    def stop(self) -> None:
        """End it in good order, if it runs, and take its folder away."""
        if self._running is not None and self._running.poll() is None:
            self._running.send_signal(signal.SIGINT)  # PostgreSQL: without waiting for who is connected
            try:
                self._running.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()
        shutil.rmtree(self._folder.parent, ignore_errors=True)

    def log(self) -> str:
        """Return the end of what it said."""
        return (self._folder.parent / f"{self._folder.name}.log").read_text(errors="replace")[-2000:]


class PostgreSQL(Server):
    """A cluster of its own; ``url`` names its socket."""

    def __init__(self) -> None:
        programs = postgresql_programs()
        assert programs is not None
        account = _postgres_account() if os.geteuid() == 0 else None
        folder = _folder("postgresql", account)
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C", "HOME": str(folder)}
        subprocess.run(
            [
                programs / "initdb",
                "-D",
                folder,
                "-U",
                "collector",
                "--auth=trust",
                "--no-sync",
                "--no-locale",
                "-EUTF8",
            ],
            check=True,
            capture_output=True,
            env=environment,
            cwd=folder.parent,
            user=account,
            group=None if account is None else pwd.getpwnam(account).pw_gid,
            extra_groups=None if account is None else [],
        )
        # No fsync: killed programs lose nothing by it, only machines without power do.
        settings = ("listen_addresses=", f"unix_socket_directories={folder}", "fsync=off", "max_connections=60")
        command = [str(programs / "postgres"), "-D", str(folder)]
        command += [part for setting in settings for part in ("-c", setting)]
        self._socket = folder
        super().__init__(command, folder, account, self._is_up)

    def _is_up(self) -> bool:
        import psycopg

        try:
            psycopg.connect(f"host={self._socket} user=collector dbname=postgres", connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def new_database(self, name: str) -> str:
        """Make an empty database and return its URL."""
        import psycopg

        with psycopg.connect(f"host={self._socket} user=collector dbname=postgres", autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')  # type: ignore[arg-type]  # a name of the test's own
        return f"postgresql+psycopg://collector@/{name}?host={self._socket}"


class Redis(Server):
    """A server with nothing on disk; ``url`` names its socket."""

    def __init__(self) -> None:
        folder = _folder("redis", None)
        self._socket = folder / "socket"
        self.url = f"unix://{self._socket}"
        command = ["redis-server", "--port", "0", "--unixsocket", str(self._socket), "--save", "", "--dir", str(folder)]
        super().__init__(command, folder, None, self._is_up)

    def _is_up(self) -> bool:
        import redis

        client = redis.Redis.from_url(self.url)
        try:
            return bool(client.ping())
        except redis.exceptions.ConnectionError:
            return False
        finally:
            client.close()


def _folder(name: str, account: str | None) -> Path:
    """Make a folder whose way the account may go; sockets' paths have to be short."""
    above = Path(tempfile.mkdtemp(prefix="gx-", dir="/tmp"))
    folder = above / name
    folder.mkdir(mode=0o700)
    if account is not None:
        above.chmod(0o711)
        shutil.chown(folder, account)
    return folder
