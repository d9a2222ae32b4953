"""Receipts as JSON lines, and what a course's record says."""

import dataclasses
import json
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_exchange.rules.receipt import EVIDENCE, KINDS, Ledger, Receipt, dump, load

NOON = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)
REF = "refs/heads/submit/ps1"
A, B, C = "a" * 40, "b" * 40, "c" * 64


def receipt(kind: str = "pin", commit: str = A, minutes: float = 0, **changes: object) -> Receipt:
    made = Receipt(
        kind=kind,
        project_id=7,
        student_id="alice",
        ref=REF,
        commit=commit,
        tree="d" * 40,
        time=NOON + timedelta(minutes=minutes),
        evidence="push-event",
        event_id=None,
        pushed_by="alice",
        read_at=NOON,
        recorded_by="teacher",
    )
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type]


TIMES = st.datetimes(datetime(1971, 1, 1), datetime(9000, 1, 1), timezones=st.just(timezone(timedelta(hours=2))))
OIDS = st.sampled_from([A, B, C])
RECEIPTS = st.builds(
    Receipt,
    kind=st.sampled_from(KINDS),
    project_id=st.integers(1, 3),
    student_id=st.text(max_size=20),
    ref=st.sampled_from([REF, "refs/heads/submit/ps2"]),
    commit=OIDS,
    tree=OIDS,
    time=TIMES,
    evidence=st.sampled_from(EVIDENCE),
    event_id=st.none() | st.integers(1, 10**12),
    pushed_by=st.text(max_size=10),
    read_at=TIMES,
    recorded_by=st.text(max_size=10),
    pushed_by_id=st.none() | st.integers(1, 10**9),
    reason=st.text(max_size=10),
)


@given(st.lists(RECEIPTS, max_size=8))
def test_receipts_come_back_from_the_file(receipts: list[Receipt]) -> None:
    text = dump(receipts)
    assert load(text) == tuple(receipts)
    assert text.isascii()
    assert len(text.split("\n")) == len(receipts) + 1
    assert dump(load(text)) == text


@given(st.lists(RECEIPTS, max_size=4), st.lists(RECEIPTS, max_size=4))
def test_appending_text_is_appending_receipts(before: list[Receipt], after: list[Receipt]) -> None:
    assert load(dump(before) + dump(after)) == (*before, *after)


def test_a_line_is_an_object_with_sorted_keys_and_times_in_utc() -> None:
    local = timezone(timedelta(hours=1))
    line = dump([receipt(time=datetime(2026, 11, 20, 13, 0, 0, 5, local), event_id=4)])
    said = json.loads(line)
    assert list(said) == sorted(said)
    assert said["v"] == 1
    assert said["time"] == "2026-11-20T12:00:00.000005Z"
    assert said["event_id"] == 4


def test_blank_lines_unknown_keys_and_unknown_kinds_are_passed_over() -> None:
    more = json.dumps({**json.loads(dump([receipt()])), "later": [1]})
    other = json.dumps({"v": 1, "kind": "appeal"})
    assert load(f"\n{more}\n\n   \r\n{other}\n") == (receipt(),)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("v", 2),
        ("v", None),
        ("kind", None),
        ("kind", 1),
        ("project_id", "7"),
        ("project_id", True),
        ("project_id", 1.5),
        ("commit", "abc"),
        ("commit", "A" * 40),
        ("commit", "../" + "a" * 37),
        ("tree", None),
        ("time", "2026-11-20T12:00:00"),
        ("time", 0),
        ("time", "soon"),
        ("read_at", None),
        ("evidence", "hearsay"),
        ("event_id", "4"),
        ("student_id", None),
        ("ref", 1),
        ("pushed_by", None),
    ],
)
def test_a_damaged_line_is_named_and_nothing_is_guessed(key: str, value: object) -> None:
    good = dump([receipt()])
    bad = json.dumps({**json.loads(good), key: value})
    with pytest.raises(ValueError, match=r"^line 3: "):
        load(f"{good}\n{bad}\n{good}")


@pytest.mark.parametrize("line", ["<<<<<<< HEAD", "[]", "1", "{", '{"v":1}', "[" * 100_000])
def test_what_is_no_receipt_is_named(line: str) -> None:
    with pytest.raises(ValueError, match=r"^line 1: "):
        load(line)


def test_a_time_without_a_zone_makes_no_receipt() -> None:
    with pytest.raises(ValueError, match="time zone"):
        receipt(time=datetime(2026, 11, 20))


def test_the_last_pin_of_a_commit_wins_and_all_are_told_in_order() -> None:
    first, other, amended = receipt(minutes=0), receipt(commit=B, minutes=5), receipt(minutes=-3, evidence="staff")
    ledger = Ledger((first, other, amended))
    assert ledger.pin(7, REF, A) == amended
    assert ledger.pins(7, REF) == (first, other, amended)
    assert ledger.pin(7, REF, C) is None


def test_the_earliest_sight_of_a_commit_counts() -> None:
    late, early = receipt("seen", minutes=5), receipt("seen", minutes=1)
    assert Ledger((late, early)).seen(7, REF, A) == early
    assert Ledger((receipt(),)).seen(7, REF, A) is None


def test_another_project_ref_or_commit_says_nothing() -> None:
    ledger = Ledger((receipt(), receipt("seen"), receipt("removed")))
    for key in ((8, REF, A), (7, "refs/heads/submit/ps2", A), (7, REF, B)):
        assert ledger.pin(*key) is None
        assert ledger.seen(*key) is None
        assert not ledger.removed(*key)
    assert ledger.removed(7, REF, A)
    assert ledger.pins(8, REF) == ()
    assert Ledger().last_event(7, REF) == 0


def test_events_up_to_the_last_pinned_one_need_not_be_read_again() -> None:
    ledger = Ledger((receipt(event_id=90), receipt(commit=B, event_id=80), receipt(commit=C)))
    assert ledger.last_event(7, REF) == 90
    assert ledger.last_event(7, "refs/heads/submit/ps2") == 0


def test_the_event_of_an_attempt_that_is_not_pinned_yet_is_still_read() -> None:
    ledger = Ledger((receipt(event_id=80), receipt("seen", B, event_id=90), receipt(commit=C, event_id=100)))
    assert ledger.last_event(7, REF) == 80
    assert Ledger((*ledger.receipts, receipt(commit=B, event_id=90))).last_event(7, REF) == 100


@given(st.lists(RECEIPTS, max_size=10))
def test_equal_records_are_equal_ledgers(receipts: list[Receipt]) -> None:
    assert Ledger(tuple(receipts)) == Ledger(load(dump(receipts)))
    assert hash(Ledger(tuple(receipts))) == hash(Ledger(load(dump(receipts))))
