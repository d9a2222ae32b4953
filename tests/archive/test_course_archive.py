"""``git-exchange course archive``: what it does to a course, and what people are told afterwards, on every forge."""

from __future__ import annotations

from pathlib import Path

from tests.archive.test_archive import verify, worked
from tests.exchange.classroom import COURSE, Classroom, Result, write_notebook


def archive(classroom: Classroom, *options: str, name: str = "teacher") -> Result:
    return classroom.run(classroom.people[name], ["git-exchange", "course", "archive", COURSE, *options])


def archived(classroom: Classroom) -> dict[str, bool]:
    forge = classroom.forge()
    group = forge.find_group(classroom.seat("ann").group_path)
    return {project.path: project.archived for project in forge.projects(group)}


def test_an_archived_course_is_exported_read_and_not_written(classroom: Classroom, tmp_path: Path) -> None:
    worked(classroom, "ann", "ben")
    folder = tmp_path / "archive"
    done = archive(classroom, "--to", str(folder), "--yes")
    assert done.status == 0, done.output
    assert "4 exported (of 4)" in done.output
    assert "4 ok (of 4)" in done.output
    assert "4 archived (of 4)" in done.output
    assert archived(classroom) == dict.fromkeys(("assignments", "staff", "student-ann", "student-ben"), True)
    assert verify(classroom, folder).status == 0

    # Students read, and are told why they cannot hand in.
    said = classroom.ok("ann", "list")
    assert "is archived: nothing can be handed in" in said
    assert "ps1" in said
    (classroom.student("ann").work / "ps1").rename(classroom.student("ann").work / "old")
    assert "is archived: nothing can be handed in" in classroom.ok("ann", "fetch_assignment", "ps1")
    refused = classroom.fails("ann", "submit", "ps1")
    assert f"The course {COURSE} is archived: nothing can be handed in or changed any more." in refused

    # The staff collect; a receipt cannot be written, and that is said.
    collected = classroom.ok("teacher", "collect", "ps1")
    assert "not pinned: the course is archived" in collected
    assert (classroom.submitted("ben") / "p1.ipynb").exists()
    assert "is archived" in classroom.fails("teacher", "release_assignment", "ps1", "--force")
    roster = ["git-exchange", "roster", "apply", COURSE, "--from", str(classroom.teacher.work / "roster.csv")]
    applied = classroom.run(classroom.teacher, roster)
    assert applied.status == 1
    assert "is archived" in applied.output

    again = archive(classroom, "--to", str(folder), "--yes")
    assert "4 unchanged (of 4)" in again.output
    assert all(archived(classroom).values())

    undone = archive(classroom, "--undo")
    assert undone.status == 0, undone.output
    assert "4 reopened (of 4)" in undone.output
    assert not any(archived(classroom).values())
    write_notebook(classroom.student("ann").work / "ps1" / "p1.ipynb", "x = 4")
    assert "is archived" not in classroom.ok("ann", "submit", "ps1")


def test_an_interrupted_archiving_is_finished_by_the_next(classroom: Classroom) -> None:
    worked(classroom, "ann", "ben")
    classroom.forge().archive(classroom.seat("ben").id)
    assert "The project of ben" in classroom.fails("ben", "submit", "ps1")
    done = archive(classroom, "--no-export", "--yes")
    assert done.status == 0, done.output
    assert "3 archived" in done.output
    assert "1 unchanged" in done.output
    assert all(archived(classroom).values())


def test_nothing_is_archived_without_consent_an_export_or_the_right_to_it(classroom: Classroom, tmp_path: Path) -> None:
    worked(classroom, "ann")
    assert archive(classroom, "--yes").status == 2
    assert archive(classroom, "--undo", "--no-export").status == 2
    asked = archive(classroom, "--no-export")  # nobody answers
    assert asked.status == 130
    assert "Make the 3 projects" in asked.output
    folder = tmp_path / "archive"
    folder.mkdir()
    (folder / "left.bundle").write_text("not in the index")
    damaged = archive(classroom, "--to", str(folder), "--yes")
    assert damaged.status == 1
    assert "Nothing was archived" in damaged.output
    student = archive(classroom, "--no-export", "--yes", name="ann")
    assert student.status == 1
    assert "not on the staff" in student.output
    assert not any(archived(classroom).values())
