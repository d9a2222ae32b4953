"""Record what a real server answers: ``python -m tests.unit.forge_gitea.record BINARY``.

A throwaway instance of the binary is started, the scenario runs against it, and every answer that the adapter got is
written to ``recordings/<kind>-<version>.json``. Tokens and the server's address are replaced.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import requests

from git_exchange.forge.gitea import versions
from git_exchange.forge.gitea.adapter import Gitea
from git_exchange.forge.ports import Project
from git_exchange.secret import Token
from git_exchange.settings import Settings
from tests import realforge
from tests.unit.forge_gitea import scenario

FOLDER = Path(__file__).parent / "recordings"
ADDRESS = "https://forge.example"
KEPT = ("Content-Type", "Date", "Location", "X-Total-Count")


class Recorder:
    """The scenario's world on a real server, and what was answered there."""

    def __init__(self, forge: realforge.RealForge, folder: Path) -> None:
        self.answers: list[dict[str, Any]] = []
        self.commits: dict[str, str] = {}
        self._forge = forge
        self._folder = folder
        self._lock = threading.Lock()
        self._recording = True
        self._send = requests.adapters.HTTPAdapter.send
        subprocess.run(["git", "init", "-q", str(folder)], check=True)

    def connect(self, token: Token | None = None) -> Gitea:
        settings = Settings(url=self._forge.url, namespace=scenario.NAMESPACE, kind="gitea")
        return Gitea(settings, token or Token(self._forge.token, "the recorder"))

    def push(self, forge: Gitea, project: Project, token: Token, ref: str, name: str) -> str:
        self._recording = False
        watching = self.connect()
        tree = self._git("mktree", stdin="")
        parents = [branch.commit for branch in watching.branches(project.id, "") if branch.ref == ref]
        parents = [part for parent in parents for part in ("-p", parent)]
        commit = self.commits[name] = self._git("commit-tree", tree, *parents, "-m", f"{name}\n\nAssignment: ps1")
        url = forge.git_url(project).replace("://", f"://x:{token.value}@")
        self._git("push", "-q", url, f"{commit}:{ref}")
        limit = time.monotonic() + 30
        while not any(push.after == commit for push in watching.pushes(project.id)):
            assert time.monotonic() < limit, "the feed did not get the push"
            time.sleep(0.2)
        self._recording = True
        return commit

    def send(self, adapter: Any, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """Send a request, and keep the answer."""
        response = self._send(adapter, request, **options)
        if self._recording:
            entry = {
                "request": f"{request.method} {str(request.url).replace(self._forge.url, ADDRESS)}",
                "status": response.status_code,
                "headers": {name: response.headers[name] for name in KEPT if name in response.headers},
                "body": response.text.replace(self._forge.url, ADDRESS),
            }
            if "/tokens" in str(request.url) and response.status_code == 201:
                made = response.json()
                entry["body"] = json.dumps({**made, "sha1": f"{made['id']:040d}", "token_last_eight": "00000000"})
            with self._lock:
                self.answers.append(entry)
        return response

    def _git(self, *arguments: str, stdin: str = "") -> str:
        person = {f"GIT_{who}_{what}": "someone" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        dates = {"GIT_AUTHOR_DATE": "2000-01-01T00:00:00Z", "GIT_COMMITTER_DATE": "2000-01-01T00:00:00Z"}
        made = subprocess.run(
            ["git", "-C", str(self._folder), *arguments],
            input=stdin,
            env={**os.environ, **person, **dates, "GIT_TERMINAL_PROMPT": "0"},
            capture_output=True,
            text=True,
            check=True,
        )
        return made.stdout.strip()


def main(binary: str) -> Path:
    """Record with this binary; return the file."""
    with tempfile.TemporaryDirectory() as place, realforge.started(Path(binary), Path(place) / "forge") as forge:
        recorder = Recorder(forge, Path(place) / "work")
        said = recorder.connect().server().version

        def send(self: Any, request: requests.PreparedRequest, **options: Any) -> requests.Response:
            return recorder.send(self, request, **options)

        requests.adapters.HTTPAdapter.send = send  # type: ignore[assignment, method-assign]
        scenario.a_course_is_set_up_and_used(recorder)
    version = versions.parse(said)
    assert version is not None
    file = FOLDER / f"{version.kind}-{'.'.join(map(str, version.numbers))}.json"
    recording = {"version": said, "commits": recorder.commits, "answers": recorder.answers}
    file.write_text(json.dumps(recording, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return file


if __name__ == "__main__":
    print(main(sys.argv[1]))  # noqa: T201
