"""The forge's state, as a plan needs it: a few listings whatever the number of people."""

from __future__ import annotations

from dataclasses import dataclass

from git_exchange.course.course import Course
from git_exchange.course.enrolments import read_enrolments
from git_exchange.course.seats import seats
from git_exchange.forge.ports import ForgeAdmin
from git_exchange.operations.membership import Membership, read_membership
from git_exchange.provisioning.identity import Bound
from git_exchange.provisioning.plan import CourseNow, Enrolled
from git_exchange.rules.enrolment import Enrolment


@dataclass(frozen=True)
class CourseState:
    """What was read: the plan's view of it, and what it was made from."""

    now: CourseNow
    enrolments: dict[str, Enrolment]
    known: Membership

    @property
    def record(self) -> list[Bound]:
        """Whom the record binds to which account."""
        return [entry.bound for entry in self.now.enrolled]


def read_state(course: Course, forge: ForgeAdmin) -> CourseState:
    """Return the state of the course. Raise CourseNotFound, NotStaff, UnexpectedAnswer if a record is damaged."""
    known = read_membership(course)
    enrolments, registered = read_enrolments(course), known.registered
    people = dict(enrolments)
    # Seats that were registered before there was a record of people, or by nbgrader's own commands.
    for seat in registered.values():
        people.setdefault(seat.student_id, Enrolment(seat.student_id, "student", seat.account_id, seat.username))
    enrolled = [
        Enrolled(
            Bound(_key(one), one.person_id, one.account_id, one.username),
            one.role,
            registered[one.person_id].project_id if one.person_id in registered else None,
            one.active,
        )
        for one in sorted(people.values(), key=lambda one: one.person_id)
    ]
    now = CourseNow(
        enrolled,
        {seat.project.id: seat.project.archived for seat in seats(course)},
        {member.account.id: member.role for member in forge.group_members(course.group()) if member.direct},
        course.account().id,
    )
    return CourseState(now, enrolments, known)


def _key(one: Enrolment) -> tuple[str, str]:
    return (one.platform, one.lms_user_id) if one.platform else ("", one.person_id)
