"""Run an operation in a child of this process, which can be killed at each of its steps or get limits of its own.

A step is a request to the forge, a git command (started, running, ended) or a change of a name in the file system.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from git_exchange.errors import GitExchangeError
from git_exchange.forge.http import BoundSession
from git_exchange.transport import command

SECONDS = 30.0


@dataclass(frozen=True)
class Died:
    """How the child ended: "done", "killed" or what went wrong; the steps that it made, and what the last one was."""

    how: str
    steps: int
    last: str


def in_child(
    action: Callable[[], object], place: Path, *, kill_at: int = 0, max_file: int = 0, user: int | None = None
) -> Died:
    """Do it in a forked child and wait; ``kill_at`` (from 1) kills it with SIGKILL before that step.

    ``max_file`` limits the size of every file that it and its children write, ``user`` is whose rights it has.
    """
    record, said = place / "steps", place / "said"
    for file in (record, said):
        file.unlink(missing_ok=True)
        file.touch()
        file.chmod(0o666)
    sys.stdout.flush()
    sys.stderr.flush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads: those here only pass bytes on
        child = os.fork()
    if child == 0:
        _child(action, record, said, kill_at, max_file, user)
    status = _wait(child)
    steps = record.read_text().splitlines()
    last = steps[-1] if steps else ""
    if os.WIFSIGNALED(status):
        how = "killed" if os.WTERMSIG(status) == signal.SIGKILL else f"signal {os.WTERMSIG(status)}"
        return Died(how, len(steps), last)
    return Died(said.read_text(), len(steps), last)


def _wait(child: int) -> int:
    deadline = time.monotonic() + SECONDS
    while True:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return status
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            raise AssertionError(f"the operation did not end within {SECONDS} seconds")
        time.sleep(0.002)  # polling, with a limit


def _child(
    action: Callable[[], object], record: Path, said: Path, kill_at: int, max_file: int, user: int | None
) -> None:
    try:
        if user is not None:
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)
        _count_steps(record, kill_at)
        if max_file:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # as Python does: a write fails with EFBIG
            resource.setrlimit(resource.RLIMIT_FSIZE, (max_file, max_file))
        try:
            action()
            told = "done"
        except GitExchangeError as error:
            told = f"{type(error).__name__}: {error}"
        except BaseException:  # noqa: BLE001 - for the parent to see
            told = "TRACEBACK " + traceback.format_exc()
        # In place: with a limit on files there may be no room for another.
        said.write_text(told[-3000:])
    finally:
        os._exit(0)


def _count_steps(record: Path, kill_at: int) -> None:
    file = os.open(record, os.O_WRONLY | os.O_APPEND)
    made = 0

    def step(name: str) -> None:
        nonlocal made
        made += 1
        os.write(file, f"{name}\n".encode())
        if made == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    patch = pytest.MonkeyPatch()  # never undone: the child ends

    def around(owner: Any, name: str, *, after: bool = True) -> None:
        real = getattr(owner, name)

        def wrapped(*arguments: Any, **named: Any) -> Any:
            what = f"{owner.__name__}.{name} {_shown(arguments)}"
            step(f"before {what}")
            result = real(*arguments, **named)
            if after:
                step(f"after {what}")
            return result

        patch.setattr(owner, name, wrapped)

    around(BoundSession, "send")
    around(command._Process, "__init__")
    around(command._Process, "finish")
    for name in ("rename", "replace"):
        around(Path, name, after=False)


def _shown(arguments: tuple[Any, ...]) -> str:
    """Return what tells one step from another in a failing test's output."""
    for one in arguments[1:2]:
        if isinstance(one, list):
            return " ".join(one[3:5])
        return getattr(one, "path_url", None) or str(getattr(one, "name", ""))
    return ""
