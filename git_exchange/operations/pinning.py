"""Pinning: settled times of attempts go into the course's record before anything is written by them."""

from __future__ import annotations

from collections.abc import Collection

from git_exchange.course.attempts import Reading
from git_exchange.course.course import Course
from git_exchange.course.receipts import append_receipts
from git_exchange.errors import CourseArchived, PushRefused, RemoteDenied
from git_exchange.operations.policy import Policy
from git_exchange.rules.attempt import Attempt
from git_exchange.rules.deadline import verdict
from git_exchange.rules.receipt import Ledger, Read, Receipt


def pin(
    course: Course, assignment_id: str, readings: list[Reading], ledger: Ledger, policy: Policy
) -> tuple[Ledger, list[str]]:
    """Record settled times, and when others were first seen. Return the record and what could not be pinned."""
    new: list[Receipt] = []
    for reading in readings:
        due = policy.due_for(reading.seat.student_id)
        for attempt in reading.attempts:
            if attempt.pinned:
                continue
            if attempt.settled and verdict(attempt, due) != "undecided":
                new.append(_receipt(course, reading, attempt, "pin"))
            elif ledger.seen(reading.seat.project.id, reading.ref, attempt.commit) is None:
                new.append(_receipt(course, reading, attempt, "seen"))
    read = _read(course, readings, {receipt.project_id for receipt in new}, ledger, policy)
    if not new and read is None:
        return ledger, []
    try:
        return append_receipts(course, assignment_id, new, read), []
    except (CourseArchived, PushRefused, RemoteDenied) as error:
        pins = sum(receipt.kind == "pin" for receipt in new)
        if not new:
            return ledger, []
        if isinstance(error, CourseArchived):
            return ledger, [f"{pins} times are not pinned: the course is archived, so that no receipt can be written"]
        return ledger, [f"{pins} times are not pinned, as {course.account().username} may not write receipts: {error}"]


def _read(course: Course, readings: list[Reading], new: Collection[int], ledger: Ledger, policy: Policy) -> Read | None:
    """Return the read to record: of those whose branch nobody has read since the due date, and which is as it was.

    What comes to such a branch later came after the due date, whatever the forge records of it.
    """
    found = [
        reading
        for reading in readings
        if reading.failure is None
        and reading.seat.project.id not in new
        and (due := policy.due_for(reading.seat.student_id)) is not None
        and reading.begun >= due
        and all(moment < due for moment in ledger.reads(reading.seat.project.id, reading.ref))
    ]
    if not found:
        return None
    projects = frozenset(reading.seat.project.id for reading in found)
    return Read(min(reading.begun for reading in found), projects, course.account().username)


def pinned_otherwise(reading: Reading, ledger: Ledger, policy: Policy) -> bool:
    """Return whether the record holds another time than the reading, or one for what the reading left undecided."""
    due = policy.due_for(reading.seat.student_id)
    return any(
        (pin := ledger.pin(reading.seat.project.id, reading.ref, attempt.commit)) is not None
        and (pin.time != attempt.pushed_at or verdict(attempt, due) == "undecided")
        for attempt in reading.attempts
    )


def _receipt(course: Course, reading: Reading, attempt: Attempt, kind: str) -> Receipt:
    return Receipt(
        kind=kind,
        project_id=reading.seat.project.id,
        student_id=reading.seat.student_id,
        ref=reading.ref,
        commit=attempt.commit,
        tree=attempt.tree,
        time=attempt.pushed_at,
        evidence="push-event" if attempt.source == "push-event" else "first-seen",
        event_id=attempt.event_id,
        pushed_by=attempt.pushed_by,
        read_at=reading.begun,
        recorded_by=course.account().username,
        pushed_by_id=attempt.pushed_by_id,
    )
