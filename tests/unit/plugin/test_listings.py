from __future__ import annotations

from collections.abc import Iterator

import pytest

from git_exchange.errors import ForgeUnreachable, NotFound
from git_exchange.plugin import listings


@pytest.fixture(autouse=True)
def empty() -> Iterator[None]:
    listings._kept.clear()
    yield
    listings._kept.clear()


class Forge:
    """Count the questions; answer or fail as told."""

    def __init__(self) -> None:
        self.asked = 0
        self.error: Exception | None = None

    def __call__(self) -> int:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return self.asked


def never(age: float, error: Exception) -> None:
    raise AssertionError(f"not stale: {age} {error}")


def test_within_its_seconds_the_forge_is_asked_once() -> None:
    forge = Forge()
    assert [listings.remembered(("k",), 60, forge, never) for _ in range(22)] == [1] * 22
    assert forge.asked == 1


def test_after_our_own_write_it_is_asked_again() -> None:
    forge = Forge()
    listings.remembered(("k",), 60, forge, never)
    listings.forget_listings()
    assert listings.remembered(("k",), 60, forge, never) == 2


def test_with_the_forge_down_the_last_good_answer_is_returned_and_marked() -> None:
    forge, ages = Forge(), []
    listings.remembered(("k",), 0, forge, never)
    forge.error = ForgeUnreachable("down")
    assert listings.remembered(("k",), 0, forge, lambda age, _: ages.append(age)) == 1
    assert len(ages) == 1


def test_without_an_earlier_answer_the_failure_is_raised() -> None:
    forge = Forge()
    forge.error = ForgeUnreachable("down")
    with pytest.raises(ForgeUnreachable):
        listings.remembered(("k",), 0, forge, never)


def test_a_refusal_is_no_outage() -> None:
    forge = Forge()
    listings.remembered(("k",), 0, forge, never)
    forge.error = NotFound("gone")
    with pytest.raises(NotFound):
        listings.remembered(("k",), 0, forge, never)


def test_what_is_kept_is_bounded() -> None:
    for number in range(listings.MAX_KEPT + 50):
        listings.remembered((str(number),), 60, Forge(), never)
    assert len(listings._kept) == listings.MAX_KEPT
