"""Which grades went to an LMS: ``grades-sent.csv`` in the staff project, so that two graders do not send twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from git_exchange.course.course import Course
from git_exchange.course.staff_files import Files, change_files, only_by_writers, read_files
from git_exchange.errors import UnexpectedAnswer
from git_exchange.files.paths import display
from git_exchange.rules import grades, layout
from git_exchange.rules.grades import Due, Ledger, Sent

PATH = layout.GRADES_SENT_PATH


def read_sent(course: Course) -> Ledger:
    """Return what was sent, and what was about to be. Raise NotStaff, UnexpectedAnswer if the file is damaged."""
    return _load(read_files(course, [PATH]).get(PATH, b""))


def reserve_grades(
    course: Course, target: str, assignment_id: str, due: Iterable[Due], *, again: bool = False
) -> list[Sent]:
    """Record the grades as about to be sent, in one push; return a line for each, confirmed ones as they are.

    Raise NotStaff, also for staff who may not write there: nothing may be sent then.
    """
    wanted, now = list(due), course.now()
    lines: list[Sent] = []

    def change(present: Files) -> Files:
        ledger = _load(present.get(PATH, b""))
        lines[:] = grades.reserve(ledger, target, assignment_id, wanted, now, again=again)
        return _changed(ledger, lines)

    _change(course, f"Send grades of {display(assignment_id)}", change)
    return lines


def confirm_grades(course: Course, assignment_id: str, lines: Iterable[Sent]) -> None:
    """Record that the LMS shows these grades. A line that somebody replaced meanwhile stays. Raise NotStaff."""
    shown = [line for line in lines if line.confirmed]

    def change(present: Files) -> Files:
        ledger = _load(present.get(PATH, b""))
        same = [line for line in shown if (there := ledger.get(line.key)) is None or there.time == line.time]
        return _changed(ledger, same)

    _change(course, f"Confirm {len(shown)} grades of {display(assignment_id)}", change)


def _changed(ledger: Ledger, lines: Iterable[Sent]) -> Files:
    after = {**ledger, **{line.key: line for line in lines}}
    return {} if after == dict(ledger) else {PATH: grades.dump(after.values())}


def _change(course: Course, subject: str, change: Callable[[Files], Files]) -> None:
    with only_by_writers(course):
        change_files(course, subject, [PATH], change)


def _load(content: bytes) -> Ledger:
    try:
        return grades.load(content)
    except ValueError as error:
        raise UnexpectedAnswer(
            f"The record of grades {PATH} in the staff project is damaged ({error}).",
            hint="Put the file's last good version back: without it grades could be sent twice.",
        ) from error
