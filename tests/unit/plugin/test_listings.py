from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from git_exchange.errors import ForgeUnreachable, GitTimeout, NotFound, RemoteUnreachable
from git_exchange.plugin import listings


@pytest.fixture(autouse=True)
def empty() -> Iterator[None]:
    listings._kept.clear()
    listings._outages.clear()
    listings._opened.clear()
    yield
    listings._kept.clear()
    listings._outages.clear()
    listings._opened.clear()


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


def test_while_the_forge_is_down_it_is_asked_once_and_not_for_every_construction_of_a_list() -> None:
    forge, ages = Forge(), []
    forge.error = ForgeUnreachable("down")
    for _ in range(22):
        with pytest.raises(ForgeUnreachable):
            listings.remembered(("k",), 60, forge, never)
    assert forge.asked == 1
    listings.forget_listings()
    forge.error = None
    assert listings.remembered(("k",), 60, forge, never) == 2
    listings.forget_listings()
    forge.error = ForgeUnreachable("down")
    for _ in range(22):
        assert listings.remembered(("k",), 60, forge, lambda age, _: ages.append(age)) == 2
    assert forge.asked == 3
    assert len(ages) == 22


@pytest.mark.parametrize("error", [RemoteUnreachable("cut"), GitTimeout("slow")])
def test_an_outage_of_the_git_side_is_an_outage(error: Exception) -> None:
    forge, ages = Forge(), []
    listings.remembered(("k",), 0, forge, never)
    forge.error = error
    assert listings.remembered(("k",), 0, forge, lambda age, _: ages.append(age)) == 1
    assert len(ages) == 1


def test_an_answer_that_was_asked_for_before_our_own_write_is_not_kept_as_fresh() -> None:
    forge = Forge()

    def slow() -> int:
        answer = forge()
        listings.forget_listings()  # another thread has submitted meanwhile
        return answer

    assert listings.remembered(("k",), 60, slow, never) == 1
    assert listings.remembered(("k",), 60, forge, never) == 2


def test_a_forge_that_is_down_is_down_for_every_question_and_no_other_forge_is() -> None:
    here, there = ("url", "namespace", "rule", "who"), ("other", "namespace", "rule", "who")
    forge = Forge()
    assert listings.remembered((*here, "submitted"), 0, forge, never) == 1
    forge.error = ForgeUnreachable("down")
    with pytest.raises(ForgeUnreachable):
        listings.remembered((*here, "released"), 60, forge, never)
    ages: list[float] = []
    assert listings.remembered((*here, "submitted"), 0, forge, lambda age, _: ages.append(age)) == 1
    assert (forge.asked, len(ages)) == (2, 1)
    assert listings.remembered((*there, "released"), 60, Forge(), never) == 1


class Opened:
    """Count how often a course is opened; what is asked of it is how often that was."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> Any:
        self.times += 1
        return self.times


def test_the_questions_of_one_page_share_the_course() -> None:
    course = Opened()
    assert [listings.of_course(("k",), 60, course, str) for _ in range(3)] == ["1", "1", "1"]
    assert listings.of_course(("k",), 0, course, str) == "2"
    listings.forget_listings()
    assert listings.of_course(("k",), 60, course, str) == "3"


def test_a_course_of_which_a_question_failed_is_opened_again() -> None:
    course = Opened()

    def fail(_: object) -> str:
        raise NotFound("gone")

    listings.of_course(("k",), 60, course, str)
    with pytest.raises(NotFound):
        listings.of_course(("k",), 60, course, fail)
    assert listings.of_course(("k",), 60, course, str) == "2"
