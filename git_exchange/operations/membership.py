"""Who belongs to a course as a student: give a seat, take the access away, tell whose courses are whose.

A seat is never deleted: whoever leaves loses the access, and whoever comes back finds everything as it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from git_exchange.course.course import Course
from git_exchange.course.protection import SEAT_RULES
from git_exchange.course.register import Registered, read_register
from git_exchange.errors import Conflict, CourseArchived, NotFound
from git_exchange.forge.ports import Account, ForgeAdmin, Group, Project, Role, Visibility
from git_exchange.operations.listing import course_of
from git_exchange.rules import layout
from git_exchange.settings import Settings


@dataclass(frozen=True)
class Membership:
    """A course before its people change: ``seats`` by project name, ``registered`` by student id."""

    group: Group
    assignments: Project
    seats: Mapping[str, Project]
    registered: Mapping[str, Registered]


def read_membership(course: Course) -> Membership:
    """Return the course's people. Raise CourseNotFound, NotStaff."""
    course.staff()
    return Membership(
        course.group(),
        course.assignments(),
        {project.path: project for project in course.projects()},
        read_register(course),
    )


def find_account(forge: ForgeAdmin, known: Membership, student_id: str, username: str = "") -> Account:
    """Return the account: the one that is named, else the one on record, else the id itself. Raise NotFound."""
    before = known.registered.get(student_id)
    wanted = username or (before.username if before is not None else student_id)
    account = forge.find_account(wanted)
    if account is None:
        raise NotFound(
            f"There is no account {wanted!r} on the forge.",
            hint="The person has to sign in to the forge once; or name another account in the roster's column"
            " username.",
        )
    return account


def enrol(forge: ForgeAdmin, known: Membership, student_id: str, account: Account) -> tuple[str, Registered]:
    """Give the student a protected project and access to it: "created", "updated" or "unchanged".

    Who was in the course before gets everything back. The caller registers the seat. Raise Conflict for a seat that
    is another account's or another project than the one on record, CourseArchived.
    """
    path = layout.seat_name(student_id)
    if known.assignments.archived:  # the seat would be in use again
        raise CourseArchived(
            "The course is archived: nobody is added to it.", hint="Undo that first: git-exchange course archive --undo"
        )
    there = known.seats.get(path)
    _check_identity(known, student_id, account, there)
    if there is not None and there.archived:
        forge.unarchive(there.id)
    project = forge.ensure_project(
        known.group, path, description=layout.describe_seat(student_id), visibility=Visibility.PRIVATE, issues=True
    )
    # Protection comes before access: there is no moment in which the student could push elsewhere.
    changed = forge.ensure_rules(project.id, SEAT_RULES)
    changed |= forge.set_access(project.id, account, Role.STUDENT)
    if known.assignments.visibility is Visibility.PRIVATE:
        changed |= forge.set_access(known.assignments.id, account, Role.READER)
    changed |= there is not None and there.archived
    status = "created" if there is None else "updated" if changed else "unchanged"
    return status, Registered(student_id, project.id, account.id, account.username)


def remove(forge: ForgeAdmin, known: Membership, student_id: str) -> list[str]:
    """Take the access to the student's project and to private releases away; return the user names that had any.

    The project and what was handed in stay. Where it is on record whose account the seat is, only that one goes.
    """
    seat, before = known.seats.get(layout.seat_name(student_id)), known.registered.get(student_id)
    numbers = {seat.id} if seat is not None else set()
    numbers |= {before.project_id} if before is not None else set()
    gone = set()
    for number in sorted(numbers):
        try:
            members = forge.members(number)
        except NotFound:  # on record, but deleted on the forge
            continue
        for member in members:
            its_own = before is None or member.account.id == before.account_id
            if member.direct and member.role is Role.STUDENT and its_own:
                changed = forge.set_access(number, member.account, Role.NONE)
                if known.assignments.visibility is Visibility.PRIVATE:
                    changed |= forge.set_access(known.assignments.id, member.account, Role.NONE)
                gone |= {member.account.username} if changed else set()
    return sorted(gone)


def courses_of(settings: Settings, forge: ForgeAdmin, student_id: str) -> list[str]:
    """Return the courses below the namespace in which the student has a seat and access to it, sorted.

    Only what this account sees counts: a student's own courses, or those of which it is staff.
    """
    name, me = layout.seat_name(student_id), forge.account()
    found = set()
    for project in forge.my_projects(name):
        if project.path != name or project.archived or layout.student_in(name, project.description) != student_id:
            continue
        course_id = course_of(settings, forge, project)
        if course_id is not None and (
            forge.role_in(project, me) is Role.STUDENT
            or any(member.direct and member.role is Role.STUDENT for member in forge.members(project.id))
        ):
            found.add(course_id)
    return sorted(found)


def _check_identity(known: Membership, student_id: str, account: Account, there: Project | None) -> None:
    """Refuse to give a seat to another account or another project than the one on record."""
    for entry in known.registered.values():
        # With two seats it would be open whose work an account submits.
        if entry.account_id == account.id and entry.student_id != student_id:
            raise Conflict(
                f"The account {account.username} has the seat of {entry.student_id} already.",
                hint=f"Keep the id {entry.student_id}; if it was wrong, take its line out of seats.csv in the staff"
                " project and the account out of its project first.",
            )
    before = known.registered.get(student_id)
    if before is None:
        return
    elsewhere = next((project for project in known.seats.values() if project.id == before.project_id), None)
    if there is None and elsewhere is not None:
        raise Conflict(
            f"The seat of {student_id}, project number {before.project_id}, is now called {elsewhere.path!r}.",
            hint="Give the project its name back on the forge, or take its line out of seats.csv in the staff project.",
        )
    if there is not None and there.id != before.project_id:
        raise Conflict(
            f"The project {there.path!r} is number {there.id}, but the seat of {student_id} is number"
            f" {before.project_id}: it was renamed or replaced.",
            hint="Look at both on the forge; then correct seats.csv in the staff project.",
        )
    if account.id != before.account_id:
        raise Conflict(
            f"The seat of {student_id} belongs to the account {before.username} (number {before.account_id}), and"
            f" {account.username} is number {account.id}.",
            hint="If it is the same person, correct seats.csv in the staff project; a new person needs a new id.",
        )
