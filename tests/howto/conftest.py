"""A real server with the settings of the how-to page, if there is a program to start."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import realforge
from tests.howto.pages import forgejo_ini
from tests.realforge import RealForge

NEEDS_A_SERVER = ["test_forgejo_settings.py", "test_sign_in.py"]

# A server that runs already has settings of its own, so that only a program that we start will do.
BINARY = realforge.binary()

collect_ignore = [] if BINARY is not None else NEEDS_A_SERVER


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if BINARY is None:
        terminalreporter.write_line(
            "how-to page: no program forgejo or gitea to start: its settings and its sign-in were not tested."
        )


@pytest.fixture(scope="package")
def forge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealForge]:
    assert BINARY is not None
    with realforge.started(BINARY, tmp_path_factory.mktemp("forge"), immediate=True, extra=forgejo_ini()) as forge:
        yield forge
