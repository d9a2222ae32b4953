"""What was purged from the course: ``purged.jsonl`` in the staff project, written before a branch is rewritten.

It is not in the purged branch itself: whoever reads that would learn under which ids the content may still be had.
"""

from __future__ import annotations

from git_exchange.course.course import Course
from git_exchange.course.staff_files import Files, change_files, read_files
from git_exchange.errors import UnexpectedAnswer
from git_exchange.rules import purge
from git_exchange.rules.purge import Purge


def read_purges(course: Course, project_id: int, ref: str) -> list[Purge]:
    """Return the purges of one branch, oldest first. Raise NotStaff, UnexpectedAnswer if the record is damaged."""
    found = _load(read_files(course, [purge.PATH]).get(purge.PATH, b""))
    return [one for one in found if (one.project_id, one.ref) == (project_id, ref)]


def record_purge(course: Course, new: Purge) -> None:
    """Append the purge, unless it is the last one of its branch already. Raise NotStaff, PushRefused."""

    def change(present: Files) -> Files:
        before = present.get(purge.PATH, b"")
        same = [one for one in _load(before) if (one.project_id, one.ref) == (new.project_id, new.ref)]
        if same and (same[-1].commits, same[-1].files) == (new.commits, new.files):
            return {}  # an earlier run got as far as this
        return {purge.PATH: before + purge.dump([new]).encode()}

    change_files(course, "Record a purge", [purge.PATH], change)


def _load(content: bytes) -> tuple[Purge, ...]:
    try:
        return purge.load(content.decode("utf-8"))
    except ValueError as error:
        raise UnexpectedAnswer(
            f"The record {purge.PATH} in the staff project is damaged ({error}).",
            hint="Put the file's last good version back.",
        ) from error
