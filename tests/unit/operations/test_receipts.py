from __future__ import annotations

from datetime import datetime, timedelta, timezone
from threading import Thread

import pytest

from git_exchange.course.receipts import append_receipts, read_ledger
from git_exchange.course.seats import seats
from git_exchange.errors import CourseError, GitExchangeError, NotStaff
from git_exchange.operations.listing import inbound, remove
from git_exchange.operations.receipts import Line, amend, list_receipts
from git_exchange.rules import times
from git_exchange.rules.receipt import Receipt
from tests.unit.school import School


def now() -> datetime:
    return datetime.now(timezone.utc)


def lines(school: School, due: datetime | None = None) -> list[Line]:
    course = school.course()
    return list_receipts(course, "ps1", seats(course), lambda _: due, listener=school.listen)


def test_every_attempt_is_listed_with_what_is_not_final_named_as_such(school: School) -> None:
    school.open("ann", "ben", "cat")
    school.release()
    due = now() - timedelta(seconds=5)
    school.submit("ann", "first")
    school.collect()
    school.submit("ben", "by ben")
    school.submit("cat", "by cat")
    remove(school.course(), inbound(school.course(), ["ps1"], ["cat"]))
    first, second, gone = lines(school, due)
    assert (first.student_id, first.number, first.state) == ("ann", 1, "pinned")
    assert (first.recorded, first.verdict, first.pushed_by) == (first.time, "late", school.username("ann"))
    assert (second.student_id, second.state, second.verdict) == ("ben", "undecided", "undecided")
    assert second.recorded == due < second.time
    assert (gone.student_id, gone.number, gone.state) == ("cat", None, "removed")
    assert [line.state for line in lines(school)] == ["pinned", "not pinned", "removed"]
    assert first.commit in first.url


def test_an_amended_time_counts_from_the_next_collect_on_and_the_record_keeps_the_first_one(school: School) -> None:
    school.open("ann")
    school.release()
    school.submit("ann", "first")
    school.collect()
    before = school.stamp("ann")
    at = times.parse_timestamp(before) - timedelta(hours=2)
    amend(school.course(), "ps1", "ann", "1", at, "The network was down")
    school.collect(policy={"update": False})
    assert school.stamp("ann") == before
    school.collect()
    assert school.stamp("ann") == times.timestamp(at)
    (line,) = lines(school)
    assert (line.time, line.state, line.reason) == (at, "amended", "The network was down")
    assert line.recorded_by == school.username("teacher")
    kept = read_ledger(school.course(), "ps1").receipts
    assert [receipt.evidence for receipt in kept] == ["push-event", "staff"]
    amend(school.course(), "ps1", "ann", line.commit[:10], at, "The network was down")
    assert len(read_ledger(school.course(), "ps1").receipts) == 2
    amend(school.course(), "ps1", "ann", "1", at + timedelta(hours=1), "It was up again")
    school.collect()
    assert school.stamp("ann") == times.timestamp(at + timedelta(hours=1))


def test_an_undecided_attempt_is_decided_by_an_amendment(school: School) -> None:
    school.open("ann")
    school.release()
    due = now() - timedelta(seconds=5)
    school.submit("ann", "first")
    school.collect(policy={"due": due})
    assert school.stamp("ann") == times.timestamp(due)
    amend(school.course(), "ps1", "ann", "1", due + timedelta(seconds=1), "Seen in the server's log")
    school.collect(policy={"due": due})
    assert school.stamp("ann") == times.timestamp(due + timedelta(seconds=1))
    (line,) = lines(school, due)
    assert (line.state, line.verdict) == ("amended", "late")


def test_a_time_that_cannot_be_is_refused(school: School) -> None:
    school.open("ann")
    school.release()
    for text in ("first", "second", "second"):
        school.submit("ann", text)
    school.collect()
    first, second, third = lines(school)
    assert third.time == second.time
    course = school.course()
    with pytest.raises(CourseError, match="future"):
        amend(course, "ps1", "ann", "2", now() + timedelta(hours=1), "why")
    with pytest.raises(CourseError, match="attempt 2 must be later"):
        amend(course, "ps1", "ann", "2", first.time, "why")
    with pytest.raises(CourseError, match="attempt 1 must be earlier"):
        amend(course, "ps1", "ann", "1", second.time + timedelta(microseconds=1), "why")
    with pytest.raises(CourseError, match="shares its time") as failed:
        amend(course, "ps1", "ann", "3", first.time, "why")
    assert failed.value.hint == "Amend attempt 2."
    with pytest.raises(CourseError, match="reason"):
        amend(course, "ps1", "ann", "1", first.time, "  ")
    with pytest.raises(ValueError, match="time zone"):
        amend(course, "ps1", "ann", "1", datetime(2026, 1, 1), "why")
    assert len(read_ledger(school.course(), "ps1").receipts) == 3


def test_only_who_may_write_the_record_can_amend(school: School) -> None:
    school.open("ann", staff=(("tim", "grader"),))
    school.release()
    submitted = school.submit("ann", "first")
    with pytest.raises(NotStaff, match="did not take the change"):
        amend(school.course("tim"), "ps1", "ann", "1", submitted.at - timedelta(hours=1), "why")
    with pytest.raises(NotStaff):
        amend(school.course("ann"), "ps1", "ann", "1", submitted.at - timedelta(hours=1), "why")


def test_many_who_record_at_once_all_get_through(school: School) -> None:
    school.open()
    failures: list[GitExchangeError] = []

    def record(number: int) -> None:
        moment = now()
        receipt = Receipt(
            "pin",
            number,
            f"s{number}",
            "refs/heads/submit/ps1",
            "a" * 40,
            "b" * 40,
            moment,
            "push-event",
            None,
            "",
            moment,
            "",
        )
        try:
            # Each a machine of its own.
            append_receipts(school.course(cache_dir=school.place / f"cache-{number}"), "ps1", [receipt])
        except GitExchangeError as error:
            failures.append(error)

    threads = [Thread(target=record, args=(number,)) for number in range(1, 11)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert {receipt.project_id for receipt in read_ledger(school.course(), "ps1").receipts} == set(range(1, 11))
