"""Start git: the only place in the package that does.

Knows processes: a built environment, an explicit ``--git-dir``, no shell, limits on time and output, the whole process
group ended when something goes wrong. What a command means is known to the modules beside this one.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from git_exchange.errors import CacheCorrupt, GitError, GitMissing, GitTimeout, HostileRepository, SignInRefused
from git_exchange.transport import environment
from git_exchange.transport.failures import failure, server_words, with_server

MAX_OUTPUT = 64_000_000
MAX_MESSAGES = 100_000
OLDEST = (2, 30)
_CREDENTIAL_TIMEOUT = 10.0
_LOOK = 0.5


@dataclass(frozen=True)
class Ended:
    """How a command ended: stdout, the server's words to the person (escaped), and the error if it failed."""

    output: bytes
    server_says: str
    failure: GitError | None


class Git:
    """Git for one account: who we are to which server, and how long anything may take (seconds).

    ``authorization`` maps URL prefixes ("https://gitlab.example.edu") to values of the ``Authorization`` header; it
    reaches only commands with ``remote=True``, by their environment. Once a server has refused it no such command
    starts any more: forges shut out an address after some tens of failed sign-ins. ``stall`` ends a transfer that
    stands still. ``local_remotes`` allows paths as remotes, for tests.
    """

    def __init__(
        self,
        *,
        authorization: Mapping[str, str] | None = None,
        ca_bundle: Path | None = None,
        timeout: float = 120.0,
        stall: float = 30.0,
        executable: str = "git",
        local_remotes: bool = False,
    ) -> None:
        self.timeout = timeout
        self._authorization = dict(authorization or {})
        self._ca_bundle = ca_bundle
        self._stall = stall
        self._executable = executable
        self._local_remotes = local_remotes
        self._refused: SignInRefused | None = None

    def __repr__(self) -> str:
        return f"Git({', '.join(self._authorization) or 'no account'})"

    def run(
        self,
        arguments: Sequence[str],
        *,
        git_dir: Path | None,
        operands: Sequence[str] = (),
        stdin: bytes | Iterable[bytes] | None = None,
        timeout: float | None = None,
        remote: bool = False,
        max_file_bytes: int | None = None,
        max_output: int = MAX_OUTPUT,
    ) -> bytes:
        """Run a command and return what it wrote to stdout.

        ``arguments`` are ours, ``operands`` come from outside and may not begin with "-" (ValueError). ``timeout``
        counts from the start, or from the last chunk of ``stdin`` that git took. ``max_file_bytes`` bounds each file
        that it writes. Raise GitMissing, GitTimeout and what ``failures`` makes of git's messages.
        """
        seconds = self.timeout if timeout is None else timeout
        with self._start(arguments, operands, git_dir, seconds, max_output, remote=remote) as process:
            if max_file_bytes is not None:
                process.limit_files(max_file_bytes, git_dir)
            for chunk in [stdin] if isinstance(stdin, bytes) else stdin or ():
                if not process.write(chunk):
                    break
                process.extend(seconds)
            ended = self._end(process, arguments[0], operands, seconds, remote=remote)
        if ended.failure is not None:
            raise ended.failure
        return ended.output

    def attempt(
        self, arguments: Sequence[str], *, git_dir: Path, operands: Sequence[str], timeout: float | None = None
    ) -> Ended:
        """Run a command that reaches the server and return how it ended, for one that tells more than a status.

        Raise GitMissing and GitTimeout.
        """
        seconds = self.timeout if timeout is None else timeout
        with self._start(arguments, operands, git_dir, seconds, MAX_OUTPUT, remote=True) as process:
            return self._end(process, arguments[0], operands, seconds, remote=True)

    @contextmanager
    def stream(
        self, arguments: Sequence[str], *, git_dir: Path, operands: Sequence[str] = (), timeout: float | None = None
    ) -> Iterator[Stream]:
        """Run a local command that answers requests on stdin, and end it on leaving. ``timeout`` is per request."""
        seconds = self.timeout if timeout is None else timeout
        with self._start(arguments, operands, git_dir, seconds, None, remote=False) as process:
            yield Stream(process, arguments[0], seconds)

    def _start(
        self,
        arguments: Sequence[str],
        operands: Sequence[str],
        git_dir: Path | None,
        timeout: float,
        max_output: int | None,
        *,
        remote: bool,
    ) -> _Process:
        if remote and self._refused is not None:
            raise SignInRefused(self._refused.message)
        executable, version = located(self._executable)
        settings: list[environment.Setting] = []
        if git_dir is not None:
            settings.append(("safe.directory", str(git_dir)))  # a cache on a mounted disk may belong to another uid
        if self._local_remotes:
            settings.append(("protocol.file.allow", "always"))
        if remote:
            settings += environment.remote_settings(self._authorization, self._ca_bundle, self._stall)
        # An explicit directory, even where none is needed: git must not find a repository around us and obey it.
        where = os.devnull if git_dir is None else os.path.abspath(git_dir)  # noqa: PTH100  # pathlib has no such form
        command = [executable, "--git-dir", where, *arguments, *operands_only(operands)]
        return _Process(command, environment.variables(settings, version), timeout, max_output)

    def _end(self, process: _Process, command: str, operands: Sequence[str], timeout: float, *, remote: bool) -> Ended:
        output, messages, status = process.finish()
        if process.timed_out:
            raise GitTimeout(f"git {command}{with_server(operands)} did not finish within {timeout:.0f} seconds.")
        if process.overflowed:
            raise HostileRepository(f"git {command} gave more output than makes sense here.")
        if status == 0:
            return Ended(output, "", None)
        secrets = environment.secrets_in(self._authorization)
        why = failure(command, messages, status=status, remote=remote, operands=operands, secrets=secrets)
        if isinstance(why, SignInRefused):
            self._refused = why
        return Ended(output, server_words(messages.decode("utf-8", "replace"), secrets), why)


