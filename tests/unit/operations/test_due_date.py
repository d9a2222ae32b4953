"""A due date that changes after the release: who sends it out, and what it leaves as it was."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from git_exchange.course.releases import Release, find_release
from git_exchange.course.versions import versions
from git_exchange.operations.due_date import announce_due
from git_exchange.operations.history import tell
from git_exchange.operations.release import find_released, withdraw
from tests.unit.school import School

DUE = datetime(2026, 12, 1, 10, tzinfo=timezone.utc)


def seen(school: School) -> Release:
    return find_release(school.course(), "ps1")


def test_a_new_date_and_none_at_all_go_out_with_the_same_files(school: School) -> None:
    school.open("ann")
    school.release(due=DUE)
    first = seen(school)
    for due in (DUE + timedelta(days=1), None):
        assert announce_due(school.course(), seen(school), due, listener=school.listen)
        assert seen(school).due == due
    assert "from 2026-12-02 10:00 UTC to none" in school.heard()
    (only,) = versions(school.course(), seen(school))
    assert {first.commit, seen(school).commit} <= only.commits
    assert seen(school).notebooks == first.notebooks
    told = [(entry.what, entry.detail) for entry in tell(school.course()).entries]
    assert told[0] == ("released", "due 2026-12-01T10:00:00.000000Z")
    assert told[2] == ("due date changed", "from 2026-12-02T10:00:00.000000Z to none")


def test_who_may_not_release_says_so_and_changes_nothing(school: School) -> None:
    school.open("ann", staff=(("grader", "grader"),))
    school.release(due=DUE)
    assert not announce_due(school.course("grader"), seen(school), DUE + timedelta(days=1), listener=school.listen)
    assert "students see 2026-12-01 10:00 UTC" in school.heard()
    assert "an instructor's next collect does" in school.heard()
    assert seen(school).due == DUE


def test_a_release_at_the_same_moment_is_not_undone(school: School) -> None:
    school.open("ann")
    school.release(due=DUE)
    before = seen(school)
    school.release(due=DUE + timedelta(days=3), force=True)
    assert not announce_due(school.course(), before, DUE + timedelta(days=1), listener=school.listen)
    assert seen(school).due == DUE + timedelta(days=3)
    assert "Somebody is releasing ps1" in school.heard()


def test_what_was_taken_back_stays_taken_back(school: School) -> None:
    school.open("ann")
    school.release(due=DUE)
    withdraw(school.course(), "ps1")
    gone = find_released(school.course(), "ps1")
    assert gone is not None
    assert not announce_due(school.course(), gone, DUE + timedelta(days=1))
