"""For all tests: the guard, and one development server per worker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import guard

HOME = guard.install()


@pytest.fixture(autouse=True)
def guarded() -> Iterator[None]:
    """Fail the test that touched the real home, global git configuration or an address off loopback."""
    guard.violations.clear()
    yield
    assert not guard.violations, f"this test touched what it must not: {guard.violations}"
