"""Whom the course has invited to the forge: ``invited.csv`` in the staff project.

An invitation that was accepted is no longer on the forge: without this record, who accepted it with an account that
nobody knows yet would be invited again and again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from git_exchange.course.course import Course
from git_exchange.course.staff_files import Files, change_files, read_files
from git_exchange.errors import UnexpectedAnswer
from git_exchange.rules import invited, layout


def read_invited(course: Course) -> dict[str, datetime]:
    """Return when each address, by its mark, was invited. Raise NotStaff, UnexpectedAnswer."""
    return _load(read_files(course, [layout.INVITED_PATH]).get(layout.INVITED_PATH, b""))


def record_invited(course: Course, new: Mapping[str, datetime]) -> bool:
    """Add or replace invitations, leave out old ones; True if something changed. Raise NotStaff, UnexpectedAnswer."""

    def change(present: Files) -> Files:
        known = _load(present.get(layout.INVITED_PATH, b""))
        wanted = invited.current(known | dict(new), course.now())
        return {layout.INVITED_PATH: invited.dump(wanted)} if wanted != known else {}

    return bool(new) and change_files(course, f"Note {len(new)} invitations", [layout.INVITED_PATH], change)


def _load(content: bytes) -> dict[str, datetime]:
    try:
        return invited.load(content)
    except ValueError as error:
        raise UnexpectedAnswer(
            f"The record {layout.INVITED_PATH} in the staff project is damaged ({error}).",
            hint="Put the file's last good version back, or take it out.",
        ) from error
