"""A hub that runs as a program of its own, and what a test asks it or its machine."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).parent.parent.parent
PROGRAMS = Path(sys.executable).parent


@dataclass(frozen=True)
class Hub:
    """The running hub and the folder that stands for its machine."""

    url: str
    folder: Path
    admin_token: str

    def asked(self, method: str, path: str, token: str | None = None, **options: Any) -> requests.Response:
        """Return the API's answer to its administrator, or to whom ``token`` belongs."""
        headers = {"Authorization": f"token {token or self.admin_token}"}
        return requests.request(method, f"{self.url}/hub/api{path}", headers=headers, timeout=120, **options)

    def record_of(self, username: str, **changed: object) -> dict[str, Any]:
        """Return what the hub keeps of the person's sign-in, changed if that is asked for."""
        answer = self.asked("GET", f"/users/{username}")
        if changed:
            record = {"auth_state": {**answer.json()["auth_state"], **changed}}
            answer = self.asked("PATCH", f"/users/{username}", json=record)
        answer.raise_for_status()
        kept: dict[str, Any] = answer.json()["auth_state"]
        return kept

    def home(self, username: str) -> Path:
        return self.folder / "homes" / username

    def environment_of_server(self, username: str) -> dict[str, str]:
        """Return the environment with which the person's server was started, as terminals in it have it."""
        for process in Path("/proc").iterdir():
            if process.name.isdecimal():
                try:
                    pairs = (process / "environ").read_text().split("\0")
                except OSError:
                    continue
                found = dict(pair.partition("=")[::2] for pair in pairs if pair)
                if found.get("JUPYTERHUB_USER") == username and str(self.folder) in found.get("HOME", ""):
                    return found
        raise AssertionError(f"no server of {username} runs")


@contextmanager
def running(configuration: Path, folder: Path, url: str, environment: Mapping[str, str]) -> Iterator[Hub]:
    """Run a hub with this configuration file until the end; ``TEST_*`` variables tell it what is different here."""
    token = secrets.token_hex(32)
    variables = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "JUPYTERHUB_CRYPT_KEY": secrets.token_hex(32),
        "TEST_HUB_API": free_address(),
        "TEST_FOLDER": str(folder),
        "TEST_ADMIN_TOKEN": token,
        **environment,
    }
    command = [str(PROGRAMS / "jupyterhub"), "--config", str(configuration)]
    log = folder / "log"
    with log.open("wb") as file:
        process = subprocess.Popen(command, env=variables, cwd=folder, stdout=file, stderr=file)
        try:
            _wait_until_it_answers(url, process, log)
            yield Hub(url, folder, token)
        finally:
            process.terminate()  # ends the servers that it has started
            process.wait(60)


def free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def _wait_until_it_answers(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    limit = time.monotonic() + 120
    while time.monotonic() < limit:
        assert process.poll() is None, log.read_text(errors="replace")[-4000:]
        try:
            if requests.get(f"{url}/hub/health", timeout=2).status_code == 200:
                return
        except requests.RequestException:
            pass
        time.sleep(0.1)  # polling a starting server, with a limit
    raise AssertionError(log.read_text(errors="replace")[-4000:])
