"""Time where the forge's record fails, or a clock is wrong. Tricks with pushes are in tests/exchange/test_time.py."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from git_exchange.course.course import Course
from git_exchange.course.receipts import read_ledger
from git_exchange.devserver import RunningServer
from git_exchange.rules import times
from git_exchange.secret import Token
from tests.unit.school import School

HOUR = 3600


@pytest.fixture
def school(server: RunningServer, tmp_path: Path) -> Iterator[School]:
    opened = School(server.url, Token(server.admin_token), tmp_path)
    opened.open("ann")
    opened.release()
    yield opened
    opened.control("events", lag=0, release=True)
    opened.control("clock", offset=0)


def now() -> datetime:
    return datetime.now(timezone.utc)


def events(school: School) -> list[Any]:
    return school.course().forge.pushes(school.course().seat_project("ann").id)


def stamp(school: School) -> datetime:
    return times.parse_timestamp(school.stamp("ann"))


def test_a_pinned_time_outlives_the_forges_record(school: School) -> None:
    school.submit("ann", "mine")
    school.collect()
    first = stamp(school)
    school.control(f"events/{events(school)[-1].id}", "DELETE")
    school.control("clock", offset=5 * HOUR)
    assert school.collect(cache_dir=school.place / "another machine").counts == {"unchanged": 1}
    assert stamp(school) == first


def test_a_deleted_event_does_not_make_late_work_early(school: School) -> None:
    due = now() + timedelta(seconds=HOUR)
    school.control("clock", offset=2 * HOUR)
    school.collect(policy={"due": due})
    school.control("clock", offset=3 * HOUR)
    school.submit("ann", "late")
    school.control(f"events/{events(school)[-1].id}", "DELETE")
    for _ in range(2):
        school.collect(policy={"due": due, "before_duedate": True})
        assert stamp(school) > due
    assert "may have arrived" not in school.heard()


def test_an_event_that_comes_late_counts_as_on_time_within_the_grace_and_is_not_pinned(school: School) -> None:
    due = now() + timedelta(seconds=60)
    school.control("events", lag=120)
    school.submit("ann", "in time")
    school.control("events", lag=0)
    school.control("clock", offset=200)
    school.collect(policy={"due": due})
    assert events(school)[-1].at > due
    assert stamp(school) == due
    assert [receipt.kind for receipt in read_ledger(school.course(), "ps1").receipts] == ["seen"]
    assert "may have arrived before or after the due date" in school.heard()


def test_beyond_the_grace_an_event_is_believed(school: School) -> None:
    due = now() - timedelta(seconds=301)
    school.submit("ann", "late")
    school.collect(policy={"due": due})
    assert stamp(school) == events(school)[-1].at > due
    assert [receipt.kind for receipt in read_ledger(school.course(), "ps1").receipts] == ["pin"]


def test_a_time_settles_ten_minutes_after_it_was_first_seen_where_no_event_ever_comes(school: School) -> None:
    school.control("events", hold=True)
    school.submit("ann", "mine")
    school.collect()
    first = stamp(school)
    kinds = []
    for offset in (599 - 30, 601 + 30):
        school.control("clock", offset=offset)
        school.collect()
        kinds.append([receipt.kind for receipt in read_ledger(school.course(), "ps1").receipts])
    assert kinds == [["seen"], ["seen", "pin"]]
    assert stamp(school) == first


@pytest.mark.parametrize("days", [-400, 400], ids=["behind", "ahead"])
def test_no_clock_of_ours_is_evidence(school: School, monkeypatch: pytest.MonkeyPatch, days: int) -> None:
    due = now() + timedelta(seconds=HOUR)
    wrong = now() + timedelta(days=days)
    monkeypatch.setattr(Course, "now", lambda _: wrong)
    school.submit("ann", "in time")
    school.control("events", hold=True)
    school.submit("ann", "in time too")
    school.control("clock", offset=2 * HOUR)
    school.submit("ann", "late")
    school.collect(policy={"due": due, "before_duedate": True})
    ledger = read_ledger(school.course(), "ps1").receipts
    assert all(abs(receipt.time - now()) < timedelta(hours=3) for receipt in ledger)
    assert all(abs(receipt.read_at - now()) < timedelta(hours=3) for receipt in ledger)
