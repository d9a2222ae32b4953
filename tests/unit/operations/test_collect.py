from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from git_exchange.course.course import Course
from git_exchange.course.receipts import append_receipts, read_ledger
from git_exchange.operations import pinning
from git_exchange.rules import times
from git_exchange.rules.receipt import Ledger
from tests.unit.school import RULES, School


def now() -> datetime:
    return datetime.now(timezone.utc)


def test_who_cannot_write_receipts_still_collects_a_resubmission_when_the_due_date_is_written_for_both(
    school: School,
) -> None:
    school.open("ann", staff=(("grader", "grader"),))
    school.release()
    due = now() - timedelta(seconds=5)
    school.submit("ann", "first")
    school.collect(name="grader", policy={"due": due})
    assert school.stamp("ann") == times.timestamp(due)
    assert "not pinned" in school.heard()
    school.submit("ann", "second")
    assert school.collect(name="grader", policy={"due": due}).counts == {"updated": 1}
    assert (school.submitted("ann") / "p1.ipynb").read_text() == "second"
    assert school.collect(name="grader", policy={"due": due}).counts == {"unchanged": 1}


def test_a_time_that_the_forge_records_later_replaces_the_one_that_we_had_to_take(school: School) -> None:
    school.open("ann")
    school.release()
    school.control("events", hold=True)
    school.submit("ann", "first")
    school.collect()
    taken = times.parse_timestamp(school.stamp("ann"))
    school.control("clock", offset=-20)
    school.control("events", release=True)
    school.control("clock", offset=0)
    pushed = school.course().forge.pushes(school.course().seat_project("ann").id)[-1].at
    assert pushed < taken
    school.collect()
    assert times.parse_timestamp(school.stamp("ann")) == pushed
    assert school.collect().counts == {"unchanged": 1}


def test_two_seats_that_swapped_their_names_are_noticed_and_nobody_gets_the_others_work(school: School) -> None:
    school.open("ann", "ben", "cat")
    school.release()
    numbers = {name: school.course().seat_project(name).id for name in ("ann", "ben", "cat")}
    for name in numbers:
        school.submit(name, f"by {name}")
    for name, path in (("ann", "student-between"), ("ben", "student-ann"), ("ann", "student-ben")):
        school.api("PUT", f"/projects/{numbers[name]}", path=path)
    report = school.collect()
    assert {outcome.subject: outcome.status for outcome in report.outcomes} == {
        "ann": "failed",
        "ben": "failed",
        "cat": "collected",
    }
    assert str(numbers["ann"]) in report.failed[0].detail
    assert "seats.csv" in report.failed[0].detail
    assert not school.submitted("ann").exists()


def test_a_seat_that_was_renamed_away_is_named(school: School) -> None:
    school.open("ann", "ben")
    school.release()
    school.submit("ann", "by ann")
    number = school.course().seat_project("ann").id
    school.api("PUT", f"/projects/{number}", path="something-else")
    report = school.collect()
    assert report.counts == {"nothing": 1}
    assert any("ann" in note and "something-else" in note for note in report.notes)


def test_work_in_an_archived_project_is_still_collected(school: School) -> None:
    school.open("ann")
    school.release()
    school.submit("ann", "by ann")
    school.forge().archive(school.course().seat_project("ann").id)
    assert school.collect().counts == {"collected": 1}


def test_a_push_that_the_forge_records_after_a_later_one_still_becomes_an_attempt(school: School) -> None:
    school.open("ann")
    school.release()
    school.control("events", hold=True)
    school.submit("ann", "first")
    school.control("events", hold=False)
    due = now()
    school.submit("ann", "second")
    school.collect()
    assert (school.submitted("ann") / "p1.ipynb").read_text() == "second"
    school.control("events", release=True)
    school.collect(policy={"due": due, "before_duedate": True})
    # The second one is pinned, and late; the first one may have been in time.
    assert (school.submitted("ann") / "p1.ipynb").read_text() == "first"


def test_a_push_event_that_was_recorded_as_seen_stays_one_when_a_later_attempt_is_pinned(school: School) -> None:
    school.open("ann")
    school.release()
    due = now() - timedelta(seconds=5)
    school.submit("ann", "first")
    school.collect(policy={"due": due})
    school.control("clock", offset=10)  # reads of the same two seconds are in no order
    school.submit("ann", "second")
    school.collect(policy={"due": due})
    # Both are known by their events. With a due date an hour earlier neither could be in time.
    school.collect(policy={"due": due - timedelta(hours=1)})
    ledger = read_ledger(school.course(), "ps1")
    assert sorted(receipt.kind for receipt in ledger.receipts) == ["pin", "pin", "seen"]


def test_what_the_instructors_configuration_leaves_out_is_not_collected(school: School) -> None:
    school.open("ann")
    school.release()
    files = {
        "p1.ipynb": "mine",
        "notes.txt": "mine",
        ".ipynb_checkpoints/p1-checkpoint.ipynb": "old",
        "feedback/p1.html": "<p>A+</p>",
    }
    school.submit_files("ann", files)
    rules = replace(RULES, ignore=(".ipynb_checkpoints", "feedback"), include=("*.ipynb",))
    school.collect(policy={"rules": rules})
    found = {path.name for path in school.submitted("ann").rglob("*") if path.is_file()}
    assert found == {"p1.ipynb", "timestamp.txt", "submission_secret.txt", ".git-exchange-attempt"}


