"""Receipts for people: when each attempt counts as handed in and why, and how the staff set another time.

An amendment is one more line of the record; nothing in it is ever rewritten.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from git_exchange.course.attempts import Reading
from git_exchange.course.collect_pins import read_collect_pins
from git_exchange.course.course import Course
from git_exchange.course.receipts import append_receipts, read_ledger
from git_exchange.course.seats import Seat, seats
from git_exchange.course.staff_files import only_by_writers
from git_exchange.errors import CourseError
from git_exchange.events import Event, Listener, ignore
from git_exchange.operations.readings import attempt_of, named, read_assignment
from git_exchange.rules import times
from git_exchange.rules.attempt import Attempt
from git_exchange.rules.collect_pins import CollectPin
from git_exchange.rules.deadline import recorded_time, verdict
from git_exchange.rules.receipt import Ledger, Receipt


@dataclass(frozen=True)
class Line:
    """One attempt on record.

    ``state`` is "pinned" (the time is final), "amended" (by the staff), "undecided" (it may have come before or after
    the due date), "not pinned" (not settled, or nobody who may write has collected) or "removed" (by the staff, has no
    number). ``time`` is when the forge had it, ``recorded`` what ``timestamp.txt`` gets: the due date of what is
    undecided. ``chosen_by`` is who wants this attempt collected in place of the latest, "" if nobody does.
    """

    student_id: str
    number: int | None
    commit: str
    url: str
    time: datetime
    recorded: datetime
    state: str
    verdict: str
    evidence: str
    pushed_by: str
    recorded_by: str
    reason: str
    chosen_by: str = ""


def list_receipts(
    course: Course,
    assignment_id: str,
    chosen: Collection[Seat],
    due_for: Callable[[str], datetime | None],
    *,
    listener: Listener = ignore,
) -> list[Line]:
    """Return what is known of every attempt of the seats, by student and time. Raise NotStaff.

    What of a student cannot be read is reported as an error event.
    """
    ledger = read_ledger(course, assignment_id)
    pins = read_collect_pins(course, assignment_id)
    found: list[Line] = []
    for reading in read_assignment(course, assignment_id, chosen, ledger):
        student_id = reading.seat.student_id
        if reading.failure is not None:
            listener(Event(f"{student_id}: {reading.failure}", "error"))
        if reading.alarm:
            listener(Event(reading.alarm, "warning"))
        due = due_for(student_id)
        lines = [_line(course, reading, attempt, ledger, due, pins.get(student_id)) for attempt in reading.attempts]
        found += sorted([*lines, *_removed(course, reading, ledger)], key=lambda line: line.time)
    return found


def amend(course: Course, assignment_id: str, student_id: str, reference: str, at: datetime, reason: str) -> Receipt:
    """Record that the attempt (number or commit) counts as handed in ``at`` (aware), and why; return the receipt.

    Raise CourseError for a time that cannot be, NotAMember, NotStaff if one may not write the record.
    """
    if not reason.strip():
        raise CourseError("An amendment needs a reason.", hint="Say in a sentence why the time is another one.")
    seat = named(seats(course), student_id)
    (reading,) = read_assignment(course, assignment_id, [seat], read_ledger(course, assignment_id))
    attempt = attempt_of(reading, reference)
    at = times.utc(at)
    _check(course, reading, attempt, at)
    receipt = Receipt(
        kind="pin",
        project_id=seat.project.id,
        student_id=student_id,
        ref=reading.ref,
        commit=attempt.commit,
        tree=attempt.tree,
        time=at,
        evidence="staff",
        event_id=attempt.event_id,
        pushed_by=attempt.pushed_by,
        read_at=reading.begun,
        recorded_by=course.account().username,
        pushed_by_id=attempt.pushed_by_id,
        reason=reason.strip(),
    )
    with only_by_writers(course):
        append_receipts(course, assignment_id, [receipt])
    return receipt


def _check(course: Course, reading: Reading, attempt: Attempt, at: datetime) -> None:
    """Raise CourseError for a time in the future, out of order, or of a run of equal files whose first one counts."""
    student_id = reading.seat.student_id
    # The forge tells its clock in whole seconds, cut off.
    if at >= course.forge.server().date + timedelta(seconds=1):
        raise CourseError(f"{times.timestamp(at)} is in the future by the forge's clock.", hint="Check the time.")
    if attempt.time != attempt.pushed_at:
        first = next(other for other in reading.attempts if other.pushed_at == attempt.time)
        raise CourseError(
            f"{student_id}'s attempt {attempt.number} has the files of attempt {first.number} and shares its time.",
            hint=f"Amend attempt {first.number}.",
        )
    index = reading.attempts.index(attempt)
    before, after = reading.attempts[:index][-1:], reading.attempts[index + 1 :][:1]
    for other in (*before, *after):
        if (other in before) != (other.pushed_at < at) or other.pushed_at == at:
            raise CourseError(
                f"{student_id}'s attempt {other.number} is of {times.timestamp(other.pushed_at)}: attempt"
                f" {attempt.number} must be {'later' if other in before else 'earlier'}.",
                hint=f"Amend attempt {other.number} too, if its time is wrong.",
            )


def _line(
    course: Course, reading: Reading, attempt: Attempt, ledger: Ledger, due: datetime | None, chosen: CollectPin | None
) -> Line:
    pin = ledger.pin(reading.seat.project.id, reading.ref, attempt.commit)
    judged = verdict(attempt, due)
    if pin is not None:
        state = "amended" if pin.evidence == "staff" else "pinned"
    else:
        state = "undecided" if judged == "undecided" else "not pinned"
    return Line(
        student_id=reading.seat.student_id,
        number=attempt.number,
        commit=attempt.commit,
        url=course.forge.commit_url(reading.seat.project, attempt.commit),
        time=attempt.time,
        recorded=recorded_time(attempt, due),
        state=state,
        verdict=judged,
        evidence=attempt.source,
        pushed_by=attempt.pushed_by,
        recorded_by=pin.recorded_by if pin is not None else "",
        reason=pin.reason if pin is not None else "",
        chosen_by=chosen.pinned_by if chosen is not None and chosen.commit == attempt.commit else "",
    )


def _removed(course: Course, reading: Reading, ledger: Ledger) -> list[Line]:
    """Return the attempts that the staff took out of the list; their commits stay."""
    seat = reading.seat
    return [
        Line(
            student_id=seat.student_id,
            number=None,
            commit=receipt.commit,
            url=course.forge.commit_url(seat.project, receipt.commit),
            time=receipt.time,
            recorded=receipt.time,
            state="removed",
            verdict="",
            evidence=receipt.evidence,
            pushed_by=receipt.pushed_by,
            recorded_by=receipt.recorded_by,
            reason=receipt.reason,
        )
        for receipt in ledger.receipts
        if receipt.kind == "removed" and (receipt.project_id, receipt.ref) == (seat.project.id, reading.ref)
    ]