class Stream:
    """A running batch command. Every request gets the whole time limit again."""

    def __init__(self, process: _Process, command: str, timeout: float) -> None:
        self._process = process
        self._command = command
        self._timeout = timeout

    def write(self, data: bytes) -> None:
        """Send a request."""
        self._process.extend(self._timeout)
        if not self._process.write(data):
            raise self._ended()

    def read_line(self) -> bytes:
        """Return the next line without its end."""
        self._process.extend(self._timeout)
        line = self._process.stdout.readline()
        if not line.endswith(b"\n"):
            raise self._ended()
        return line[:-1]

    def read(self, size: int) -> bytes:
        """Return exactly ``size`` bytes."""
        self._process.extend(self._timeout)
        data = self._process.stdout.read(size)
        if len(data) != size:
            raise self._ended()
        return data

    def _ended(self) -> GitError:
        if self._process.timed_out:
            return GitTimeout(f"git {self._command} did not answer within {self._timeout:.0f} seconds.")
        _, messages, status = self._process.finish()
        return failure(self._command, messages or b"fatal: bad object", status=status, remote=False)


class _Process:
    """A child in a session of its own; leaving the context ends all of it, however it is left."""

    def __init__(
        self, arguments: Sequence[str], variables: Mapping[str, str], timeout: float, max_output: int | None
    ) -> None:
        self.timed_out = False
        self.overflowed = False
        self._max_output = max_output
        self._output = bytearray()
        self._messages = bytearray()
        self._changed = threading.Condition()
        self._deadline = time.monotonic() + timeout
        self._over = False
        self._bounded: tuple[int, Path] | None = None
        try:
            self._child = subprocess.Popen(
                list(arguments),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=os.path.abspath(os.sep),  # noqa: PTH100  # the root: exists always, and no folder of a student
                env=dict(variables),
                start_new_session=True,
            )
        except FileNotFoundError as error:
            raise GitMissing("git has vanished from this machine.") from error

    def __enter__(self) -> _Process:
        self._threads = [threading.Thread(target=self._drain_messages, daemon=True)]
        if self._max_output is not None:
            self._threads.append(threading.Thread(target=self._drain_output, daemon=True))
        watcher = threading.Thread(target=self._watch, daemon=True)
        for thread in (*self._threads, watcher):
            thread.start()
        self._threads.append(watcher)
        return self

    def __exit__(self, *_: object) -> None:
        self._kill()
        self._child.wait()
        with self._changed:
            self._over = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()
        for stream in (self._child.stdin, self._child.stdout, self._child.stderr):
            with suppress(OSError):
                _pipe(stream).close()

    @property
    def stdout(self) -> IO[bytes]:
        """What the child writes; only to be read when no limit on the output was given."""
        return _pipe(self._child.stdout)

    def limit_files(self, size: int, git_dir: Path | None) -> None:
        """Bound every file that the child and its children write; off Linux by looking twice a second at the packs."""
        try:
            import resource

            resource.prlimit(self._child.pid, resource.RLIMIT_FSIZE, (size, size))
        except (ImportError, AttributeError):
            with self._changed:
                self._bounded = (size, git_dir) if git_dir is not None else None
                self._changed.notify_all()
        except ProcessLookupError:
            return  # it is over already

    def extend(self, seconds: float) -> None:
        """Let the child run for so many seconds from now."""
        self._deadline = time.monotonic() + seconds

    def write(self, data: bytes) -> bool:
        """Write and flush; False if the child reads no more."""
        try:
            _pipe(self._child.stdin).write(data)
            _pipe(self._child.stdin).flush()
        except (BrokenPipeError, ValueError):
            return False
        except OSError:
            if os.name == "nt":  # Windows says EINVAL where others say EPIPE
                return False
            raise
        return True

    def finish(self) -> tuple[bytes, bytes, int]:
        """Close stdin, wait, and return stdout, stderr and the exit status."""
        with suppress(OSError):
            _pipe(self._child.stdin).close()
        for thread in self._threads[:-1]:
            thread.join()
        status = self._child.wait()
        return bytes(self._output), bytes(self._messages), status

    def _drain_output(self) -> None:
        limit = self._max_output or 0
        while chunk := self.stdout.read1(65_536):  # type: ignore[attr-defined]  # Popen's pipes are buffered readers
            if len(self._output) + len(chunk) > limit:
                self.overflowed = True
                self._kill()
                return
            self._output += chunk

    def _drain_messages(self) -> None:
        while chunk := _pipe(self._child.stderr).read1(65_536):  # type: ignore[attr-defined]  # as above
            self._messages += chunk[: MAX_MESSAGES - len(self._messages)]

    def _watch(self) -> None:
        with self._changed:
            while not self._over:
                left = self._deadline - time.monotonic()
                if left <= 0 or self._too_large():
                    self.timed_out, self.overflowed = left <= 0, left > 0
                    self._kill()
                    return
                self._changed.wait(left if self._bounded is None else min(left, _LOOK))

    def _too_large(self) -> bool:
        if self._bounded is None:
            return False
        size, git_dir = self._bounded
        with suppress(OSError):  # git renames them
            return any(path.stat().st_size > size for path in git_dir.glob("objects/pack/tmp_*"))
        return False

    def _kill(self) -> None:
        """End the child and everything it started; git leaves transports and index-pack behind otherwise."""
        if self._child.returncode is not None:
            return  # it ended by itself and its number may belong to somebody else by now
        if hasattr(os, "killpg"):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._child.pid, signal.SIGKILL)
        else:
            self._child.kill()


