from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from git_exchange.rules.grades import Due, Ledger, Sent, agrees, dump, load, reserve

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=timezone.utc)
HERE = "https://lms.example.edu/lineitems"
ANN = Due("ann", "9", 7.5, 10.0)


def line(*, confirmed: bool, due: Due = ANN, time: datetime = NOW) -> Sent:
    return Sent(HERE, "ps1", due.student_id, due.lms_user_id, due.score, due.maximum, time, confirmed)


def ledger(*lines: Sent) -> Ledger:
    return {one.key: one for one in lines}


def again(known: Ledger, due: Due = ANN, now: datetime = NOW, *, overwrite: bool = False) -> Sent:
    (found,) = reserve(known, HERE, "ps1", [due], now, again=overwrite)
    return found


def test_a_new_grade_carries_the_time_at_which_it_was_first_to_be_sent() -> None:
    assert again({}) == line(confirmed=False)


@pytest.mark.parametrize("confirmed", [True, False])
def test_the_same_grade_keeps_its_time_for_ever(confirmed: bool) -> None:
    before = line(confirmed=confirmed)
    assert again(ledger(before), now=NOW + timedelta(days=3)) == before


@pytest.mark.parametrize("change", [{"score": 8.0}, {"maximum": 12.0}, {"lms_user_id": "10"}])
def test_what_changed_is_due_again_and_strictly_later_even_by_a_clock_that_is_behind(change: dict[str, object]) -> None:
    changed = replace(ANN, **change)  # type: ignore[arg-type]
    found = again(ledger(line(confirmed=True)), changed, NOW - timedelta(hours=1))
    assert (found.confirmed, found.time) == (False, NOW + timedelta(seconds=1))


def test_overwriting_gives_a_new_time_to_what_was_never_confirmed_only() -> None:
    later = NOW + timedelta(hours=1)
    assert again(ledger(line(confirmed=False)), now=later, overwrite=True).time == later
    assert again(ledger(line(confirmed=True)), now=later, overwrite=True).time == NOW


def test_another_assignment_or_another_course_is_another_line() -> None:
    known = ledger(line(confirmed=True))
    assert not reserve(known, HERE, "ps2", [ANN], NOW)[0].confirmed
    assert not reserve(known, "https://other.example.edu", "ps1", [ANN], NOW)[0].confirmed


def test_the_file_gives_back_what_was_written() -> None:
    odd = line(confirmed=False, due=Due('Ö, "x"\n', "u-1", 1 / 3, 1.0))
    known = ledger(line(confirmed=True), odd)
    assert load(dump(known.values())) == known
    assert load(b"") == {}


@pytest.mark.parametrize("damage", [b"7.5", b"2026-11-20T10:00:00.000000Z", b"yes"])
def test_a_damaged_line_is_named(damage: bytes) -> None:
    with pytest.raises(ValueError, match="line 2"):
        load(dump([line(confirmed=True)]).replace(damage, b"?"))


def test_points_agree_up_to_what_an_lms_rounds() -> None:
    assert agrees(0.99999, 1.0)
    assert not agrees(1.01, 1.0)
    assert not agrees(None, 0.0)
