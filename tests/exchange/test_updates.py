"""A release that changes after students began, and a due date that changes after the release, by people's commands."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from git_exchange.course.course import Course
from git_exchange.course.releases import find_release
from tests.exchange.classroom import COURSE, Classroom, write_notebook
from tests.exchange.test_cycle import submit_work


def test_a_student_learns_of_a_newer_version_and_updates_to_it(classroom: Classroom) -> None:
    classroom.open("ann")
    classroom.release("ps1", data__csv="1,2")
    classroom.ok("ann", "fetch_assignment", "ps1")
    ann = classroom.student("ann")
    assert "newer version" not in classroom.ok("ann", "list")
    told = classroom.fails("ann", "fetch_assignment", "ps1")
    assert "You already have a copy of the assignment in this directory: ps1" in told
    assert "newer version" not in told
    write_notebook(ann.work / "ps1" / "p1.ipynb", "x = 2")
    released = classroom.make_release("ps1", data__csv="3,4")
    write_notebook(released / "p1.ipynb", "x = None")
    classroom.ok("teacher", "release_assignment", "ps1", "--force")
    for told in (classroom.ok("ann", "list"), classroom.fails("ann", "fetch_assignment", "ps1")):
        assert "A newer version of ps1 was released on " in told
        assert "run `git-exchange update ps1`" in told
    updated = classroom.run(ann, ["git-exchange", "update", "ps1"])
    assert updated.status == 0, updated.output
    assert "Updated: data.csv" in updated.output
    assert "Yours, kept: p1.ipynb" in updated.output
    (copy,) = (ann.work / "ps1").glob("p1.release-*.ipynb")
    assert "x = None" in copy.read_text()
    assert "x = 2" in (ann.work / "ps1" / "p1.ipynb").read_text()
    assert "You have the newest version" in classroom.run(ann, ["git-exchange", "update", "ps1"]).output
    assert "newer version" not in classroom.ok("ann", "list")
    submitted = classroom.ok("ann", "submit", "ps1")
    assert f"Not submitted: '{copy.name}'" in submitted
    assert "EXTRA" not in submitted
    classroom.ok("teacher", "collect", "ps1")
    assert not (classroom.submitted("ann") / copy.name).exists()
    assert (classroom.submitted("ann") / "data.csv").read_text() == "3,4"


def test_what_there_is_not_is_said_without_a_traceback(classroom: Classroom) -> None:
    classroom.open("ann")
    classroom.release()
    for arguments in (["ps1"], ["ps9"], ["ps1", "--course", "nowhere"]):
        result = classroom.run(classroom.student("ann"), ["git-exchange", "update", *arguments])
        assert result.status == 1
        assert "Traceback" not in result.output


def test_a_due_date_that_was_changed_in_formgrader_reaches_the_students_with_the_next_collect(
    classroom: Classroom,
) -> None:
    classroom.open("ann")
    due = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(days=1)
    classroom.set_due(due)
    classroom.release()
    submit_work(classroom, "ann", "x = 2")

    def seen() -> datetime | None:
        course = Course(classroom.settings(), COURSE, classroom.forge("ann"), classroom.tokens["ann"])
        return find_release(course, "ps1").due

    assert "students now see" not in classroom.ok("teacher", "collect", "ps1")
    later = due + timedelta(days=1)
    classroom.set_due(later)
    assert seen() == due
    told = classroom.ok("teacher", "collect", "ps1")
    assert f"from {due:%Y-%m-%d %H:%M} UTC to {later:%Y-%m-%d %H:%M} UTC; students now see the new one" in told
    assert seen() == later
    assert "newer version" not in classroom.ok("ann", "list")
    assert "students now see" not in classroom.ok("teacher", "collect", "ps1")
