"""What a recorded read tells: that everything which nobody had seen by then was pushed later."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_exchange.rules.attempt import Commit
from git_exchange.rules.last_read import last_other_reads
from git_exchange.rules.receipt import Ledger, Read, Receipt, dump, dump_read, load, load_reads

NOON = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)
REF = "refs/heads/submit/ps1"
A, B, C = "a" * 40, "b" * 40, "c" * 40
NOW = 100  # minutes
LINE = [Commit(A, "t", ()), Commit(B, "t", (A,)), Commit(C, "t", (B,))]


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def receipt(commit: str, minutes: float, kind: str = "seen", evidence: str = "first-seen") -> Receipt:
    read_at = at(minutes)
    return Receipt(kind, 7, "ann", REF, commit, "f" * 40, read_at, evidence, None, "", read_at, "teacher")


def found(*receipts: Receipt, reads: tuple[float, ...] = ()) -> dict[str, datetime]:
    ledger = Ledger(receipts, tuple(Read(at(minutes), frozenset({7}), "teacher") for minutes in reads))
    return dict(last_other_reads(LINE, ledger.of(7, REF), ledger.reads(7, REF), at(NOW)))


def test_without_any_read_nothing_is_known() -> None:
    assert found() == {}


def test_a_read_that_found_nothing_comes_before_every_commit() -> None:
    assert found(reads=(1, 5, 3)) == dict.fromkeys((A, B, C), at(5))


def test_a_commit_was_not_there_before_the_first_read_that_saw_it() -> None:
    assert found(receipt(B, 10), reads=(1, 20)) == {A: at(1), B: at(1), C: at(20)}


def test_a_read_that_saw_a_later_commit_says_nothing_of_the_ones_below() -> None:
    assert found(receipt(C, 10), reads=(20,)) == {}


def test_an_attempt_that_is_pinned_by_a_later_read_does_not_make_the_next_one_later() -> None:
    # The second is the head that the first was pinned beside: that read saw both.
    assert found(receipt(A, 1), receipt(A, 10, "pin"), receipt(B, 10)) == {B: at(1), C: at(10)}


def test_reads_of_the_same_seconds_are_in_no_order() -> None:
    assert found(receipt(A, 10), reads=(9.99,)) == {B: at(10), C: at(10)}
    assert found(reads=(NOW - 0.01,)) == {}


def test_what_a_read_told_stays_when_the_commit_is_recorded() -> None:
    assert found(reads=(NOW - 0.1,)) == found(receipt(C, NOW), reads=(NOW - 0.1,))


@pytest.mark.parametrize("kind", ["pin", "removed"])
def test_the_staffs_word_is_no_read(kind: str) -> None:
    assert found(receipt(A, 10, kind, "staff")) == {}


def test_reads_of_other_projects_say_nothing() -> None:
    ledger = Ledger((), (Read(at(1), frozenset({8}), "teacher"),))
    assert ledger.reads(7, REF) == []
    assert ledger.reads(8, REF) == [at(1)]


def test_a_read_is_a_line_among_the_receipts_and_what_does_not_know_it_passes_it_over() -> None:
    read = Read(at(1), frozenset({9, 7}), "teacher")
    text = dump([receipt(A, 1)]) + dump_read(read) + dump([receipt(B, 2)])
    assert load(text) == (receipt(A, 1), receipt(B, 2))
    assert load_reads(text) == (read,)


@pytest.mark.parametrize("numbers", ["null", '["7"]', "7"])
def test_a_damaged_read_is_refused(numbers: str) -> None:
    line = dump_read(Read(at(1), frozenset({7}), "teacher")).replace("[7]", numbers)
    with pytest.raises(ValueError, match="project_ids"):
        load_reads(line)


@given(st.lists(st.tuples(st.sampled_from([A, B, C]), st.integers(0, 50)), max_size=6), st.sets(st.integers(0, 50)))
def test_no_read_is_told_that_saw_the_commit_or_what_stands_on_it(seen: list[tuple[str, int]], reads: set[int]) -> None:
    above = {A: {A, B, C}, B: {B, C}, C: {C}}
    for commit, moment in found(*(receipt(*one) for one in seen), reads=tuple(reads)).items():
        assert all(moment < at(minutes) for oid, minutes in seen if oid in above[commit])
        assert moment in {at(minutes) for minutes in reads} | {at(minutes) for _, minutes in seen}
