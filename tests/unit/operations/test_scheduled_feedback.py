"""Feedback that waits for its time, on the development server."""

from __future__ import annotations

import shutil
from datetime import timedelta
from typing import Any

import pytest

from git_exchange.course.feedback import read_feedback
from git_exchange.errors import CourseError, ForgeUnreachable, NotStaff
from git_exchange.operations import scheduled_feedback
from git_exchange.operations.purge_feedback import plan_feedback, purge_feedback
from git_exchange.operations.release_feedback import release_feedback
from git_exchange.operations.scheduled import cancel, scheduled
from git_exchange.operations.scheduled_feedback import Staged, schedule_feedback
from git_exchange.rules import layout
from git_exchange.rules.staged_feedback import StagedFor, dump, load
from git_exchange.transport.fetch import fetch
from git_exchange.transport.objects import read_blob
from tests.unit.operations.timed import SOON, carry_out, statuses
from tests.unit.school import School

ALL_OUT = [("feedback ps1", "released")]


def collected(school: School, *students: str) -> None:
    school.open(*students, staff=(("robot", "instructor"), ("second", "instructor")))
    school.release()
    for student in students:
        school.submit(student, f"by {student}")
    school.collect()


def plan(school: School, pages: dict[str, str], name: str = "teacher", **options: Any) -> Staged:
    """Schedule a page for each student, and take the folders of the feedback away."""
    marked = [school.mark_work(student, {"p1.html": text}) for student, text in pages.items()]
    try:
        return schedule_feedback(school.course(name), "ps1", marked, listener=school.listen, **{"at": SOON, **options})
    finally:
        shutil.rmtree(school.root / "feedback")


def by_hand(school: School, student: str, text: str, name: str = "teacher") -> dict[str, int]:
    marked = school.mark_work(student, {"p1.html": text})
    return release_feedback(school.course(name), "ps1", [marked]).counts


def page(school: School, student: str) -> str | None:
    """Return the page of feedback that lies in the student's project."""
    course = school.course()
    project = course.seat_project(student)
    ref = layout.feedback_ref("ps1")
    if not course.forge.branches(project.id, "feedback/"):
        return None

    def read(repository: Any) -> str | None:
        files = read_feedback(repository, fetch(repository, course.forge.git_url(project), [ref])[ref]).files
        return read_blob(repository, files[0].oid, 1000).decode() if files else None

    return course.in_repository(lambda cache: cache.seat(project.id), read)


def test_feedback_goes_out_when_it_is_due_without_the_course_directory(school: School) -> None:
    collected(school, "ann", "ben")
    staged = plan(school, {"ann": "good", "ben": "bad"})
    assert staged.report.counts == {"scheduled": 2}
    (waiting,) = scheduled(school.course())
    assert (waiting.kind, waiting.students, waiting.at) == ("feedback", 2, SOON)
    assert (page(school, "ann"), page(school, "ben")) == (None, None)
    with pytest.raises(CourseError, match="ben"):
        plan(school, {"ann": "better"})
    again = plan(school, {"ann": "better", "ben": "bad"}, at=SOON + timedelta(minutes=1))
    assert again.earlier == waiting
    assert statuses(carry_out(school, "robot")) == ALL_OUT
    assert (page(school, "ann"), page(school, "ben")) == ("better", "bad")
    assert scheduled(school.course()) == []
    # It was sent for the teacher, who can correct it without force; others cannot.
    assert by_hand(school, "ben", "not so bad") == {"released": 1}
    assert by_hand(school, "ann", "mine", "second") == {"failed": 1}
    plan(school, {"ann": "best"})
    assert statuses(carry_out(school, "robot")) == ALL_OUT
    assert page(school, "ann") == "best"


def test_what_was_released_or_purged_by_hand_meanwhile_stays_and_only_that_waits_on(school: School) -> None:
    collected(school, "ann", "ben", "cleo")
    by_hand(school, "cleo", "of somebody else")
    plan(school, {"ann": "old", "ben": "good", "cleo": "of somebody else, again"})
    by_hand(school, "ann", "new")
    course = school.course()
    purge = plan_feedback(course, "ps1", "cleo", None)
    purge_feedback(course, school.forge(), "ps1", "cleo", purge, "not cleo's")
    (outcome,) = carry_out(school, "robot")
    assert outcome.status == "failed"
    assert "1 released" in outcome.detail
    assert (page(school, "ann"), page(school, "ben"), page(school, "cleo")) == ("new", "good", None)
    (left,) = scheduled(school.course())
    assert left.students == 2
    assert "ann, cleo" in left.failed
    assert "released by Teacher" in left.failed
    (outcome,) = carry_out(school, "robot")
    assert "2 failed (of 2)" in outcome.detail
    cancel(school.course(), "feedback", "ps1")
    assert carry_out(school) == []


def test_a_killed_run_is_finished_without_replacing_a_correction_made_since(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    collected(school, "ann")
    plan(school, {"ann": "good"})

    def killed(*_: object) -> bool:
        raise ForgeUnreachable("The cable was cut.")

    with monkeypatch.context() as broken:
        broken.setattr(scheduled_feedback, "end", killed)
        assert statuses(carry_out(school)) == [("feedback ps1", "failed")]
    assert page(school, "ann") == "good"
    by_hand(school, "ann", "corrected")
    assert statuses(carry_out(school)) == [("feedback ps1", "unchanged")]
    assert page(school, "ann") == "corrected"
    assert scheduled(school.course()) == []


def test_another_markers_feedback_is_replaced_with_force_only(school: School) -> None:
    collected(school, "ann")
    by_hand(school, "ann", "of the second", "second")
    plan(school, {"ann": "of the teacher"})
    (outcome,) = carry_out(school, "second")
    assert outcome.status == "failed"
    assert "Second" in outcome.detail
    assert page(school, "ann") == "of the second"
    plan(school, {"ann": "of the teacher"}, force=True)
    assert statuses(carry_out(school, "second")) == ALL_OUT
    assert page(school, "ann") == "of the teacher"


def test_whose_feedback_cannot_be_staged_is_named_and_the_others_wait(school: School) -> None:
    collected(school, "ann", "ben")
    bad = school.mark_work("ann", {"p\udcff.html": "odd"})
    good = school.mark_work("ben", {"p1.html": "good"})
    staged = schedule_feedback(school.course(), "ps1", [bad, good], at=SOON)
    assert staged.report.counts == {"failed": 1, "scheduled": 1}
    assert scheduled(school.course())[0].students == 1
    with pytest.raises(NotStaff):
        schedule_feedback(school.course("ann"), "ps1", [good], at=SOON)
    with pytest.raises(CourseError, match="Leave --at out"):
        schedule_feedback(school.course(), "ps1", [good], at=SOON - timedelta(hours=2))


def test_whose_feedback_waits_is_read_as_it_was_written() -> None:
    entries = [StagedFor("bo \u2028 😀", 7, "a" * 40, SOON, ""), StagedFor("x", 8, "received-x", None, "b" * 40)]
    assert load(dump(entries)) == entries
    for damaged in (b"{}", b"[]", b"null", b"\xff", b'{"student_id": 1'):
        with pytest.raises(ValueError):
            load(damaged)
