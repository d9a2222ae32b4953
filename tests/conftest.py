"""For all tests: the guard, and one development server per worker."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests import guard

HOME = guard.install()


class OneWorkerForBrowsers(LoadScopeScheduling):
    """One test after another to whoever is free; those of ``tests/browser`` to one worker, as they share servers."""

    def _split_scope(self, nodeid: str) -> str:
        return "tests/browser" if nodeid.startswith("tests/browser/") else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    return OneWorkerForBrowsers(config, log)


@pytest.fixture(autouse=True)
def guarded() -> Iterator[None]:
    """Fail the test that touched the real home, global git configuration or an address off loopback."""
    guard.violations.clear()
    yield
    assert not guard.violations, f"this test touched what it must not: {guard.violations}"
