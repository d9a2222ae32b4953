"""Choose attempts to be collected in place of the latest ones, on every machine, until they are unpinned."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from git_exchange.course.collect_pins import change_collect_pins
from git_exchange.course.course import Course
from git_exchange.course.receipts import read_ledger
from git_exchange.course.seats import seats
from git_exchange.operations.readings import attempt_of, named, read_assignment
from git_exchange.rules.collect_pins import CollectPin


def pin_attempts(
    course: Course, assignment_id: str, wanted: Mapping[str, str], unpin: Collection[str] = ()
) -> dict[str, int]:
    """Pin for each student of ``wanted`` the attempt of that number or commit; return student id -> its number.

    All or none: raise NotAMember, CourseError for an attempt that is not there, NotStaff if one may not choose.
    """
    every = seats(course)
    for student_id in unpin:
        named(every, student_id)
    asked = [named(every, student_id) for student_id in wanted]
    readings = read_assignment(course, assignment_id, asked, read_ledger(course, assignment_id)) if asked else []
    found = {reading.seat.student_id: attempt_of(reading, wanted[reading.seat.student_id]) for reading in readings}
    now, me = course.forge.server().date, course.account().username
    pins = [CollectPin(assignment_id, student_id, attempt.commit, me, now) for student_id, attempt in found.items()]
    change_collect_pins(course, assignment_id, pins, unpin)
    return {student_id: attempt.number for student_id, attempt in found.items()}
