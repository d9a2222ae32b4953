"""The attempts of some seats at one assignment, read together by the staff's record."""

from __future__ import annotations

from collections.abc import Collection

from git_exchange.course.attempts import Reading, read_attempts, read_heads
from git_exchange.course.course import Course
from git_exchange.course.register import read_register
from git_exchange.course.releases import ensure_fetched
from git_exchange.course.seats import Identities, Seat
from git_exchange.errors import CourseError, NotAMember
from git_exchange.operations.release import find_released
from git_exchange.rules import layout
from git_exchange.rules.attempt import Attempt
from git_exchange.rules.collect_pins import find
from git_exchange.rules.receipt import Ledger


def read_assignment(course: Course, assignment_id: str, seats: Collection[Seat], ledger: Ledger) -> list[Reading]:
    """Return what each seat's branch holds, in the order of ``seats``; what cannot be read is a failed reading."""
    identities = Identities(read_register(course))
    released = find_released(course, assignment_id)
    if released is not None:
        ensure_fetched(course, released)
    heads = read_heads(course, seats, [assignment_id])
    base = released.commit if released is not None else None

    def read(seat: Seat) -> Reading:
        try:
            identities.check(seat)
        except CourseError as error:
            return Reading(seat, layout.submit_ref(assignment_id), heads.heads.at, heads.begun, failure=error)
        return read_attempts(course, seat, assignment_id, heads, base, ledger)

    return course.in_parallel(read, list(seats))


def named(seats: Collection[Seat], student_id: str) -> Seat:
    """Return the student's seat. Raise NotAMember."""
    found = next((seat for seat in seats if seat.student_id == student_id), None)
    if found is None:
        raise NotAMember(
            f"{student_id!r} has no seat in the course.", hint="Check the student id with `nbgrader list --inbound`."
        )
    return found


def attempt_of(reading: Reading, reference: str) -> Attempt:
    """Return the attempt of a number or a commit. Raise CourseError naming those that there are."""
    if reading.failure is not None:
        raise reading.failure
    student_id = reading.seat.student_id
    try:
        attempt = find(reading.attempts, reference)
    except ValueError as error:
        raise CourseError(f"{student_id}: {error}.", hint="Give more digits of the commit.") from error
    if attempt is None:
        there = ", ".join(f"{attempt.number} ({attempt.commit[:8]})" for attempt in reading.attempts)
        raise CourseError(
            f"{student_id} has no attempt {reference}.", hint=f"There are: {there}." if there else "There is none."
        )
    return attempt
