"""A Jupyter server in a process of its own with nbgrader's pages, as one person runs it."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote

import requests

from git_exchange.demo.people import Someone

START_SECONDS = 60.0
TOKEN = "a-token-of-the-test"
PAGES = ("formgrader", "assignment_list", "validate_assignment", "course_list")


class LiveServer:
    """Start ``jupyter server`` in ``folder`` on entry, end it on exit."""

    def __init__(self, someone: Someone, folder: Path) -> None:
        self._someone = someone
        self._folder = folder
        self._log = someone.place / "server.log"

    def __enter__(self) -> LiveServer:
        place = self._someone.place / "home" / ".jupyter"
        place.mkdir(parents=True, exist_ok=True)
        chosen = {f"nbgrader.server_extensions.{name}": True for name in PAGES}
        others = dict.fromkeys(
            ("jupyterlab", "notebook", "notebook_shim", "jupyter_lsp", "jupyter_server_terminals"), False
        )
        (place / "jupyter_server_config.json").write_text(
            json.dumps({"ServerApp": {"jpserver_extensions": others | chosen}})
        )
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        command = [
            *(sys.executable, "-m", "jupyter_server", "--allow-root", "--no-browser", "--ip=127.0.0.1"),
            *(f"--port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}"),
            f"--ServerApp.root_dir={self._folder}",
        ]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self._folder,
                env=self._someone.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        limit = time.monotonic() + START_SECONDS
        while not self._answers():
            assert self._process.poll() is None, self.log()
            assert time.monotonic() < limit, self.log()
            time.sleep(0.05)  # polling a starting server, with a limit
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _answers(self) -> bool:
        try:
            with requests.get(f"{self.url}/api", timeout=5) as answer:
                return answer.ok
        except requests.RequestException:
            return False

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def page(self, path: str) -> str:
        """Return a page for people."""
        return self._ask("GET", path).text

    def get(self, path: str) -> Any:
        """Return what a page's program is answered."""
        return self._ask("GET", path).json()

    def post(self, path: str, **body: str) -> Any:
        return self._ask("POST", path, body).json()

    def _ask(self, method: str, path: str, body: dict[str, str] | None = None) -> requests.Response:
        headers = {"Authorization": f"token {TOKEN}"}
        answer = requests.request(method, f"{self.url}{path}", json=body, headers=headers, timeout=120)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text[:500]}\n{self.log()[-4000:]}"
        return answer


def assignments(course_id: str = "") -> str:
    """Return the address of the student's list."""
    return f"/assignments?course_id={quote(course_id)}" if course_id else "/assignments"
