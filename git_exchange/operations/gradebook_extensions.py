"""Extensions in nbgrader's gradebook, so that formgrader and late penalties agree with what was collected.

What we wrote is remembered beside the course: a value that an instructor typed into the gradebook is never replaced.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from git_exchange import gradebook
from git_exchange.events import Event, Listener, ignore
from git_exchange.files import replace
from git_exchange.files.paths import display

NAME = "gradebook-extensions.json"


@dataclass(frozen=True)
class Book:
    """A gradebook, by its database URL, and the course directory ``root`` that it belongs to."""

    root: Path
    db_url: str
    course_id: str


def carry_over(
    book: Book,
    assignment_id: str,
    extensions: Mapping[str, datetime],
    collected: Collection[str],
    *,
    listener: Listener = ignore,
) -> None:
    """Write the extensions (student id -> until when) into the gradebook, and take away what we wrote and is over.

    ``collected`` students get the rows that this needs. Nothing is done where the gradebook lacks the assignment.
    Raise FilesError if it cannot be used.
    """
    known = gradebook.find_assignment(book.db_url, book.course_id, assignment_id)
    if known is None:
        return
    wanted = {
        student_id: until - known.due
        for student_id, until in extensions.items()
        if known.due is not None
        and until > known.due  # nbgrader adds an extension to the due date: without one it fails
    }
    if not wanted and not _read(book.root).get(assignment_id):
        return
    with replace.lock(book.root, NAME):
        everything = _read(book.root)
        before = everything.get(assignment_id, {})
        ours = {student_id: timedelta(seconds=seconds) for student_id, seconds in before.items()}
        after = gradebook.write_extensions(book.db_url, book.course_id, assignment_id, wanted, ours, collected)
        new = {student_id: length.total_seconds() for student_id, length in after.ours.items()}
        if new != before:
            text = json.dumps(everything | {assignment_id: new}, indent=1, sort_keys=True)
            replace.write_file(_file(book.root), [f"{text}\n".encode()])
    for student_id, length in after.theirs.items():
        listener(
            Event(
                f"{display(student_id)}: the gradebook has an extension of {length} that was not granted with"
                " git-exchange; it stays there, and formgrader counts by it",
                "warning",
            )
        )


def _file(root: Path) -> Path:
    return replace.work_area(root) / NAME


def _read(root: Path) -> dict[str, dict[str, float]]:
    try:
        said = json.loads(_file(root).read_text(encoding="utf-8"))
        return {
            str(assignment_id): {str(student_id): float(seconds) for student_id, seconds in students.items()}
            for assignment_id, students in said.items()
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