def test_a_folder_with_the_name_of_a_file_of_ours_does_not_stop_the_students_collection(school: School) -> None:
    school.open("ann")
    school.release()
    school.submit_files("ann", {"p1.ipynb": "mine", "Timestamp.txt/x": "odd", "timestamp.txt/y": "odd"})
    assert school.collect().counts == {"collected": 1}
    assert school.stamp("ann").endswith(" UTC")
    assert (school.submitted("ann") / "p1.ipynb").read_text() == "mine"


def test_where_nobodys_work_could_be_read_it_does_not_say_that_nobody_submitted(school: School) -> None:
    school.open("ann")
    school.release()
    school.submit("ann", "mine")
    number = school.course().seat_project("ann").id
    school.control("faults", path=rf"/projects/{number}/events", status=503, times=50)
    assert school.collect().counts == {"failed": 1}
    assert "No submissions" not in school.heard()


def test_of_two_names_that_differ_by_case_the_released_one_is_collected(school: School) -> None:
    school.open("ann")
    school.release()
    school.submit_files("ann", {"P1.ipynb": "the other", "p1.ipynb": "mine"})
    school.collect()
    assert [path.name for path in school.submitted("ann").glob("*.ipynb")] == ["p1.ipynb"]
    assert "P1.ipynb" in school.heard()


def test_a_pin_that_somebody_sets_meanwhile_counts_for_what_we_found_undecided(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    school.open("ann")
    school.release()
    school.submit("ann", "mine")
    due = now() - timedelta(seconds=5)
    real = pinning.append_receipts

    def append(course: Course, assignment_id: str, receipts: Any, *read: Any) -> Ledger:
        monkeypatch.setattr(pinning, "append_receipts", real)
        pins = [replace(receipt, kind="pin", recorded_by="another") for receipt in receipts]
        real(course, assignment_id, pins)  # a machine that knew of no due date was faster
        return real(course, assignment_id, receipts, *read)

    monkeypatch.setattr(pinning, "append_receipts", append)
    school.collect(policy={"due": due})
    first = school.stamp("ann")
    school.collect(policy={"due": due})
    assert school.stamp("ann") == first
    assert times.parse_timestamp(first) > due


def test_what_is_undecided_stays_so_however_often_it_is_collected(school: School) -> None:
    school.open("ann")
    school.release()
    school.submit("ann", "first")
    school.submit("ann", "second")
    pushed = school.course().forge.pushes(school.course().seat_project("ann").id)[-1].at
    due = pushed - timedelta(milliseconds=1)
    for _ in range(3):
        school.collect(policy={"due": due, "before_duedate": True})
        assert (school.submitted("ann") / "p1.ipynb").read_text() == "second"
        assert school.stamp("ann") == times.timestamp(due)
    assert "attempt 2 may have arrived before or after the due date" in school.heard()


@pytest.mark.parametrize("before", [False, True], ids=["nothing before", "an attempt before"])
def test_what_comes_after_a_collection_past_the_due_date_is_late_though_the_forge_records_no_push(
    school: School, before: bool
) -> None:
    school.open("ann", "ben")
    school.release()
    if before:
        school.submit("ann", "in time")
        school.collect()
    due = now()
    school.control("clock", offset=3600)
    school.collect(policy={"due": due})
    school.control("clock", offset=7200)
    school.control("events", hold=True)
    school.submit("ann", "hidden")
    school.collect(policy={"due": due})
    if before:
        school.collect(policy={"due": due, "before_duedate": True})
        assert (school.submitted("ann") / "p1.ipynb").read_text() == "in time"
    else:
        assert times.parse_timestamp(school.stamp("ann")) > due + timedelta(hours=1)
    assert "may have arrived" not in school.heard()


def test_the_first_collection_past_the_due_date_is_recorded_once(school: School) -> None:
    school.open("ann", "ben")
    school.release()
    due = now() - timedelta(seconds=5)
    school.control("clock", offset=60)
    for _ in range(3):
        school.collect(policy={"due": due})
    (read,) = read_ledger(school.course(), "ps1").other_reads
    assert read.projects == {school.course().seat_project(name).id for name in ("ann", "ben")}
    assert read.recorded_by == school.username("teacher")


def test_an_earlier_look_is_recorded_though_somebody_else_was_faster_with_the_pin(school: School) -> None:
    school.open("ann")
    school.release()
    school.submit("ann", "mine")
    school.collect()
    course = school.course()
    (theirs,) = read_ledger(course, "ps1").receipts
    mine = replace(theirs, read_at=theirs.read_at - timedelta(hours=1), recorded_by="another")
    ledger = append_receipts(course, "ps1", [mine])
    assert ledger.pin(theirs.project_id, theirs.ref, theirs.commit) == theirs
    assert ledger.first_read(theirs.project_id, theirs.ref, theirs.commit) == mine.read_at
    assert append_receipts(course, "ps1", [mine]) == ledger
