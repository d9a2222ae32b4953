from __future__ import annotations

import sqlite3
from datetime import datetime, timezone
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from git_exchange import gradebook
from git_exchange.errors import FilesError
from git_exchange.rules.people import Names

DUE = datetime(2026, 11, 20, 10, 0, tzinfo=timezone.utc)


def database(folder: Path, **assignments: str | None) -> str:
    url = f"sqlite:///{folder / 'gradebook.db'}"
    with Gradebook(url, "calculus") as book:
        for name, due in assignments.items():
            book.add_assignment(name, duedate=due)
    return url


def test_a_due_date_is_aware_utc(tmp_path: Path) -> None:
    url = database(tmp_path, ps1="2026-11-20 10:00:00 UTC")
    assert gradebook.find_assignment(url, "calculus", "ps1") == gradebook.Assignment(DUE)


def test_an_assignment_whose_due_date_was_taken_away_is_told_from_one_that_is_not_there(tmp_path: Path) -> None:
    url = database(tmp_path, ps1=None)
    assert gradebook.find_assignment(url, "calculus", "ps1") == gradebook.Assignment(None)
    assert gradebook.find_assignment(url, "calculus", "ps2") is None


def test_the_notebooks_of_an_assignment_are_known_by_name(tmp_path: Path) -> None:
    url = database(tmp_path, ps1=None)
    with Gradebook(url, "calculus") as book:
        for name in ("p1", "p2"):
            book.add_notebook(name, "ps1")
    found = gradebook.find_assignment(url, "calculus", "ps1")
    assert found is not None
    assert found.notebooks == {"p1", "p2"}


def test_a_database_that_does_not_exist_is_not_made_by_looking(tmp_path: Path) -> None:
    assert gradebook.find_assignment(f"sqlite:///{tmp_path / 'none.db'}", "calculus", "ps1") is None
    assert not (tmp_path / "none.db").exists()


@pytest.mark.parametrize("damage", ["not a database", "an older one"])
def test_a_database_that_cannot_be_read_is_named_with_what_to_do(tmp_path: Path, damage: str) -> None:
    url = database(tmp_path, ps1=None)
    if damage == "an older one":
        with sqlite3.connect(tmp_path / "gradebook.db") as connection:
            connection.execute("alter table assignment drop column duedate")
        connection.close()
    else:
        (tmp_path / "gradebook.db").write_bytes(b"x" * 4096)
    with pytest.raises(FilesError, match="nbgrader db upgrade"):
        gradebook.find_assignment(url, "calculus", "ps1")


def graded(folder: Path, **grades: dict[str, object]) -> str:
    """Write a gradebook with one autograded cell of each student; ``grades`` are what people added."""
    url = database(folder, ps1=None, ps2=None)
    with Gradebook(url, "calculus") as book:
        for name in ("ps1", "ps2"):
            book.add_notebook("p1", name)
            book.add_grade_cell("c1", "p1", name, max_score=1, cell_type="code")
            book.add_solution_cell("c1", "p1", name)
        for student, changes in grades.items():
            book.add_student(student)
            with book.db.no_autoflush:
                book.add_submission("ps1", student)
            grade = book.find_grade("c1", "p1", "ps1", student)
            comment = book.find_comment("c1", "p1", "ps1", student)
            grade.auto_score, comment.auto_comment = 1.0, "No response."
            for key, value in changes.items():
                setattr(comment if "comment" in key else grade, key, value)
        book.db.commit()
    return url


def test_graded_by_hand_is_who_has_marks_extra_credit_or_comments_by_hand(tmp_path: Path) -> None:
    url = graded(
        tmp_path,
        ann={"manual_score": 0.0},
        ben={"extra_credit": 0.5},
        cat={"manual_comment": "Nice"},
        dan={},
        eve={"extra_credit": 0.0, "manual_comment": ""},
    )
    assert gradebook.hand_graded(url, "calculus", "ps1") == {"ann", "ben", "cat"}
    assert gradebook.hand_graded(url, "calculus", "ps2") == frozenset()
    assert gradebook.hand_graded(url, "calculus", "ps3") == frozenset()
    assert gradebook.hand_graded(f"sqlite:///{tmp_path / 'none.db'}", "calculus", "ps1") == frozenset()


def test_students_are_read_and_written_with_what_is_known_of_them(tmp_path: Path) -> None:
    url = database(tmp_path, ps1=None)
    gradebook.put_students(url, "calculus", [Names("ann", "Ann"), Names("ben")])
    gradebook.put_students(url, "calculus", [Names("ann", last_name="Lee", lms_user_id="42")])
    assert gradebook.students(url, "calculus") == {"ann": Names("ann", "Ann", "Lee", "", "42"), "ben": Names("ben")}
    assert gradebook.students(f"sqlite:///{tmp_path / 'none.db'}", "calculus") == {}


def test_scores_are_nbgraders_totals_less_the_late_penalty_and_only_of_who_is_fully_graded(tmp_path: Path) -> None:
    done = {"needs_manual_grade": False}
    url = graded(
        tmp_path,
        ann=done,
        ben={**done, "manual_score": 0.5, "extra_credit": 0.25},
        cat={"needs_manual_grade": True},
        dan=done,
        eve=done,
    )
    with Gradebook(url, "calculus") as book:
        book.find_submission("ps1", "dan").notebooks[0].late_submission_penalty = 0.25
        book.find_submission("ps1", "eve").notebooks[0].late_submission_penalty = 5.0
        book.add_student("fay")
        for student in ("gil", "hal"):  # collected and not autograded; no work, but an extension
            book.add_student(student)
            with book.db.no_autoflush:
                book.add_submission("ps1", student)
        book.find_submission("ps1", "gil").timestamp = DUE.replace(tzinfo=None)
        book.db.commit()
    found = gradebook.scores(url, "calculus", "ps1")
    assert found is not None
    assert {name: (one.state, one.score) for name, one in found.items()} == {
        "ann": ("graded", 1.0),
        "ben": ("graded", 0.75),
        "cat": ("not graded", 0.0),
        "dan": ("graded", 0.75),
        "eve": ("graded", 0.0),
        "fay": ("no submission", 0.0),
        "gil": ("not graded", 0.0),
        "hal": ("no submission", 0.0),
    }
    assert {one.maximum for one in found.values()} == {1.0}
    assert gradebook.scores(url, "calculus", "ps3") is None
    assert gradebook.scores(f"sqlite:///{tmp_path / 'none.db'}", "calculus", "ps1") is None
