"""For all tests: the guard, and one development server per worker."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests import guard

HOME = guard.install()


# Suites whose modules start servers, or prepare a course, for all of their tests.
BY_MODULE = ("archive", "collector", "demo", "faults", "hostile", "howto", "jupyterhub", "lti_platform", "pages")


class SharingWorkers(LoadScopeScheduling):
    """One test after another to whoever is free; tests that share what is costly to start stay on one worker."""

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith("tests/browser/"):
            return "tests/browser"
        return nodeid.partition("::")[0] if nodeid.split("/")[1] in BY_MODULE else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    return SharingWorkers(config, log)


@pytest.fixture(autouse=True)
def guarded() -> Iterator[None]:
    """Fail the test that touched the real home, global git configuration or an address off loopback."""
    guard.violations.clear()
    yield
    assert not guard.violations, f"this test touched what it must not: {guard.violations}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """With -n this process has not read the suites' own conftest files, which say what did not run."""
    if not config.option.numprocesses or config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        return
    for path in sorted(Path(__file__).parent.glob("*/conftest.py")):
        suite = importlib.import_module(f"tests.{path.parent.name}.conftest")
        if hasattr(suite, "pytest_terminal_summary") and not config.pluginmanager.has_plugin(str(path)):
            suite.pytest_terminal_summary(terminalreporter)
