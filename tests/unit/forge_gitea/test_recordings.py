"""The adapter against what real servers answered (``record`` says how they were asked)."""

from __future__ import annotations

import json
import re
import threading
from collections import defaultdict, deque
from pathlib import Path
from typing import Any

import pytest
import requests
import responses

from git_exchange.forge.gitea.adapter import Gitea
from git_exchange.forge.ports import Project
from git_exchange.secret import Token
from git_exchange.settings import Settings
from tests.unit.forge_gitea import scenario
from tests.unit.forge_gitea.record import ADDRESS, FOLDER

RECORDINGS = sorted(FOLDER.glob("*.json"))


class Replay:
    """The scenario's world without a server: each request gets what it got then, the same one in the same order."""

    def __init__(self, recording: dict[str, Any]) -> None:
        self.left: defaultdict[str, deque[dict[str, Any]]] = defaultdict(deque)
        for answer in recording["answers"]:
            self.left[answer["request"]].append(answer)
        self._commits: dict[str, str] = recording["commits"]
        self._lock = threading.Lock()

    def connect(self, token: Token | None = None) -> Gitea:
        settings = Settings(url=ADDRESS, namespace=scenario.NAMESPACE, kind="gitea")
        return Gitea(settings, token or Token("0" * 40, "the test"))

    def push(self, forge: Gitea, project: Project, token: Token, ref: str, name: str) -> str:
        return self._commits[name]

    def answer(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        asked = f"{request.method} {request.url}"
        with self._lock:
            assert self.left[asked], f"not recorded, or not so often: {asked}"
            found = self.left[asked].popleft()
        return found["status"], found["headers"], found["body"]


@pytest.mark.parametrize("file", RECORDINGS, ids=lambda file: file.stem)
def test_every_call_understands_what_the_server_answered(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replay = Replay(json.loads(file.read_text(encoding="utf-8")))
    with responses.RequestsMock(assert_all_requests_are_fired=False) as server:
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            server.add_callback(method, re.compile(".*"), replay.answer, content_type=None)
        scenario.a_course_is_set_up_and_used(replay)
    assert not {asked: len(answers) for asked, answers in replay.left.items() if answers}


def test_there_are_recordings() -> None:
    assert RECORDINGS


@pytest.mark.parametrize("file", RECORDINGS, ids=lambda file: file.stem)
def test_a_recording_holds_no_token_and_no_address_of_a_machine(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert "127.0.0.1" not in text
    for answer in json.loads(text)["answers"]:
        if "/tokens" in answer["request"] and answer["status"] == 201:
            assert set(json.loads(answer["body"])["sha1"][:30]) == {"0"}
