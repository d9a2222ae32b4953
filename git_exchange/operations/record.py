"""Record: read what was submitted, settle its times and pin them in the staff's record. Writes nothing else."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from git_exchange.course.attempts import Reading, read_attempts, read_heads
from git_exchange.course.course import Course
from git_exchange.course.extensions import read_extensions
from git_exchange.course.receipts import read_ledger
from git_exchange.course.register import Registered, read_register
from git_exchange.course.releases import Release, ensure_fetched
from git_exchange.course.seats import Identities, Seat
from git_exchange.errors import CourseError
from git_exchange.events import Listener, Progress, ignore
from git_exchange.operations.pinning import pin, pinned_otherwise
from git_exchange.operations.policy import Policy
from git_exchange.operations.release import find_released
from git_exchange.rules import layout
from git_exchange.rules.attempt import Attempt
from git_exchange.rules.receipt import Ledger


@dataclass(frozen=True)
class Recorded:
    """What the branches held, and what of it is on record now.

    ``readings`` are in the order of the seats, None where the policy's deadline came first. ``policy`` is the one that
    was given, with the course's extensions. ``alarms`` tell of rewritten history, ``unpinned`` of times that could not
    be written. ``before`` and ``after`` are the record.
    """

    readings: tuple[Reading | None, ...]
    policy: Policy
    released: Release | None
    registered: Mapping[str, Registered]
    before: Ledger
    after: Ledger
    alarms: tuple[str, ...]
    unpinned: tuple[str, ...]

    def newly_pinned(self, reading: Reading) -> list[Attempt]:
        """Return the attempts of the reading whose times were not on record before."""
        project = reading.seat.project.id
        return [
            attempt
            for attempt in reading.attempts
            if self.before.pin(project, reading.ref, attempt.commit) is None
            and self.after.pin(project, reading.ref, attempt.commit) is not None
        ]


def record(
    course: Course,
    assignment_id: str,
    seats: Collection[Seat],
    policy: Policy | None = None,
    listener: Listener = ignore,
) -> Recorded:
    """Read the branches of ``seats`` as ourselves and pin what is settled; what cannot be read is a failed reading.

    Without a ``policy`` the due date of the release counts. Raise NotStaff, CourseNotFound.
    """
    course.staff()
    extensions = read_extensions(course).of(assignment_id)
    ledger = read_ledger(course, assignment_id)
    registered = read_register(course)
    identities = Identities(registered)
    released = find_released(course, assignment_id)
    if policy is None:
        policy = Policy(due=released.due if released is not None else None)
    policy = replace(policy, extensions=extensions)
    if released is not None:
        ensure_fetched(course, released)
    heads = read_heads(course, seats, [assignment_id])
    base = released.commit if released is not None else None
    done = _Counter("reading submissions", len(seats), listener)

    def read(seat: Seat) -> Reading | None:
        if policy.deadline is not None and time.monotonic() > policy.deadline:
            return None
        try:
            identities.check(seat)
        except CourseError as error:
            return Reading(seat, layout.submit_ref(assignment_id), heads.heads.at, heads.begun, failure=error)
        reading = read_attempts(course, seat, assignment_id, heads, base, ledger)
        done.one_more()
        return reading

    readings = course.in_parallel(read, list(seats))
    alarms = tuple(reading.alarm for reading in readings if reading is not None and reading.alarm)
    after, unpinned = pin(course, assignment_id, [r for r in readings if r is not None], ledger, policy)
    readings = [
        # Somebody else may have pinned another time at this moment: theirs stays, and counts for everybody.
        read_attempts(course, reading.seat, assignment_id, heads, base, after)
        if reading is not None and pinned_otherwise(reading, after, policy)
        else reading
        for reading in readings
    ]
    return Recorded(tuple(readings), policy, released, registered, ledger, after, alarms, tuple(unpinned))


class _Counter:
    """Progress of a step that several threads work on."""

    def __init__(self, what: str, total: int, listener: Listener) -> None:
        self._what, self._total, self._listener = what, total, listener
        self._done = 0

    def one_more(self) -> None:
        self._done += 1
        self._listener(Progress(self._what, self._done, self._total))
