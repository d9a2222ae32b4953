"""Deadlines: late or not, and which attempt counts."""

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_exchange.rules.attempt import Attempt
from git_exchange.rules.deadline import choose, effective_due, recorded_time, verdict

DUE = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)
TICK = timedelta(microseconds=1)


def attempt(number: int, minutes: float, since: float | None = None) -> Attempt:
    time = DUE + timedelta(minutes=minutes)
    return Attempt(
        number=number,
        commit=str(number) * 40,
        tree="t",
        time=time,
        pushed_at=time,
        not_before=None if since is None else DUE + timedelta(minutes=since),
        settled=True,
        pinned=False,
        source="push-event",
        pushed_by="alice",
        event_id=1,
    )


@pytest.mark.parametrize(
    ("minutes", "since", "expected"),
    [
        (-1, None, "on-time"),
        (-1, -6, "on-time"),
        (0, -5, "on-time"),
        (1, -4, "undecided"),
        (1, None, "undecided"),
        (1, 0, "late"),
        (9, 4, "late"),
    ],
)
def test_an_attempt_is_late_only_if_its_whole_interval_is(minutes: float, since: float | None, expected: str) -> None:
    assert verdict(attempt(1, minutes, since), DUE) == expected


def test_without_a_due_date_nothing_is_late() -> None:
    assert verdict(attempt(1, 9999, 9998), None) == "on-time"


def test_one_microsecond_decides() -> None:
    exact = attempt(1, 0, 0)
    assert verdict(exact, DUE) == "on-time"
    assert verdict(exact, DUE - TICK) == "late"


def test_an_extension_never_takes_time_away() -> None:
    later = DUE + timedelta(days=1)
    assert effective_due(DUE, later) == later
    assert effective_due(later, DUE) == later
    assert effective_due(DUE, None) == DUE
    assert effective_due(None, later) is None
    assert effective_due(None, None) is None


def test_the_newest_counts() -> None:
    found = [attempt(1, -5, -6), attempt(2, 5, 4)]
    assert choose(found, DUE, before_due=False) == found[1]
    assert choose(found, None, before_due=True) == found[1]


def test_before_the_due_date_the_newest_in_time_counts() -> None:
    found = [attempt(1, -5, -6), attempt(2, -1, -2), attempt(3, 5, 4)]
    assert choose(found, DUE, before_due=True) == found[1]


def test_if_all_are_late_the_newest_counts_all_the_same() -> None:
    found = [attempt(1, 5, 4), attempt(2, 6, 5)]
    assert choose(found, DUE, before_due=True) == found[1]


def test_an_undecided_attempt_counts_as_on_time() -> None:
    found = [attempt(1, -5, -6), attempt(2, 1, -4), attempt(3, 9, 4)]
    assert choose(found, DUE, before_due=True) == found[1]
    assert recorded_time(found[1], DUE) == DUE


def test_the_recorded_time_is_the_attempts_own_when_it_is_decided() -> None:
    for one in (attempt(1, -5, -6), attempt(2, 5, 4)):
        assert recorded_time(one, DUE) == one.time
    assert recorded_time(attempt(1, 1, -4), None) == attempt(1, 1).time


def test_without_attempts_there_is_nothing_to_choose() -> None:
    assert choose([], DUE, before_due=True) is None
    assert choose((), None, before_due=False) is None


@given(st.lists(st.tuples(st.integers(-20, 20), st.none() | st.integers(0, 10)), min_size=1, max_size=6), st.booleans())
def test_the_chosen_one_is_recorded_late_only_if_nothing_else_could_be(
    spans: list[tuple[int, int | None]], before_due: bool
) -> None:
    found = [
        attempt(number, minutes, None if width is None else minutes - width)
        for number, (minutes, width) in enumerate(sorted(spans, key=lambda span: span[0]))
    ]
    chosen = choose(found, DUE, before_due)
    assert chosen is not None
    if recorded_time(chosen, DUE) > DUE:
        assert verdict(chosen, DUE) == "late"
        assert not before_due or all(verdict(one, DUE) == "late" for one in found)
