"""Extensions: who may grant them, what the forge records of it, and what collecting makes of them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from git_exchange.course.course import Course
from git_exchange.course.extensions import read_extensions
from git_exchange.course.staff_files import REF, change_files
from git_exchange.errors import AssignmentNotFound, NotAMember, NotStaff, UnexpectedAnswer
from git_exchange.operations.extend import extend, take_back
from git_exchange.rules import layout, times
from git_exchange.transport.fetch import fetch
from git_exchange.transport.objects import CommitInfo, read_commit
from tests.unit.school import School


def now() -> datetime:
    return datetime.now(timezone.utc)


def newest(course: Course) -> CommitInfo:
    """Return the newest commit of the staff's files."""
    url = course.forge.git_url(course.staff())
    return course.in_repository(
        lambda cache: cache.staff(), lambda repository: read_commit(repository, fetch(repository, url, [REF])[REF])
    )


def test_the_forge_records_who_granted_what_and_why(school: School) -> None:
    school.open("ann", "ben")
    due = now() + timedelta(days=1)
    school.release(due=due)
    until = (due + timedelta(days=2)).replace(microsecond=0)
    report = extend(school.course(), "ps1", ["ann", "ben"], until, "Both were ill", listener=school.listen)
    assert report.counts == {"extended": 2}
    assert "no time beyond" not in school.heard()
    commit = newest(school.course())
    assert commit.message.startswith(f"Extend ps1 until {until:%Y-%m-%d %H:%M} UTC for ann, ben\n\nBoth were ill\n")
    assert school.course().is_mine(commit.author)
    granted = read_extensions(school.course()).granted
    assert [(one.student_id, one.until, one.granted_by) for one in granted] == [
        (student, until, school.username("teacher")) for student in ("ann", "ben")
    ]
    assert extend(school.course(), "ps1", ["ben"], until, "Both were ill").counts == {"unchanged": 1}
    assert newest(school.course()).oid == commit.oid
    assert take_back(school.course(), "ps1", ["ann", "teacher"]).counts == {"removed": 1, "nothing": 1}
    assert "Take back the extension of ps1 for ann" in newest(school.course()).message
    assert read_extensions(school.course()).of("ps1") == {"ben": until}


def test_nobody_is_extended_if_one_of_them_is_not_in_the_course(school: School) -> None:
    school.open("ann")
    school.release()
    with pytest.raises(NotAMember, match="not all are in the course: zoe"):
        extend(school.course(), "ps1", ["ann", "zoe"], now())
    with pytest.raises(AssignmentNotFound, match="ps2"):
        extend(school.course(), "ps2", ["ann"], now())
    assert read_extensions(school.course()).granted == ()


def test_a_student_can_neither_grant_nor_read_extensions(school: School) -> None:
    school.open("ann")
    school.release()
    with pytest.raises(NotStaff):
        extend(school.course("ann"), "ps1", ["ann"], now() + timedelta(days=9))
    with pytest.raises(NotStaff):
        read_extensions(school.course("ann"))


def test_staff_who_may_not_write_the_record_are_told_so(school: School) -> None:
    school.open("ann", staff=(("grader", "grader"),))
    school.release()
    with pytest.raises(NotStaff, match="did not take the change"):
        extend(school.course("grader"), "ps1", ["ann"], now() + timedelta(days=9))


def test_an_extension_that_gives_no_time_is_granted_with_a_warning(school: School) -> None:
    school.open("ann")
    due = now() + timedelta(days=1)
    school.release(due=due)
    extend(school.course(), "ps1", ["ann"], due - timedelta(hours=1), listener=school.listen)
    assert "gives no time beyond" in school.heard()


def test_an_extension_granted_afterwards_changes_what_the_next_collect_picks(school: School) -> None:
    school.open("ann", "ben")
    school.release()
    for student in ("ann", "ben"):
        school.submit(student, "in time")
    school.collect()
    due = max(times.parse_timestamp(school.stamp(student)) for student in ("ann", "ben"))
    school.control("clock", offset=3600)
    for student in ("ann", "ben"):
        school.submit(student, "late")
    policy = {"due": due, "before_duedate": True}
    school.collect(policy=policy)
    texts = {student: (school.submitted(student) / "p1.ipynb").read_text() for student in ("ann", "ben")}
    assert texts == {"ann": "in time", "ben": "in time"}
    extend(school.course(), "ps1", ["ann"], due + timedelta(hours=2))
    school.collect(policy=policy)
    assert (school.submitted("ann") / "p1.ipynb").read_text() == "late"
    assert (school.submitted("ben") / "p1.ipynb").read_text() == "in time"
    take_back(school.course(), "ps1", ["ann"])
    school.collect(policy=policy)
    assert (school.submitted("ann") / "p1.ipynb").read_text() == "in time"


def test_work_is_undecided_by_the_students_own_due_date(school: School) -> None:
    school.open("ann", "ben")
    school.release()
    due = now() - timedelta(days=1)
    until = now() - timedelta(seconds=5)
    extend(school.course(), "ps1", ["ann"], until)
    for student in ("ann", "ben"):
        school.submit(student, "mine")
    report = school.collect(policy={"due": due})
    assert next(note for note in report.notes if "may have arrived" in note).startswith("ann:")
    assert school.stamp("ann") == times.timestamp(until)
    assert times.parse_timestamp(school.stamp("ben")) > until


def test_a_damaged_list_stops_the_collection_in_place_of_moving_deadlines(school: School) -> None:
    school.open("ann")
    school.release()
    path = layout.EXTENSIONS_PATH
    change_files(school.course(), "Oops", [path], lambda _: {path: b"assignment_id,student_id,until\nps1,ann,soon\n"})
    with pytest.raises(UnexpectedAnswer, match="line 2: 'soon' is not a time"):
        school.collect()
