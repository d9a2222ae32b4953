from __future__ import annotations

from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from git_exchange import gradebook
from git_exchange.errors import FilesError
from git_exchange.operations.gradebook_extensions import Book
from git_exchange.operations.name_students import MEMORY, name_students
from git_exchange.rules.people import Names

ANN = Names("ann", "Ann", "Lee", "ann@x.edu", "42")


def url(folder: Path) -> str:
    return f"sqlite:///{folder / 'gradebook.db'}"


def name(folder: Path, *people: Names) -> int:
    known = {one.student_id: one for one in people}
    return name_students(Book(folder, url(folder), "calculus"), list(known), known)


def shown(folder: Path) -> dict[str, Names]:
    return gradebook.students(url(folder), "calculus")


def typed(folder: Path, student_id: str, **fields: str) -> None:
    with Gradebook(url(folder), "calculus") as book:
        book.update_or_create_student(student_id, **fields)


def test_students_come_into_the_gradebook_with_their_names_once(tmp_path: Path) -> None:
    assert name(tmp_path, ANN, Names("ben")) == 2
    assert shown(tmp_path) == {"ann": ANN, "ben": Names("ben")}
    assert name(tmp_path, ANN, Names("ben")) == 0


def test_a_new_name_in_the_roster_replaces_the_one_that_came_from_there(tmp_path: Path) -> None:
    name(tmp_path, ANN)
    assert name(tmp_path, Names("ann", "Ann", "Bohr")) == 1
    assert shown(tmp_path)["ann"] == Names("ann", "Ann", "Bohr", "ann@x.edu", "42")


def test_a_name_that_somebody_typed_stays(tmp_path: Path) -> None:
    typed(tmp_path, "ann", first_name="Annie")
    name(tmp_path, ANN)
    assert shown(tmp_path)["ann"] == Names("ann", "Annie", "Lee", "ann@x.edu", "42")
    typed(tmp_path, "ann", last_name="Leigh")
    name(tmp_path, Names("ann", "Ann", "Lee", "new@x.edu"))
    assert shown(tmp_path)["ann"] == Names("ann", "Annie", "Leigh", "new@x.edu", "42")


def test_without_its_memory_only_empty_fields_are_filled(tmp_path: Path) -> None:
    name(tmp_path, Names("ann", "Ann"))
    (tmp_path / ".git-exchange" / MEMORY).unlink()
    name(tmp_path, Names("ann", "Anna", "Lee"))
    assert shown(tmp_path)["ann"] == Names("ann", "Ann", "Lee")


def test_a_gradebook_that_takes_nothing_is_named(tmp_path: Path) -> None:
    (tmp_path / "gradebook.db").write_bytes(b"x" * 4096)
    with pytest.raises(FilesError, match="gradebook"):
        name(tmp_path, ANN)
