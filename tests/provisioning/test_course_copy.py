"""``git-exchange course copy``: the next term from what the last one released, on every forge."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from git_exchange.course.course import Course
from git_exchange.course.releases import Release, releases
from git_exchange.rules import trailers
from tests.exchange.classroom import COURSE, Classroom, Result

NEXT = "calc 102"


def copy(classroom: Classroom, *options: str, name: str = "teacher") -> Result:
    folder = classroom.root(NEXT) if name == "teacher" else None
    return classroom.run(classroom.people[name], ["git-exchange", "course", "copy", COURSE, NEXT, *options], folder)


def released(classroom: Classroom, course: str = NEXT) -> dict[str, Release]:
    opened = Course(classroom.settings("looking"), course, classroom.forge(), classroom.tokens["teacher"])
    return {release.assignment_id: release for release in releases(opened)}


def message(classroom: Classroom, release: Release, course: str = NEXT) -> trailers.Trailers:
    opened = Course(classroom.settings("looking"), course, classroom.forge(), classroom.tokens["teacher"])
    branches = classroom.forge().branches(opened.assignments().id, "release/")
    return trailers.parse(next(one.message for one in branches if one.ref == release.ref))


def folder(classroom: Classroom, assignment: str) -> Path:
    return classroom.root(NEXT) / "release" / assignment


def content(place: Path) -> dict[str, bytes]:
    return {path.relative_to(place).as_posix(): path.read_bytes() for path in place.rglob("*") if path.is_file()}


def test_a_new_course_starts_with_the_releases_and_shows_nobody_any(classroom: Classroom) -> None:
    classroom.open("ann")
    classroom.set_due(datetime.now(timezone.utc) + timedelta(days=1))
    (classroom.make_release("ps1", data__csv="1,2\n") / "empty").mkdir()
    classroom.ok("teacher", "release_assignment", "ps1")
    for name in ("ps2", "exam", "ps3"):
        classroom.release(name, notes__txt=name)
    classroom.ok("teacher", "list", "exam", "--remove")

    done = copy(classroom, "--title", "Calculus 2", "--assignments", "ps1,ps2,exam", "--release", "ps2")
    assert done.status == 0, done.output
    assert "1 withdrawn, 1 written, 1 released (of 3)" in done.output
    assert content(folder(classroom, "ps1")) == content(classroom.root() / "release" / "ps1")
    assert (folder(classroom, "ps1") / "empty").is_dir()
    assert not folder(classroom, "ps2").exists()
    assert set(released(classroom)) == {"ps2"}
    said = message(classroom, released(classroom)["ps2"])
    assert said.first(trailers.COURSE) == NEXT
    assert said.first(trailers.COPIED_FROM) == f"{COURSE} {released(classroom, COURSE)['ps2'].commit}"
    group = (
        classroom.forge().find_group(f"{classroom.namespace}/{'xcalc_20102'}") if classroom.kind == "gitlab" else None
    )
    assert group is None or group.name == "Calculus 2"

    again = copy(classroom, "--assignments", "ps1,ps2", "--release", "ps2")
    assert "2 unchanged (of 2)" in again.output

    # Out of the folder it is released when it is time, with a due date of its own.
    classroom.ok("teacher", "release_assignment", "ps1", course=NEXT)
    assert released(classroom)["ps1"].due is None
    # What differs stays.
    (folder(classroom, "ps1") / "data.csv").write_text("3,4\n")
    classroom.make_release("ps2", notes__txt="better")
    classroom.ok("teacher", "release_assignment", "ps2", "--force")
    other = copy(classroom, "--assignments", "ps1", "--release", "ps2")
    assert other.status == 0, other.output
    assert "2 differs (of 2)" in other.output
    assert (folder(classroom, "ps1") / "data.csv").read_text() == "3,4\n"

    kept = copy(classroom, "--assignments", "ps1", "--release", "ps1", "--keep-due-dates")
    assert "1 unchanged (of 1)" in kept.output
    assert copy(classroom, "--assignments", "ps9").status == 1


@pytest.mark.parametrize("server", ["gitlab"], indirect=True)
def test_due_dates_stay_behind_unless_they_are_asked_for(classroom: Classroom) -> None:
    classroom.open()
    due = datetime(2030, 5, 4, 12, tzinfo=timezone.utc)
    for name in ("ps1", "ps2"):
        classroom.make_release(name)
        classroom.set_due(due, name)
        classroom.ok("teacher", "release_assignment", name)
    assert copy(classroom, "--assignments", "ps1", "--release", "ps1").status == 0
    assert copy(classroom, "--assignments", "ps2", "--release", "ps2", "--keep-due-dates").status == 0
    found = released(classroom)
    assert (found["ps1"].due, found["ps2"].due) == (None, due)


@pytest.mark.parametrize("server", ["gitlab"], indirect=True)
def test_an_open_course_keeps_who_can_read_it(classroom: Classroom) -> None:
    classroom.open()
    classroom.release()
    command = ["git-exchange", "course", "create", NEXT, "--releases", "members"]
    assert classroom.run(classroom.teacher, command).status == 0

    def visibility() -> object:
        opened = Course(classroom.settings("looking"), NEXT, classroom.forge(), classroom.tokens["teacher"])
        return opened.assignments().visibility

    before = visibility()
    assert copy(classroom).status == 0
    assert visibility() is before


@pytest.mark.parametrize("server", ["gitlab"], indirect=True)
def test_only_staff_copy_and_only_into_the_right_directory(classroom: Classroom) -> None:
    classroom.open("ann")
    classroom.release()
    assert copy(classroom).status == 0
    mine = classroom.student("ann").work
    (mine / "nbgrader_config.py").write_text("c = get_config()\n")
    student = copy(classroom, name="ann")
    assert student.status == 1, student.output
    assert not (mine / "release").exists()
    elsewhere = classroom.run(
        classroom.teacher, ["git-exchange", "course", "copy", COURSE, NEXT], classroom.root(COURSE)
    )
    assert "course directory of calc 101" in elsewhere.output
    assert released(classroom) == {}
