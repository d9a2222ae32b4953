from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from git_exchange.course.collect_pins import read_collect_pins
from git_exchange.errors import CourseError, NotAMember, NotStaff
from git_exchange.operations.listing import inbound, remove
from git_exchange.operations.pin_attempts import pin_attempts
from git_exchange.rules import times
from tests.unit.school import School


def work(school: School, student: str = "ann") -> str:
    return (school.submitted(student) / "p1.ipynb").read_text()


@pytest.fixture
def three(school: School) -> School:
    """Ann handed in three times, and the last one is collected."""
    school.open("ann", "ben")
    school.release()
    for text in ("first", "second", "third"):
        school.submit("ann", text)
    school.submit("ben", "by ben")
    school.collect()
    assert work(school) == "third"
    return school


def test_a_pinned_attempt_is_collected_from_then_on_and_says_who_wants_it(three: School) -> None:
    late = three.stamp("ann")
    assert pin_attempts(three.course(), "ps1", {"ann": "1"}) == {"ann": 1}
    for update in (True, False, True):
        three.said.clear()
        report = three.collect(policy={"update": update})
        assert f"ann: attempt 1, pinned by {three.username('teacher')}" in three.heard()
        assert work(three) == "first"
    assert report.counts == {"unchanged": 2}
    assert three.stamp("ann") < late
    # A newer one comes, and the staff's choice stays until somebody takes it back.
    three.submit("ann", "fourth")
    three.collect()
    assert work(three) == "first"
    pin_attempts(three.course(), "ps1", {}, ["ann"])
    three.collect()
    assert work(three) == "fourth"


def test_an_older_attempt_in_place_of_a_newer_one_says_that_autograding_needs_force(three: School) -> None:
    pin_attempts(three.course(), "ps1", {"ann": "2"})
    three.said.clear()
    three.collect()
    assert "nbgrader autograde ps1 --student ann --force" in three.heard()
    three.said.clear()
    pin_attempts(three.course(), "ps1", {}, ["ann"])
    three.collect()
    assert work(three) == "third"
    assert "--force" not in three.heard()


def test_a_pin_is_set_by_a_commit_and_keeps_the_name_of_who_set_it_first(three: School) -> None:
    three.enrol("ann", "ben", staff=(("tim", "instructor"),))
    commit = next(found.commit for found in inbound(three.course(), ["ps1"], ["ann"]))
    pin_attempts(three.course(), "ps1", {"ann": commit[:9].upper()})
    pin_attempts(three.course("tim"), "ps1", {"ann": "1"})
    (pin,) = read_collect_pins(three.course("tim"), "ps1").values()
    assert (pin.student_id, pin.commit, pin.pinned_by) == ("ann", commit, three.username("teacher"))
    assert read_collect_pins(three.course(), "ps2") == {}


def test_what_is_not_there_is_not_pinned_and_nothing_else_is(three: School) -> None:
    with pytest.raises(CourseError, match="no attempt 7") as failed:
        pin_attempts(three.course(), "ps1", {"ben": "1", "ann": "7"})
    assert "1 (" in failed.value.hint
    with pytest.raises(NotAMember, match="'cat'"):
        pin_attempts(three.course(), "ps1", {"ben": "1"}, ["cat"])
    assert read_collect_pins(three.course(), "ps1") == {}


def test_a_grader_who_may_not_write_there_is_told_to_ask(three: School) -> None:
    three.enrol("ann", "ben", staff=(("tim", "grader"),))
    with pytest.raises(NotStaff, match="did not take the change") as failed:
        pin_attempts(three.course("tim"), "ps1", {"ann": "1"})
    assert "instructor" in failed.value.hint


def test_a_pinned_attempt_that_was_removed_fails_that_student_alone(three: School) -> None:
    pin_attempts(three.course(), "ps1", {"ann": "3"})
    remove(three.course(), inbound(three.course(), ["ps1"], ["ann"])[-1:])
    report = three.collect()
    assert {one.subject: one.status for one in report.outcomes} == {"ann": "failed", "ben": "unchanged"}
    assert "--unpin ann" in report.failed[0].detail


def test_of_two_attempts_that_are_both_recorded_with_the_due_date_the_pinned_one_is_collected(school: School) -> None:
    school.open("ann")
    school.release()
    due = datetime.now(timezone.utc) - timedelta(seconds=5)
    school.submit("ann", "first")
    school.submit("ann", "second")
    school.collect(policy={"due": due})
    assert school.stamp("ann") == times.timestamp(due)
    pin_attempts(school.course(), "ps1", {"ann": "1"})
    school.collect(policy={"due": due})
    assert (work(school), school.stamp("ann")) == ("first", times.timestamp(due))


def test_work_that_was_graded_by_hand_stays_and_the_line_says_how_to_take_the_newer_one(three: School) -> None:
    graded = {"hand_graded": frozenset({"ann"})}
    three.submit("ann", "fourth")
    three.submit("ben", "again")
    three.said.clear()
    assert three.collect(policy=graded).counts == {"graded by hand": 1, "updated": 1}
    assert work(three) == "third"
    assert "git-exchange collect ps1 --update --student ann --replace-graded" in three.heard()
    pin_attempts(three.course(), "ps1", {"ann": "1"})
    assert three.collect(policy=graded).counts == {"graded by hand": 1, "unchanged": 1}
    three.collect(policy={**graded, "replace_graded": True})
    assert work(three) == "first"


def test_graded_work_whose_time_alone_changes_gets_its_new_time(school: School) -> None:
    school.open("ann")
    school.release()
    school.submit("ann", "first")
    school.collect()
    stamp = school.stamp("ann")
    (school.submitted("ann") / "timestamp.txt").write_text("2020-01-01 00:00:00.000000 UTC")
    school.collect(policy={"hand_graded": frozenset({"ann"})})
    assert school.stamp("ann") == stamp
