"""What is to be released at a time: list it, cancel it, and carry out what is due. The collector does that, or cron."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from git_exchange.course.course import Course
from git_exchange.course.schedules import end, find_schedule, note_failure, read_schedules
from git_exchange.errors import AssignmentNotFound, CourseError, FilesError, GitExchangeError
from git_exchange.events import Event, Listener, ignore
from git_exchange.files.paths import display
from git_exchange.forge.ports import Forge
from git_exchange.operations.scheduled_feedback import release_scheduled_feedback
from git_exchange.operations.scheduled_release import release_scheduled
from git_exchange.report import Outcome, Report
from git_exchange.rules import layout
from git_exchange.rules.schedule import Scheduled

# What trying again does not heal by itself: it is recorded, for who looks at the list.
LASTING = (CourseError, FilesError)
# A collector sweeps every few minutes, and releases a large course for some more.
PATIENCE = timedelta(minutes=15)


def scheduled(course: Course) -> list[Scheduled]:
    """Return what waits for its time or failed, the soonest first. Raise NotStaff."""
    return read_schedules(course)


def next_scheduled(course: Course, after: datetime | None = None) -> datetime | None:
    """Return when the next one (``after`` a time) is due, aware and UTC; None if nothing waits. Raise NotStaff."""
    return next((one.at for one in read_schedules(course) if after is None or one.at > after), None)


def due_releases(course: Course, now: datetime) -> list[Scheduled]:
    """Return what is to go out at ``now`` or was before, by the forge's clock."""
    return [one for one in read_schedules(course) if one.at <= now]


def overdue(found: Sequence[Scheduled], now: datetime) -> list[Scheduled]:
    """Return what should have been tried long before ``now`` by a collector, and was not."""
    return [one for one in found if not one.failed and one.at + PATIENCE < now]


def cancel(course: Course, kind: layout.Planned, assignment_id: str) -> Scheduled:
    """Take back what waits, and return it. Raise AssignmentNotFound if nothing does, NotStaff.

    What is being carried out at this very moment may still go out.
    """
    found = find_schedule(course, kind, assignment_id)
    if found is None or not end(course, found, "cancelled"):
        raise AssignmentNotFound(
            f"No {kind} of {display(assignment_id)} is scheduled in {display(course.course_id)}.",
            hint="See what is: git-exchange scheduled list",
        )
    return found


def carry_out_scheduled(course: Course, forge: Forge, now: datetime, listener: Listener = ignore) -> Report:
    """Release what is due at ``now``: one outcome each, "released", "unchanged" or "failed".

    What the clock of ``forge`` does not call due, too, waits on: nothing goes out early by a wrong clock here.

    Safe to run again after any failure, and by several at once: what went out is not released a second time. What
    failed waits on, with the reason in the list, and is tried again by the next run. Raise NotStaff.
    """
    due = due_releases(course, now)
    there = forge.server().date if due else now
    return Report.of(_carry_out(course, one, listener) for one in due if one.at <= there)


def _carry_out(course: Course, one: Scheduled, listener: Listener) -> Outcome:
    subject = f"{one.kind} {display(one.assignment_id)}"
    try:
        release = release_scheduled if one.kind == "release" else release_scheduled_feedback
        done = release(course, one, listener=listener)
    except (GitExchangeError, OSError) as error:
        why = str(error) if isinstance(error, GitExchangeError) else f"{type(error).__name__}: {error.strerror}"
        listener(Event(f"The scheduled {subject} failed: {why}", "error"))
        if isinstance(error, LASTING):
            _note(course, one, why, listener)
        return Outcome(subject, "failed", why)
    listener(Event(f"The scheduled {subject}: {done.status}", "error" if done.status == "failed" else "info"))
    return done


def _note(course: Course, one: Scheduled, why: str, listener: Listener) -> None:
    try:
        note_failure(course, one, why)
    except GitExchangeError as error:
        listener(Event(f"That could not be recorded: {error}", "warning"))
