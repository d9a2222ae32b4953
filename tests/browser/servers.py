"""A person's own Jupyter server: a home, a configuration, a token and a port of its own."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests

from git_exchange.demo.people import Someone

START_SECONDS = 120.0

# What would ask servers in the internet: for news, for a newer JupyterLab.
QUIET = {"fetchNews": "false", "checkForUpdates": False}


@dataclass(frozen=True)
class Server:
    """A running ``jupyter lab`` of this person; ``secret`` is what its browser signs in with."""

    someone: Someone
    url: str
    log: Path
    secret: str = field(repr=False)

    def address(self, path: str) -> str:
        """Return the address of a page, signed in."""
        return f"{self.url}/{path}?token={self.secret}"


@contextmanager
def running(*people: tuple[Someone, Path], without: tuple[str, ...] = ()) -> Iterator[list[Server]]:
    """Start a server for each (person, folder), all at the same time, and end them afterwards.

    ``without`` names variables that their environment lacks.
    """
    started: list[tuple[Server, subprocess.Popen[bytes]]] = []
    try:
        for someone, folder in people:
            started.append(_start(someone, folder, without))
        for server, process in started:
            _wait_until_it_answers(server, process)
        yield [server for server, _ in started]
    finally:
        for _, process in started:
            process.terminate()
        for _, process in started:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _start(someone: Someone, folder: Path, without: tuple[str, ...]) -> tuple[Server, subprocess.Popen[bytes]]:
    settings = someone.place / "home" / ".jupyter" / "lab" / "user-settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True, exist_ok=True)
    (settings / "notification.jupyterlab-settings").write_text(json.dumps(QUIET))
    port = _free_port()
    server = Server(someone, f"http://127.0.0.1:{port}", someone.place / "jupyter.log", secrets.token_hex(16))
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", f"--ServerApp.root_dir={folder}"),
        *(f"--ServerApp.port={port}", "--ServerApp.port_retries=0", "--ServerApp.ip=127.0.0.1"),
        "--LabApp.extension_manager=readonly",
        *(["--allow-root"] if os.geteuid() == 0 else []),
    ]
    environment = someone.environment() | {"JUPYTER_TOKEN": server.secret}
    for name in without:
        del environment[name]
    with server.log.open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    return server, process


def _wait_until_it_answers(server: Server, process: subprocess.Popen[bytes]) -> None:
    limit = time.monotonic() + START_SECONDS
    while time.monotonic() < limit:
        assert process.poll() is None, server.log.read_text(errors="replace")[-4000:]
        try:
            with requests.get(server.address("api/status"), timeout=10) as answer:
                if answer.status_code == 200:
                    return
        except requests.RequestException:
            pass
        time.sleep(0.1)  # polling a starting server, with a limit
    raise AssertionError(server.log.read_text(errors="replace")[-4000:])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
