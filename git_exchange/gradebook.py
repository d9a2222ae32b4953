"""nbgrader's database, as values."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

from nbgrader.api import Gradebook, MissingEntry


def due_date(db_url: str, course_id: str, assignment_id: str) -> datetime | None:
    """Return the assignment's due date (aware UTC), None if it has none or is not in the gradebook.

    A SQLite database that does not exist is not created by looking.
    """
    if db_url.startswith("sqlite:///") and not Path(db_url.removeprefix("sqlite:///")).exists():
        return None
    with Gradebook(db_url, course_id) as gradebook:
        try:
            due: datetime | None = gradebook.find_assignment(assignment_id).duedate
        except MissingEntry:
            return None
    return due.replace(tzinfo=timezone.utc) if due is not None else None
