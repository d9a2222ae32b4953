"""Extensions in nbgrader's gradebook: formgrader's lateness agrees, and what an instructor typed stays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from git_exchange.events import Event, Progress
from git_exchange.operations.gradebook_extensions import Book, carry_over
from git_exchange.rules import times

DUE = datetime(2026, 11, 20, 10, 0, tzinfo=timezone.utc)
DAY = timedelta(days=1)


@dataclass
class Desk:
    """An instructor's gradebook with the assignment ps1."""

    root: Path
    said: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"sqlite:///{self.root / 'gradebook.db'}"

    @contextmanager
    def open(self) -> Iterator[Gradebook]:
        with Gradebook(self.url, "calculus") as book:
            yield book

    def set_due(self, due: datetime | None) -> None:
        with self.open() as book:
            book.update_or_create_assignment("ps1", duedate=None if due is None else times.timestamp(due))

    def carry_over(self, extensions: dict[str, datetime], collected: tuple[str, ...] = ("ann",)) -> None:
        def listen(event: Event | Progress) -> None:
            assert isinstance(event, Event)
            self.said.append(event.message)

        carry_over(Book(self.root, self.url, "calculus"), "ps1", extensions, collected, listener=listen)

    def extension(self, student: str = "ann") -> timedelta | None:
        with self.open() as book:
            found: timedelta | None = book.find_submission("ps1", student).extension
            return found

    def type(self, hours: int, student: str = "ann") -> None:
        with self.open() as book:
            book.update_or_create_student(student)
            with book.db.no_autoflush:
                book.update_or_create_submission("ps1", student)
            book.grant_extension("ps1", student, hours=hours)

    def students(self) -> list[str]:
        with self.open() as book:
            return sorted(submission.student.id for submission in book.assignment_submissions("ps1"))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    desk.set_due(DUE)
    return desk


def test_formgraders_lateness_is_that_of_the_extended_due_date(desk: Desk) -> None:
    desk.carry_over({"ann": DUE + DAY})
    with desk.open() as book:
        book.update_or_create_submission("ps1", "ann", timestamp=times.timestamp(DUE + DAY + timedelta(seconds=90)))
        assert book.find_submission("ps1", "ann").total_seconds_late == 90


def test_the_rows_that_it_needs_are_made_for_collected_work_only(desk: Desk) -> None:
    desk.carry_over({"ann": DUE + DAY, "ben": DUE + DAY}, ("ann",))
    assert desk.students() == ["ann"]
    desk.carry_over({"ann": DUE + DAY, "ben": DUE + DAY}, ("ann", "ben"))
    assert desk.students() == ["ann", "ben"]
    assert desk.extension("ben") == DAY


def test_an_extension_follows_its_changes_those_of_the_due_date_and_its_removal(desk: Desk) -> None:
    desk.carry_over({"ann": DUE + DAY})
    desk.carry_over({"ann": DUE + 2 * DAY})
    assert desk.extension() == 2 * DAY
    desk.set_due(DUE + DAY)
    desk.carry_over({"ann": DUE + 2 * DAY})
    assert desk.extension() == DAY
    desk.carry_over({})
    assert desk.extension() is None
    assert desk.said == []


def test_what_an_instructor_typed_into_the_gradebook_is_never_replaced_or_taken_away(desk: Desk) -> None:
    desk.type(hours=5)
    desk.carry_over({"ann": DUE + DAY})
    assert desk.extension() == timedelta(hours=5)
    assert "5:00:00" in desk.said[0]
    desk.carry_over({})
    assert desk.extension() == timedelta(hours=5)


def test_what_an_instructor_typed_over_ours_stays_when_ours_is_taken_back(desk: Desk) -> None:
    desk.carry_over({"ann": DUE + DAY})
    desk.type(hours=5)
    desk.carry_over({})
    assert desk.extension() == timedelta(hours=5)
    desk.type(hours=24)
    desk.carry_over({"ann": DUE + DAY})
    desk.carry_over({})
    assert desk.extension() == DAY


def test_an_extension_without_a_due_date_or_before_it_is_none_for_nbgrader(desk: Desk) -> None:
    desk.carry_over({"ann": DUE + DAY})
    desk.set_due(None)
    desk.carry_over({"ann": DUE + DAY})
    assert desk.extension() is None
    with desk.open() as book:
        assert book.find_submission("ps1", "ann").duedate is None
    desk.set_due(DUE + 2 * DAY)
    desk.carry_over({"ann": DUE + DAY})
    assert desk.extension() is None


def test_without_a_gradebook_or_the_assignment_in_it_nothing_is_made(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.carry_over({"ann": DUE + DAY})
    assert not (tmp_path / "gradebook.db").exists()
    with desk.open() as book:
        book.add_assignment("ps2")
    desk.carry_over({"ann": DUE + DAY})
    with desk.open() as book:
        assert book.students == []


def test_a_lost_memory_of_what_we_wrote_leaves_the_value_and_says_so(desk: Desk) -> None:
    desk.carry_over({"ann": DUE + DAY})
    (desk.root / ".git-exchange" / "gradebook-extensions.json").write_text("damaged")
    desk.carry_over({"ann": DUE + 2 * DAY})
    assert desk.extension() == DAY
    assert "1 day" in desk.said[0]
