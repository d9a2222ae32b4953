"""nbgrader's database, as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from nbgrader.api import Gradebook, MissingEntry

from git_exchange.errors import FilesError


@dataclass(frozen=True)
class Assignment:
    """An assignment in the gradebook; ``due`` is aware UTC, None if it has no due date."""

    due: datetime | None


def find_assignment(db_url: str, course_id: str, assignment_id: str) -> Assignment | None:
    """Return the assignment as the gradebook has it, None if it has none. Raise FilesError if it cannot be read.

    A SQLite database that does not exist is not created by looking.
    """
    if db_url.startswith("sqlite:///") and not Path(db_url.removeprefix("sqlite:///")).exists():
        return None
    try:
        with Gradebook(db_url, course_id) as gradebook:
            due: datetime | None = gradebook.find_assignment(assignment_id).duedate
    except MissingEntry:
        return None
    except Exception as error:  # whatever the database and its driver raise
        raise FilesError(
            f"nbgrader's gradebook could not be read ({type(error).__name__}).",
            hint="Look whether `nbgrader db assignment list` works; after an upgrade of nbgrader run"
            " `nbgrader db upgrade`.",
        ) from error
    return Assignment(due.replace(tzinfo=timezone.utc) if due is not None else None)
