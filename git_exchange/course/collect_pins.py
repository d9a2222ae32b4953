"""The staff's choice of attempts to collect: ``collect-pins.csv`` in the staff project, the same on every machine."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from git_exchange.course.course import Course
from git_exchange.course.staff_files import Files, change_files, only_by_writers, read_files
from git_exchange.errors import UnexpectedAnswer
from git_exchange.rules import layout
from git_exchange.rules.collect_pins import CollectPin, dump, load


def read_collect_pins(course: Course, assignment_id: str) -> dict[str, CollectPin]:
    """Return student id -> pin of the assignment. Raise NotStaff, UnexpectedAnswer if the file is damaged."""
    content = read_files(course, [layout.COLLECT_PINS_PATH]).get(layout.COLLECT_PINS_PATH, b"")
    return {pin.student_id: pin for pin in _load(content) if pin.assignment_id == assignment_id}


def change_collect_pins(
    course: Course, assignment_id: str, pins: Iterable[CollectPin], unpin: Collection[str] = ()
) -> bool:
    """Set ``pins`` and remove those of the students ``unpin``, in one push; True if something changed.

    Raise NotStaff, also for staff who may not write there (GitLab: graders).
    """
    new = list(pins)

    def change(present: Files) -> Files:
        before = {(pin.assignment_id, pin.student_id): pin for pin in _load(present.get(layout.COLLECT_PINS_PATH, b""))}
        kept = dict(before)
        for student_id in unpin:
            kept.pop((assignment_id, student_id), None)
        for pin in new:
            old = kept.get((pin.assignment_id, pin.student_id))
            if old is None or old.commit != pin.commit:  # who pinned it first stays named
                kept[pin.assignment_id, pin.student_id] = pin
        return {} if kept == before else {layout.COLLECT_PINS_PATH: dump(kept.values())}

    subject = f"Choose which attempts at {assignment_id} are collected"
    with only_by_writers(course):
        return change_files(course, subject, [layout.COLLECT_PINS_PATH], change)


def _load(content: bytes) -> tuple[CollectPin, ...]:
    try:
        return load(content)
    except ValueError as error:
        raise UnexpectedAnswer(
            f"The list {layout.COLLECT_PINS_PATH} in the staff project is damaged: {error}.",
            hint="Correct the row, or put the file's last good version back.",
        ) from error
