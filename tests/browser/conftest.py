"""The school that the browser looks at: a forge behind a gate, a course, and a Jupyter server for everybody."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, sync_playwright

from git_exchange.devserver import RunningServer
from git_exchange.secret import Token
from tests.browser.gate import Gate
from tests.browser.school import School
from tests.exchange.classroom import Classroom
from tests.exchange.zygote import Zygote

CHROMIUM = os.environ.get("GIT_EXCHANGE_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")

ARGUMENTS = [
    *("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # nothing leaves loopback
    *(["--no-sandbox"] if os.geteuid() == 0 else []),
]

collect_ignore_glob = [] if CHROMIUM else ["test_*.py"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not CHROMIUM:
        terminalreporter.write_line(
            "browser suite: there is no chromium on PATH (apt-get install chromium, or name one in"
            " GIT_EXCHANGE_TEST_CHROMIUM): nbgrader's pages were not tested."
        )


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture(scope="package")
def school(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    """A course with an instructor and two students, each with JupyterLab open."""
    place = tmp_path_factory.mktemp("school")
    with ExitStack() as stack:
        forge = stack.enter_context(RunningServer(place / "forge"))
        gate = stack.enter_context(Gate(forge.url))
        zygote = stack.enter_context(Zygote())
        classroom = Classroom(gate.url, Token(forge.admin_token), place, zygote)
        yield stack.enter_context(School.opened(classroom, gate, browser))
