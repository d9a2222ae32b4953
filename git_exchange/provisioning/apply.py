"""Apply a roster: students get protected projects, staff their roles. Idempotent; one failure stops nobody else."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from git_exchange.course.course import Course
from git_exchange.course.protection import SEAT_RULES
from git_exchange.course.register import Registered, read_register, register
from git_exchange.errors import Conflict, GitExchangeError, NotFound
from git_exchange.events import Event, Listener, Progress, ignore
from git_exchange.forge.ports import Account, ForgeAdmin, Group, Project, Role, Visibility
from git_exchange.provisioning.people import Person, Roster
from git_exchange.report import Outcome, Report
from git_exchange.rules import layout

ROLE_OF = {"grader": Role.GRADER, "instructor": Role.INSTRUCTOR}


@dataclass(frozen=True)
class _State:
    group: Group
    assignments: Project
    seats: Mapping[str, Project]
    registered: Mapping[str, Registered]


def apply_roster(course: Course, forge: ForgeAdmin, roster: Roster, *, listener: Listener = ignore) -> Report:
    """Bring the forge to what the roster says, and register the seats in the staff project.

    The outcomes are "created", "updated", "unchanged" and "failed", one per person. People who are on the forge but
    not in the roster are left as they are and named in the notes. Raise CourseNotFound, NotStaff.
    """
    course.staff()
    state = _State(
        course.group(),
        course.assignments(),
        {project.path: project for project in course.projects()},
        read_register(course),
    )
    new: list[Registered] = []

    def one(person: Person) -> Outcome:
        try:
            outcome, seat = _person(forge, state, person)
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
    return Report.of(outcomes, _left_alone(state, roster))


def _person(forge: ForgeAdmin, state: _State, person: Person) -> tuple[Outcome, Registered | None]:
    account = forge.find_account(person.account)
    if account is None:
        raise NotFound(
            f"There is no account {person.account!r} on the forge.",
            hint="The person has to sign in to the forge once; or name another account in the column username.",
        )
    if person.role != "student":
        changed = forge.set_group_access(state.group, account, ROLE_OF[person.role])
        return Outcome(person.person_id, "updated" if changed else "unchanged", person.role), None
    return _student(forge, state, person, account)


def _student(forge: ForgeAdmin, state: _State, person: Person, account: Account) -> tuple[Outcome, Registered]:
    path = layout.seat_name(person.person_id)
    there = state.seats.get(path)
    _check_identity(state, person, account, there)
    project = forge.ensure_project(
        state.group,
        path,
        description=layout.describe_seat(person.person_id),
        visibility=Visibility.PRIVATE,
        issues=True,
    )
    # Protection comes before access: there is no moment in which the student could push elsewhere.
    changed = forge.ensure_rules(project.id, SEAT_RULES)
    changed |= forge.set_access(project.id, account, Role.STUDENT)
    if state.assignments.visibility is Visibility.PRIVATE:
        changed |= forge.set_access(state.assignments.id, account, Role.READER)
    status = "created" if there is None else "updated" if changed else "unchanged"
    entry = Registered(person.person_id, project.id, account.id, account.username)
    return Outcome(person.person_id, status, "student"), entry


def _check_identity(state: _State, person: Person, account: Account, there: Project | None) -> None:
    """Refuse to give a seat to another account or another project than the one on record."""
    before = state.registered.get(person.person_id)
    for entry in state.registered.values():
        # With two seats it would be open whose work an account submits.
        if entry.account_id == account.id and entry.student_id != person.person_id:
            raise Conflict(
                f"The account {account.username} has the seat of {entry.student_id} already.",
                hint=f"Keep the id {entry.student_id}; if it was wrong, take its line out of seats.csv in the staff"
                " project and the account out of its project first.",
            )
    if before is None:
        return
    elsewhere = next((project for project in state.seats.values() if project.id == before.project_id), None)
    if there is None and elsewhere is not None:
        raise Conflict(
            f"The seat of {person.person_id}, project number {before.project_id}, is now called {elsewhere.path!r}.",
            hint="Give the project its name back on the forge, or take its line out of seats.csv in the staff project.",
        )
    if there is not None and there.id != before.project_id:
        raise Conflict(
            f"The project {there.path!r} is number {there.id}, but the seat of {person.person_id} is number"
            f" {before.project_id}: it was renamed or replaced.",
            hint="Look at both on the forge; then correct seats.csv in the staff project.",
        )
    if account.id != before.account_id:
        raise Conflict(
            f"The seat of {person.person_id} belongs to the account {before.username} (number {before.account_id}), and"
            f" {account.username} is number {account.id}.",
            hint="If it is the same person, correct seats.csv in the staff project; a new person needs a new id.",
        )


def _left_alone(state: _State, roster: Roster) -> list[str]:
    named = {layout.seat_name(person.person_id) for person in roster.people if person.role == "student"}
    extra = sorted(
        student
        for path, project in state.seats.items()
        if path not in named and (student := layout.student_in(path, project.description)) is not None
    )
    if not extra:
        return []
    shown = ", ".join(extra[:10]) + (", ..." if len(extra) > 10 else "")
    return [f"{len(extra)} have a seat but are not in the roster and were left as they are: {shown}"]