def operands_only(operands: Sequence[str]) -> Sequence[str]:
    """Return the operands; ValueError if git would take one for an option."""
    for operand in operands:
        if operand.startswith("-") or not operand or "\0" in operand:
            raise ValueError(f"{operand!r} cannot be an operand of git")
    return operands


@functools.lru_cache(maxsize=8)
def located(executable: str) -> tuple[str, environment.Version]:
    """Return the full path of git and its version. Raise GitMissing."""
    path = shutil.which(executable)
    if path is None:
        raise GitMissing("There is no git on this machine.")
    said = _version_line(path)
    found = re.match(r"git version (\d+)\.(\d+)", said)
    if found is None:
        raise GitMissing(f"{executable} does not say which version of git it is.")
    version = (int(found.group(1)), int(found.group(2)))
    if version < OLDEST:
        raise GitMissing(f"git {version[0]}.{version[1]} is too old.")
    return path, version


def check_git(executable: str = "git") -> str:
    """Return the version of the git that would be used ("2.39.5"). Raise GitMissing."""
    path, _ = located(executable)
    return _version_line(path).removeprefix("git version ").strip()


def git_credential_fill(url: str) -> tuple[str, str] | None:
    """Return user name and password that git's own credential helpers hold for the URL, None if they have none.

    The one call that reads the user's configuration of git. Nobody is asked, on a terminal or in a window.
    """
    if any(ord(c) < 33 for c in url):
        raise ValueError("a URL holds no spaces or control characters")
    try:
        path, _ = located("git")
    except GitMissing:
        return None
    with _Process([path, "credential", "fill"], environment.unconfigured(), _CREDENTIAL_TIMEOUT, 100_000) as process:
        process.write(f"url={url}\n\n".encode())
        output, _, status = process.finish()
        if status != 0 or process.timed_out or process.overflowed:
            return None
    lines = [line.partition("=") for line in output.decode("utf-8", "replace").splitlines()]
    said = {key: value for key, _, value in lines}
    if not said.get("password"):
        return None
    return said.get("username", ""), said["password"]


def _version_line(path: str) -> str:
    with _Process([path, "--version"], environment.variables([], OLDEST), _CREDENTIAL_TIMEOUT, 10_000) as process:
        return process.finish()[0].decode("utf-8", "replace")


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise CacheCorrupt("git was started without pipes")
    return stream
