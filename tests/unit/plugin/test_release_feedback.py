"""Which pages are feedback: those on notebooks of the assignment, and nothing of the student's own."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from nbgrader.auth import Authenticator
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from git_exchange.plugin.release_feedback import ExchangeReleaseFeedback


def releasing(root: Path) -> ExchangeReleaseFeedback:
    config = Config()
    config.GitExchange.url = "http://127.0.0.1:9"
    config.GitExchange.namespace = "teaching"
    config.CourseDirectory.root = str(root)
    config.CourseDirectory.course_id = "calculus"
    config.CourseDirectory.assignment_id = "ps1"
    coursedir = CourseDirectory(config=config)
    return ExchangeReleaseFeedback(coursedir=coursedir, authenticator=Authenticator(config=config), config=config)


def feedback(root: Path, *names: str) -> Path:
    folder = root / "feedback" / "ann" / "ps1"
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).write_text("<p>A+</p>")
    return folder


def pages(made: ExchangeReleaseFeedback) -> list[str]:
    made.init_src()
    return [page.name for marked in made.marked for page in marked.pages]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    with Gradebook(f"sqlite:///{tmp_path / 'gradebook.db'}", "calculus") as book:
        book.add_assignment("ps1")
        for name in ("p1", "p2"):
            book.add_notebook(name, "ps1")
    return tmp_path


def test_a_page_of_the_students_own_among_the_feedback_is_not_released(
    root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    feedback(root, "p1.html", "p2.html", "grade.html", "a\x1b[31m.html")
    made = releasing(root)
    made.log = logging.getLogger("made")
    assert pages(made) == ["p1.html", "p2.html"]
    assert "grade.html is not the feedback on a notebook" in caplog.text
    assert "a\\x1b[31m.html" in caplog.text


def test_a_link_is_no_feedback(root: Path) -> None:
    folder = feedback(root, "p1.html")
    (root / "secret").write_text("the instructor's")
    (folder / "p2.html").symlink_to(root / "secret")
    assert pages(releasing(root)) == ["p1.html"]


def test_without_a_gradebook_every_page_is_feedback(tmp_path: Path) -> None:
    feedback(tmp_path, "p1.html", "other.html")
    assert pages(releasing(tmp_path)) == ["other.html", "p1.html"]
