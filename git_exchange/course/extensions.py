"""Who has more time: ``extensions.csv`` in the staff project. Every change is a commit of the account that made it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from git_exchange.course.course import Course
from git_exchange.course.staff_files import Files, change_files, only_by_writers, read_files
from git_exchange.errors import UnexpectedAnswer
from git_exchange.files.paths import display
from git_exchange.rules import layout
from git_exchange.rules.extension import Extension, Extensions, dump, load

_NAMED = 5


def read_extensions(course: Course) -> Extensions:
    """Return every extension of the course. Raise NotStaff, UnexpectedAnswer if the file is damaged."""
    return _load(read_files(course, [layout.EXTENSIONS_PATH]).get(layout.EXTENSIONS_PATH, b""))


def grant(course: Course, new: Sequence[Extension]) -> bool:
    """Record extensions for students of one assignment and one time, in place of earlier ones; True if that is news.

    Raise NotStaff, also for staff who may not write there.
    """
    if not new:
        return False
    first = new[0]
    until = f"{first.until:%Y-%m-%d %H:%M} UTC"
    subject = f"Extend {display(first.assignment_id)} until {until} for {_names([one.student_id for one in new])}"
    return _change(course, subject, lambda before: before.having(new), body=first.reason)


def revoke(course: Course, assignment_id: str, student_ids: Collection[str]) -> bool:
    """Take extensions away again; True if there was one. Raise NotStaff."""
    subject = f"Take back the extension of {display(assignment_id)} for {_names(student_ids)}"
    return _change(course, subject, lambda before: before.without(assignment_id, student_ids))


def _change(course: Course, subject: str, change: Callable[[Extensions], Extensions], body: str = "") -> bool:
    path = layout.EXTENSIONS_PATH

    def changed(present: Files) -> Files:
        before = _load(present.get(path, b""))
        after = change(before)
        return {} if after == before else {path: dump(after).encode()}

    with only_by_writers(course):
        return change_files(course, subject, [path], changed, body=body)


def _names(student_ids: Collection[str]) -> str:
    shown = [display(student_id) for student_id in student_ids]
    more = len(shown) - _NAMED
    return ", ".join(shown) if more <= 1 else f"{', '.join(shown[:_NAMED])} and {more} others"


def _load(content: bytes) -> Extensions:
    try:
        return load(content.decode("utf-8"))
    except ValueError as error:
        raise UnexpectedAnswer(
            f"The list of extensions {layout.EXTENSIONS_PATH} in the staff project is damaged: {error}",
            hint="Correct it on the forge, or put the file's last good version back.",
        ) from error
