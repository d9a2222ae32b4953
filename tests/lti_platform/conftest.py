"""A real LTI platform, Open edX's, in a process and an interpreter of its own."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from git_exchange.provisioning.lms.keys import ToolKey, make_key, public_pem
from tests.exchange.conftest import classroom, server, zygote

__all__ = ["classroom", "server", "zygote"]

HERE = Path(__file__).parent
VARIABLE = "GIT_EXCHANGE_TEST_LTI_PLATFORM_PYTHON"
PYTHON = Path(os.environ.get(VARIABLE) or HERE.parent.parent / ".venv-lti" / "bin" / "python")
MISSING = (
    f"lti_platform: did not run, as Open edX's LTI platform is not installed: python3 -m venv .venv-lti &&"
    f" .venv-lti/bin/pip install -r tests/lti_platform/requirements.txt (or name its interpreter in {VARIABLE})"
)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not PYTHON.exists():
        terminalreporter.write_line(MISSING)


@dataclass(frozen=True)
class Registered:
    """What the platform's form shows for a tool in one course."""

    client_id: str
    token_url: str
    memberships_url: str
    context_id: str


@dataclass(frozen=True)
class LtiPlatform:
    """The running platform, and our key, which it knows."""

    url: str
    key_file: Path
    key: ToolKey
    course: Registered
    crowded: Registered


@pytest.fixture(scope="session")
def lti(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LtiPlatform]:
    if not PYTHON.exists():
        pytest.skip(MISSING)
    folder = tmp_path_factory.mktemp("lti")
    key = make_key(folder / "key.pem")
    (folder / "tool.pem").write_text(public_pem(key))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([PYTHON, HERE / "server.py", folder], stdout=log, stderr=log, cwd=folder)
        try:
            ready = _wait(process, folder)
            yield LtiPlatform(
                ready["url"],
                folder / "key.pem",
                key,
                _registered(ready["url"], ready["course"]),
                _registered(ready["url"], ready["crowded"]),
            )
        finally:
            process.terminate()
            process.wait(20)


def _wait(process: subprocess.Popen[bytes], folder: Path) -> dict[str, Any]:
    limit = time.monotonic() + 120
    while not (folder / "ready.json").exists():
        assert process.poll() is None, (folder / "log").read_text()
        assert time.monotonic() < limit, "the platform did not start"
        time.sleep(0.05)
    found: dict[str, Any] = json.loads((folder / "ready.json").read_text())
    return found


def _registered(url: str, said: dict[str, str]) -> Registered:
    return Registered(said["client_id"], url + said["token"], url + said["memberships"], said["context_id"])
