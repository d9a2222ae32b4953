"""Submit and collect on a machine whose cache cannot be written, whose home cannot be, or whose clock is wrong."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from git_exchange.course.course import Course
from git_exchange.course.receipts import read_ledger
from git_exchange.devserver import RunningServer
from git_exchange.errors import GitExchangeError
from git_exchange.secret import Token
from tests.unit.school import School


@pytest.fixture(scope="module")
def school(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> School:
    place = tmp_path_factory.mktemp("machine")
    opened = School(server.url, Token(server.admin_token), place)
    opened.open("ann", "ben")
    opened.release()
    opened.submit("ben", "ben's work")
    return opened


def _nowhere(school: School, name: str) -> Path:
    """Return a folder that nobody can make, root neither: it would lie below a file."""
    file = school.place / name
    file.write_text("a file, no folder")
    return file / "cache"


def test_a_submission_needs_no_cache_that_can_be_written(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = school.settings
    monkeypatch.setattr(
        school,
        "settings",
        lambda name="teacher", **more: settings(name, **{"cache_dir": _nowhere(school, "a"), **more}),
    )
    try:
        number = school.submit("ann", "without a cache").number
    except GitExchangeError as error:
        assert error.hint, error
        monkeypatch.undo()
        number = school.submit("ann", "with one").number
    assert number == 1


def test_a_collection_needs_no_cache_that_can_be_written(school: School) -> None:
    try:
        school.collect(cache_dir=_nowhere(school, "b"))
    except GitExchangeError as error:
        assert error.hint, error
    report = school.collect()
    assert "failed" not in report.counts
    assert (school.submitted("ben") / "p1.ipynb").read_text() == "ben's work"


@pytest.mark.parametrize("ahead", [timedelta(days=400), timedelta(days=-400)], ids=["ahead", "behind"])
def test_the_clock_of_the_machine_that_collects_changes_no_time(
    school: School, ahead: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    school.collect()
    right = school.stamp("ben")
    monkeypatch.setattr(Course, "now", lambda self: datetime.now(timezone.utc) + ahead)
    school.submit("ann", f"work {ahead}")
    school.collect()
    pins = {receipt.commit: receipt.time for receipt in read_ledger(school.course(), "ps1").receipts}
    now = datetime.now(timezone.utc)
    assert all(abs(now - time) < timedelta(hours=1) for time in pins.values())
    assert school.stamp("ben") == right
