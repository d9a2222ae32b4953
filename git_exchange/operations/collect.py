"""Collect: settle and pin the times of what was submitted, and write the attempts into the course directory.

One bad repository never stops the others; the outcomes add up to the students who were asked for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path

from git_exchange.course.attempts import Reading
from git_exchange.course.collect_pins import read_collect_pins
from git_exchange.course.course import Course
from git_exchange.course.releases import Release
from git_exchange.course.seats import Identities, Seat, gone
from git_exchange.errors import CourseError, GitExchangeError
from git_exchange.events import Event, Listener, ignore
from git_exchange.files.paths import display
from git_exchange.operations.placing import Chosen, Folders, place_attempt
from git_exchange.operations.policy import Policy
from git_exchange.operations.record import record
from git_exchange.report import Outcome, Report
from git_exchange.rules.collect_pins import CollectPin
from git_exchange.rules.deadline import choose, recorded_time, verdict
from git_exchange.transport.housekeeping import tidy
from git_exchange.transport.objects import list_tree


def collect(
    course: Course,
    assignment_id: str,
    seats: Collection[Seat],
    root: Path,
    place: Callable[[str], Path],
    policy: Policy,
    *,
    listener: Listener = ignore,
) -> Report:
    """Bring the submissions of ``seats`` to ``place(student_id)`` below the course directory ``root``.

    An attempt that the staff pinned is collected in place of the one that ``policy`` would choose. The outcomes are
    "collected", "updated", "unchanged" (nothing newer, or it is there and ``update`` is off), "graded by hand" (other
    work was to come, and what is there stays), "nothing" (not submitted), "waiting" (the deadline came first; run it
    again) and "failed". Raise NotStaff, CourseNotFound.
    """
    course.staff()
    pins = read_collect_pins(course, assignment_id)
    recorded = record(course, assignment_id, seats, policy, listener)
    policy, identities = recorded.policy, Identities(recorded.registered)
    notes = [*recorded.alarms, *gone(course, recorded.registered), *recorded.unpinned]
    names = _names(course, recorded.released) if recorded.released is not None else frozenset()
    readings = [_has_pinned(reading, pins) if reading is not None else None for reading in recorded.readings]
    chosen = {
        reading.seat.student_id: choice
        for reading in readings
        if reading is not None and (choice := _choose(reading, policy, names, identities, pins)) is not None
    }
    if chosen or all(reading is not None and reading.failure is None for reading in readings):
        _say_how_many(course, assignment_id, chosen, listener)
    folders = Folders(root, place)
    outcomes = [
        _finish(course, assignment_id, folders, policy, seat, reading, chosen.get(seat.student_id), listener)
        for seat, reading in zip(seats, readings, strict=True)
    ]
    notes += [
        f"{c.reading.seat.student_id}: attempt {c.attempt.number} may have arrived before or after the due date;"
        " it counts as on time and its time is not pinned"
        for c in chosen.values()
        if verdict(c.attempt, policy.due_for(c.reading.seat.student_id)) == "undecided"
    ]
    for note in notes:
        listener(Event(note, "warning"))
    if policy.deadline is None:  # nobody waits for us inside a server
        tidy(course.cache(), max_bytes=course.settings.limits.cache_bytes)
    return Report.of(outcomes, notes)


def _names(course: Course, released: Release) -> frozenset[str]:
    """Return the paths of the released files: of names that are alike, the student's file is the one of such a name."""
    entries = course.in_repository(
        lambda cache: cache.releases(), lambda repository: list_tree(repository, released.commit)
    )
    return frozenset(entry.path.decode("utf-8", "replace") for entry in entries)


def _has_pinned(reading: Reading, pins: Mapping[str, CollectPin]) -> Reading:
    """Return the reading; a failed one if the attempt that the staff want of it is none any more."""
    pin = pins.get(reading.seat.student_id)
    if pin is None or reading.failure is not None or any(a.commit == pin.commit for a in reading.attempts):
        return reading
    lost = CourseError(
        f"The attempt {pin.commit[:8]}, pinned by {display(pin.pinned_by)}, was removed or is not on the branch any"
        " more.",
        hint=f"Collect with --unpin {reading.seat.student_id}, or pin another attempt.",
    )
    return replace(reading, failure=lost)


def _choose(
    reading: Reading,
    policy: Policy,
    released: frozenset[str],
    identities: Identities,
    pins: Mapping[str, CollectPin],
) -> Chosen | None:
    if reading.failure is not None:
        return None
    pin, due = pins.get(reading.seat.student_id), policy.due_for(reading.seat.student_id)
    if pin is not None:
        attempt = next((attempt for attempt in reading.attempts if attempt.commit == pin.commit), None)
    else:
        attempt = choose(reading.attempts, due, policy.before_duedate)
    if attempt is None or (pin is None and policy.leave_late and verdict(attempt, due) == "late"):
        return None
    at = recorded_time(attempt, due)
    return Chosen(reading, attempt, at, released, identities.owner(reading.seat), pin)


def _say_how_many(course: Course, assignment_id: str, chosen: dict[str, Chosen], listener: Listener) -> None:
    if chosen:
        listener(Event(f"Processing {len(chosen)} submissions of '{assignment_id}' for course '{course.course_id}'"))
    else:
        listener(Event(f"No submissions of '{assignment_id}' for course '{course.course_id}' to collect", "warning"))


def _finish(
    course: Course,
    assignment_id: str,
    folders: Folders,
    policy: Policy,
    seat: Seat,
    reading: Reading | None,
    choice: Chosen | None,
    listener: Listener,
) -> Outcome:
    if reading is None:
        return Outcome(seat.student_id, "waiting", "the deadline came first; collect again")
    if reading.failure is not None:
        return _failed(seat, assignment_id, reading.failure, listener)
    if choice is None:
        return Outcome(seat.student_id, "nothing")
    if policy.deadline is not None and time.monotonic() > policy.deadline:
        return Outcome(seat.student_id, "waiting", "the deadline came first; collect again")
    try:
        return place_attempt(course, assignment_id, folders, policy, choice, listener)
    except (GitExchangeError, OSError) as error:
        return _failed(seat, assignment_id, error, listener)


def _failed(seat: Seat, assignment_id: str, error: Exception, listener: Listener) -> Outcome:
    why = str(error) if isinstance(error, GitExchangeError) else f"{type(error).__name__}: {error}"
    listener(Event(f"Could not collect {display(seat.student_id)} {assignment_id}: {why}", "error"))
    return Outcome(seat.student_id, "failed", why)
