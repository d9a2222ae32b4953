"""Extend a due date for students, and take that back. Nothing that was handed in changes: the next collect decides."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from git_exchange.course.course import Course
from git_exchange.course.extensions import grant, read_extensions, revoke
from git_exchange.course.seats import seats
from git_exchange.errors import AssignmentNotFound, NotAMember
from git_exchange.events import Event, Listener, ignore
from git_exchange.files.paths import display
from git_exchange.operations.release import find_released
from git_exchange.report import Outcome, Report
from git_exchange.rules.extension import Extension


def extend(
    course: Course,
    assignment_id: str,
    student_ids: Sequence[str],
    until: datetime,
    reason: str = "",
    *,
    listener: Listener = ignore,
) -> Report:
    """Give the students until ``until`` (aware): all of them or, if one is not in the course, none.

    The outcomes are "extended" and "unchanged". Raise NotStaff, AssignmentNotFound, NotAMember.
    """
    course.staff()
    released = find_released(course, assignment_id)
    if released is None:
        raise AssignmentNotFound(
            f"{display(assignment_id)} has not been released in the course {display(course.course_id)}.",
            hint="Check its name with `nbgrader list`, or release it first.",
        )
    strangers = sorted(set(student_ids) - {seat.student_id for seat in seats(course)})
    if strangers:
        raise NotAMember(
            f"Nobody was extended, as not all are in the course: {', '.join(display(one) for one in strangers)}.",
            hint="Check the student ids; a time with a space in it needs quotes.",
        )
    if released.due is None or until <= released.due:
        told = f"is {released.due:%Y-%m-%d %H:%M} UTC" if released.due is not None else "is not set"
        listener(Event(f"The due date that students see {told}: this extension gives no time beyond it.", "warning"))
    before = read_extensions(course).of(assignment_id)
    me = course.account().username
    grant(course, [Extension(assignment_id, student_id, until, reason, me) for student_id in student_ids])
    return Report.of(
        Outcome(
            student_id, "unchanged" if before.get(student_id) == until else "extended", _was(before.get(student_id))
        )
        for student_id in student_ids
    )


def take_back(course: Course, assignment_id: str, student_ids: Sequence[str]) -> Report:
    """Remove extensions: the outcomes are "removed", with until when it was, and "nothing". Raise NotStaff."""
    before = read_extensions(course).of(assignment_id)
    revoke(course, assignment_id, student_ids)
    return Report.of(
        Outcome(student_id, "removed" if student_id in before else "nothing", _was(before.get(student_id)))
        for student_id in student_ids
    )


def _was(until: datetime | None) -> str:
    return f"was until {until:%Y-%m-%d %H:%M} UTC" if until is not None else ""
