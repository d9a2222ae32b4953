"""Apply a roster: students get protected projects, staff their roles. Idempotent; one failure stops nobody else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from git_exchange.course.course import Course
from git_exchange.course.people import record_people
from git_exchange.course.register import Registered, register
from git_exchange.errors import GitExchangeError
from git_exchange.events import Event, Listener, Progress, ignore
from git_exchange.forge.ports import ForgeAdmin, Role
from git_exchange.operations.membership import Membership, enrol, find_account, read_membership
from git_exchange.provisioning.people import Person, Roster
from git_exchange.report import Outcome, Report
from git_exchange.rules import layout
from git_exchange.rules.people import Names

ROLE_OF = {"grader": Role.GRADER, "instructor": Role.INSTRUCTOR}


def apply_roster(
    course: Course, forge: ForgeAdmin, roster: Roster, *, names: bool = True, listener: Listener = ignore
) -> Report:
    """Bring the forge to what the roster says, and register the seats (and ``names``) in the staff project.

    The outcomes are "created", "updated", "unchanged" and "failed", one per person. People who are on the forge but
    not in the roster are left as they are and named in the notes. Raise CourseNotFound, NotStaff.
    """
    known = read_membership(course)
    new: list[Registered] = []

    def one(person: Person) -> Outcome:
        try:
            outcome, seat = _person(forge, known, person)
        except GitExchangeError as error:
            listener(Event(f"{person.person_id}: {error}", "error"))
            return Outcome(person.person_id, "failed", str(error))
        if seat is not None:
            new.append(seat)
        return outcome

    outcomes = []
    with ThreadPoolExecutor(course.settings.limits.pool, "git-exchange") as pool:
        for number, outcome in enumerate(pool.map(one, roster.people), 1):
            outcomes.append(outcome)
            listener(Progress("applying the roster", number, len(roster.people)))
    register(course, new)
    if names:
        record_people(course, names_in(roster))
    return Report.of(outcomes, _left_alone(known, roster))


def names_in(roster: Roster) -> list[Names]:
    """Return what the roster calls its students."""
    return [
        Names(person.person_id, person.first_name, person.last_name, person.email, person.lms_user_id)
        for person in roster.people
        if person.role == "student"
    ]


def _person(forge: ForgeAdmin, known: Membership, person: Person) -> tuple[Outcome, Registered | None]:
    if person.role != "student":
        account = find_account(forge, known, person.person_id, person.account)
        changed = forge.set_group_access(known.group, account, ROLE_OF[person.role])
        return Outcome(person.person_id, "updated" if changed else "unchanged", person.role), None
    account = find_account(forge, known, person.person_id, person.username)
    status, entry = enrol(forge, known, person.person_id, account)
    return Outcome(person.person_id, status, "student"), entry


def _left_alone(known: Membership, roster: Roster) -> list[str]:
    named = {layout.seat_name(person.person_id) for person in roster.people if person.role == "student"}
    extra = sorted(
        student
        for path, project in known.seats.items()
        if path not in named and (student := layout.student_in(path, project.description)) is not None
    )
    if not extra:
        return []
    shown = ", ".join(extra[:10]) + (", ..." if len(extra) > 10 else "")
    return [f"{len(extra)} have a seat but are not in the roster and were left as they are: {shown}"]
