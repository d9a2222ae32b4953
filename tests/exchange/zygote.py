"""Run commands in processes that have imported nbgrader already: half of a command's three seconds are imports.

Each command is a fork of its own with its own environment, folder and output, as if it had been started from a shell.
Run as a program it listens on the Unix socket that its argument names.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType

START_SECONDS = 60.0


class Zygote:
    """The waiting process; ``run`` may be called from several threads at once."""

    def __enter__(self) -> Zygote:
        self._folder = tempfile.TemporaryDirectory(prefix="git-exchange-zygote-")
        self._address = str(Path(self._folder.name) / "socket")
        self._process = subprocess.Popen([sys.executable, "-m", "tests.exchange.zygote", self._address])
        deadline = time.monotonic() + START_SECONDS
        while not Path(self._address).exists():
            assert self._process.poll() is None, "the zygote did not start"
            assert time.monotonic() < deadline, "the zygote is not ready"
            time.sleep(0.05)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait()
        self._folder.cleanup()

    def run(
        self, module: str, arguments: list[str], folder: Path, environment: dict[str, str], timeout: float
    ) -> tuple[int, str]:
        """Return exit status and output of ``python -m module arguments``."""
        with tempfile.NamedTemporaryFile() as output, socket.socket(socket.AF_UNIX) as plug:
            plug.settimeout(timeout)
            plug.connect(self._address)
            request = {
                "module": module,
                "arguments": arguments,
                "folder": str(folder),
                "environment": environment,
                "output": output.name,
            }
            plug.sendall(json.dumps(request).encode() + b"\n")
            status = plug.makefile().readline()
            return int(status or "-1"), Path(output.name).read_text(encoding="utf-8", errors="replace")


def serve(address: str) -> None:
    """Import what commands need, then fork for each connection."""
    import signal

    import gitlab.v4.objects  # noqa: F401 - for the forks

    import git_exchange.cli.main
    import git_exchange.forge.gitlab.adapter
    import git_exchange.plugin.auth
    import git_exchange.plugin.collect
    import git_exchange.plugin.fetch_assignment
    import git_exchange.plugin.fetch_feedback
    import git_exchange.plugin.list
    import git_exchange.plugin.release_assignment
    import git_exchange.plugin.release_feedback
    import git_exchange.plugin.submit  # noqa: F401 - for the forks

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address + ".new")
        listener.listen(16)
        Path(address + ".new").rename(address)
        while True:
            plug, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                status = -1
                try:
                    status = _command(json.loads(plug.makefile().readline()))
                finally:
                    plug.sendall(f"{status}\n".encode())
                    os._exit(0)
            plug.close()


def _command(request: dict[str, object]) -> int:
    import atexit
    import runpy
    import warnings

    output = os.open(str(request["output"]), os.O_WRONLY)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for target, source in ((0, nothing), (1, output), (2, output)):
        os.dup2(source, target)
    environment = request["environment"]
    arguments = request["arguments"]
    assert isinstance(environment, dict)
    assert isinstance(arguments, list)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    os.chdir(str(request["folder"]))
    sys.path.insert(0, str(request["folder"]))
    module = str(request["module"])
    sys.argv = [module, *arguments]
    warnings.filterwarnings("ignore", "'git_exchange.cli.main' found in sys.modules", RuntimeWarning)
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1
    except BaseException:  # noqa: BLE001 - what ends a process with a traceback
        sys.excepthook(*sys.exc_info())
        status = 1
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return status


if __name__ == "__main__":
    serve(sys.argv[1])
