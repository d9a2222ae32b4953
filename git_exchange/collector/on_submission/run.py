"""Start a confined command and wait for it: for so long, keeping so much of its output, and ending all of it."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import IO

from git_exchange.collector.on_submission.confinement import TIMED_OUT, Start
from git_exchange.errors import ConfigurationError

MAX_OUTPUT = 1_000_000
# The first process within ends the run at its limit by itself; this is for one that does not.
_LATER = 5.0
_LOOK = 0.5


@dataclass(frozen=True)
class Ended:
    """How it ended: exit status, the first ``MAX_OUTPUT`` bytes of what it wrote, and how long it took (seconds).

    ``cut`` says that it wrote more, ``timed_out`` that it was ended (by the time, or when everything was to stop).
    """

    status: int
    output: bytes
    seconds: float
    cut: bool = False
    timed_out: bool = False


def run(start: Start, seconds: float, stopping: threading.Event | None = None) -> Ended:
    """Run it for ``seconds`` at most, and until ``stopping``; nothing of it is left afterwards.

    Raise ConfigurationError if it cannot start.
    """
    begun = time.monotonic()
    until = begun + (seconds if start.ending else seconds + _LATER)
    try:
        child = subprocess.Popen(
            list(start.command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=os.path.abspath(os.sep),  # noqa: PTH100  # the root: exists always
            env=dict(start.variables),
            start_new_session=True,
        )
    except OSError as error:
        raise ConfigurationError(
            f"{start.command[0]} cannot be started: {error.strerror}.", hint="Install it, or correct the rule."
        ) from error
    assert child.stdout is not None  # noqa: S101 - it was asked for
    output = _Output(child.stdout)
    try:
        while child.returncode is None and time.monotonic() < until and not (stopping and stopping.is_set()):
            with suppress(subprocess.TimeoutExpired):
                child.wait(max(0.0, min(_LOOK, until - time.monotonic())))
        late = child.returncode is None
    finally:
        if child.returncode is None:
            _end(child, start)
    output.join(_LATER)
    took = time.monotonic() - begun
    late = late or (not start.ending and child.returncode == TIMED_OUT and took >= seconds)
    return Ended(child.returncode, bytes(output.kept), took, output.cut, late)


def _end(child: subprocess.Popen[bytes], start: Start) -> None:
    """End the process group; and the container, which is no child of its client."""
    if start.ending:
        with suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(
                list(start.ending),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=dict(start.variables),
                timeout=60,
                check=False,
            )
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


class _Output(threading.Thread):
    """Reads to the end, so that nobody waits at a full pipe, and keeps the beginning."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__(daemon=True)
        self.kept = bytearray()
        self.cut = False
        self._stream = stream
        self.start()

    def run(self) -> None:
        """Read."""
        with self._stream:
            while chunk := self._stream.read1(65_536):  # type: ignore[attr-defined]  # a buffered reader
                room = MAX_OUTPUT - len(self.kept)
                self.kept += chunk[:room]
                self.cut = self.cut or len(chunk) > room
