from __future__ import annotations

from pathlib import Path

import pytest

from git_exchange.files.selection import Selection, SelectionRules, select
from git_exchange.operations.sidecar import Sidecar
from git_exchange.plugin import submission_cache

STAMP = "2026-11-20 10:00:00.123456 UTC"
ATTEMPT = Sidecar(7, "refs/heads/submit/ps1", "a" * 40)


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "ps1"
    (folder / "empty").mkdir(parents=True)
    (folder / "p1.ipynb").write_text("{}")
    (folder / "timestamp.txt").write_text("1999-01-01 00:00:00 UTC")
    (folder / "left.out").write_text("x")
    return folder


def selected(work: Path) -> Selection:
    return select(work, SelectionRules(ignore=("*.out",), include=("*",), max_file_size=1000, max_total_size=1000))


def keep(cache: Path, work: Path, student_id: str = "ann", course_id: str = "calc 101") -> bool:
    return submission_cache.keep(cache, course_id, student_id, "ps1", STAMP, work, selected(work), ATTEMPT)


def test_what_was_submitted_lies_in_nbgraders_layout_with_the_servers_time(tmp_path: Path, work: Path) -> None:
    assert keep(tmp_path / "cache", work)
    (folder,) = (tmp_path / "cache" / "calc 101").iterdir()
    assert folder.name == f"ann+ps1+{STAMP}"
    assert (folder / "p1.ipynb").read_text() == "{}"
    assert (folder / "timestamp.txt").read_text() == STAMP
    assert (folder / "submission_secret.txt").read_text()
    assert (folder / "empty").is_dir()
    assert not (folder / "left.out").exists()
    assert list((tmp_path / "cache").iterdir()) == [folder.parent]


def test_a_copy_says_which_attempt_it_is_and_a_folder_of_another_exchange_does_not(tmp_path: Path, work: Path) -> None:
    keep(tmp_path, work)
    (tmp_path / "calc 101" / "ben+ps2+2019-05-30 11:44:01.911849 UTC").mkdir()
    ours, theirs = submission_cache.kept(tmp_path, "calc 101", None, "")
    assert (ours.attempt, ours.notebooks, ours.timestamp) == (ATTEMPT, ("p1.ipynb",), STAMP)
    assert (theirs.attempt, theirs.student_id, theirs.assignment_id) == (None, "ben", "ps2")
    assert submission_cache.kept(tmp_path, "calc 101", "ann", "ps*") == [ours]
    assert submission_cache.kept(tmp_path, "calc 101", None, "ps3") == []


@pytest.mark.parametrize("student_id", ["an+n", "../ann", "ann/ben", ".git", "a\nnn"])
def test_an_id_that_cannot_be_part_of_a_folders_name_keeps_no_copy(tmp_path: Path, work: Path, student_id: str) -> None:
    assert not keep(tmp_path / "cache", work, student_id)
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("course_id", ["", "..", "a/b"])
def test_nothing_is_looked_for_outside_the_cache(tmp_path: Path, work: Path, course_id: str) -> None:
    (tmp_path / "ann+ps1+x").mkdir()
    assert submission_cache.kept(tmp_path / "cache", course_id, None, "") == []


def test_links_and_folders_of_other_names_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "course" / "notes").mkdir(parents=True)
    (tmp_path / "course" / f"ann+ps1+{STAMP}").symlink_to(tmp_path)
    assert submission_cache.kept(tmp_path, "course", None, "") == []


def test_a_dropped_copy_is_gone_and_the_others_stay(tmp_path: Path, work: Path) -> None:
    keep(tmp_path, work)
    keep(tmp_path, work, "ben")
    first, second = submission_cache.kept(tmp_path, "calc 101", None, "")
    submission_cache.drop(first)
    assert submission_cache.kept(tmp_path, "calc 101", None, "") == [second]
