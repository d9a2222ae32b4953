"""A development server in a process of its own, for tests and the demo."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType

START_SECONDS = 30.0
STOP_SECONDS = 10.0


class StartError(Exception):
    """The server did not start; the message is what it printed."""


class RunningServer:
    """Start the server on ``state`` on entry and end it on exit; ``url`` and ``admin_token`` are set in between.

    Without ``port`` any free one is taken. Raise StartError.
    """

    def __init__(self, state: Path, *, port: int = 0) -> None:
        self.state = state
        self.port = port
        self.url = ""
        self.admin_token = ""
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> RunningServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The server's process id."""
        if self._process is None:
            raise StartError("the server is not running")
        return self._process.pid

    def start(self) -> None:
        """Start the server and wait until it takes requests."""
        self.state.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="git-exchange-devserver-") as place:
            ready, output = Path(place) / "ready", Path(place) / "output"
            command = [
                *(sys.executable, "-m", "git_exchange.devserver", "--port", str(self.port)),
                *("--state", str(self.state), "--ready-file", str(ready)),
            ]
            with output.open("wb") as file:
                self._process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, env=_environment()
                )
            deadline = time.monotonic() + START_SECONDS
            while not ready.exists():
                if self._process.poll() is not None or time.monotonic() > deadline:
                    self.stop()
                    raise StartError(output.read_text(encoding="utf-8", errors="replace").strip())
                time.sleep(0.02)
            announced = json.loads(ready.read_text(encoding="utf-8"))
        self.url, self.admin_token = announced["url"], announced["admin_token"]

    def stop(self) -> None:
        """End the server cleanly; one that does not end is killed."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill the server as a crash would."""
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(number)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _environment() -> dict[str, str]:
    """Return the environment with the package importable, wherever this process found it."""
    root = str(Path(__file__).parent.parent.parent)
    paths = [root, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths))}
