from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from git_exchange.course.seats import my_seat
from git_exchange.errors import CourseError, FilesError
from git_exchange.operations import submit
from git_exchange.operations.restore import attempts_of, lateness, restore
from tests.unit.school import RULES, School


@pytest.fixture
def two(school: School) -> School:
    school.open("ann")
    school.release()
    school.submit_files("ann", {"p1.ipynb": "first", "sub/data.csv": "1"})
    school.submit_files("ann", {"p1.ipynb": "second", "timestamp.txt": "1999"})
    return school


def bring(school: School, folder: Path, number: int | None = None) -> int:
    course = school.course("ann", cache_dir=school.place / "another-machine")
    return restore(course, my_seat(course), "ps1", folder, number=number, listener=school.listen).number


def written(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_the_latest_attempt_comes_back_on_another_machine_with_its_files_and_nothing_else(two: School) -> None:
    assert bring(two, two.place / "back" / "ps1") == 2
    assert written(two.place / "back") == {"ps1/p1.ipynb": "second"}


def test_an_earlier_attempt_comes_back_into_an_empty_folder(two: School) -> None:
    folder = two.folder("empty", {})
    assert bring(two, folder, 1) == 1
    assert written(folder) == {"p1.ipynb": "first", "sub/data.csv": "1"}
    assert not list(two.place.glob(".git-exchange"))


def test_nothing_is_overwritten_and_what_is_there_is_said(two: School) -> None:
    folder = two.folder("mine", {f"note-{number}.txt": "mine" for number in range(7)})
    before = written(folder)
    with pytest.raises(FilesError, match=r"note-0\.txt.*and 2 more") as failed:
        bring(two, folder)
    assert "--to" in failed.value.hint
    with pytest.raises(FilesError, match="no folder"):
        bring(two, folder / "note-0.txt")
    link = two.place / "link"
    link.symlink_to(two.folder("elsewhere", {}))
    with pytest.raises(FilesError, match="no folder"):
        bring(two, link)
    assert written(folder) == before


def test_folders_without_files_come_back_and_hostile_names_do_not(school: School) -> None:
    school.open("ann")
    school.release()
    folder = school.folder("work-ann", {"p1.ipynb": "mine"})
    (folder / "figures" / "raw").mkdir(parents=True)
    course = school.course("ann")
    prepared = submit.prepare(course, my_seat(course), "ps1", folder, RULES)
    names = ("figures/raw", "../out", ".git/hooks", "p1.ipynb/x")
    hostile = replace(prepared.selection, empty_directories=names)
    submit.submit(course, replace(prepared, selection=hostile))
    bring(school, school.place / "back")
    assert (school.place / "back" / "figures" / "raw").is_dir()
    assert sorted(path.name for path in (school.place / "back").iterdir()) == ["figures", "p1.ipynb"]
    assert not (school.place / "out").exists()
    assert school.heard().count("Left out the folder") == 3


def test_what_is_not_there_is_named(two: School) -> None:
    with pytest.raises(CourseError, match="no attempt 5") as failed:
        bring(two, two.place / "back", 5)
    assert "1, 2" in failed.value.hint
    course = two.course("ann")
    with pytest.raises(CourseError, match="has not submitted ps9"):
        attempts_of(course, my_seat(course), "ps9")
    assert not (two.place / "back").exists()


def test_attempts_are_late_by_the_due_date_and_undecided_just_after_it(two: School) -> None:
    course = two.course("ann")
    found = attempts_of(course, my_seat(course), "ps1")
    assert [attempt.number for attempt in found] == [1, 2]
    assert found[0].pushed_by == two.username("ann")
    past = datetime.now(timezone.utc) - timedelta(hours=1)
    assert lateness(found[1], None, 300) == "on time"
    assert lateness(found[1], found[1].time, 300) == "on time"
    assert lateness(found[1], found[1].time - timedelta(seconds=10), 300) == "undecided"
    assert lateness(found[1], past, 300) == "late"
