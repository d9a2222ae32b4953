"""Apply a roster: find out who is who, plan, and carry the plan out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from git_exchange.course.course import Course
from git_exchange.course.enrolments import record_waiting
from git_exchange.course.hooks import RecordedHook, read_hooks
from git_exchange.course.invited import read_invited
from git_exchange.course.people import record_people
from git_exchange.events import Listener, ignore
from git_exchange.forge.connect import hooks_by
from git_exchange.forge.ports import Account, ForgeAccounts, ForgeAdmin
from git_exchange.operations.hook_state import HookSetup
from git_exchange.provisioning.carry_out import carry_out
from git_exchange.provisioning.identity import Identified, Key, MapEntry, Unmatched, identify
from git_exchange.provisioning.invitations import check_invites, with_invitations
from git_exchange.provisioning.new_accounts import check_administrator, with_new_accounts
from git_exchange.provisioning.people import Person, Roster
from git_exchange.provisioning.plan import WAITING, Plan, check_drops, make_plan, to_look_up
from git_exchange.provisioning.state import CourseState, read_state
from git_exchange.provisioning.trial import TEST_STUDENT
from git_exchange.provisioning.webhooks import Webhooks, with_hooks
from git_exchange.report import Outcome, Report
from git_exchange.rules import layout
from git_exchange.rules.invited import address_of, current, mark
from git_exchange.rules.people import Names
from git_exchange.rules.waiting import Waiting

SignedIn = Callable[[Sequence[Person]], Mapping[Key, tuple[int, str]]]


@dataclass(frozen=True)
class Planned:
    """A plan, the state that it is for, who was identified (for the names), and the webhooks on record."""

    plan: Plan
    state: CourseState
    roster: Roster
    identified: tuple[Identified, ...]
    hooks: Mapping[int, RecordedHook]


def plan_roster(
    course: Course,
    forge: ForgeAdmin,
    roster: Roster,
    *,
    mapped: Sequence[MapEntry] = (),
    signed_in: SignedIn = lambda people: {},
    create_accounts: bool = False,
    hooks: HookSetup | None = None,
    invite: bool = False,
) -> Planned:
    """Return what would be done; nothing is changed.

    ``signed_in`` finds the accounts of people by the institution's sign-in; with ``create_accounts`` who has none gets
    one, with ``invite`` an invitation; with ``hooks`` the plan says what becomes of webhooks. Raise CourseNotFound,
    NotStaff, CourseArchived, Forbidden if accounts are to be made by somebody else than an administrator,
    ConfigurationError for a forge that cannot invite.
    """
    if invite:
        check_invites(forge)
    if create_accounts:
        check_administrator(course, forge)
    course.check_open()
    state = read_state(course, forge)
    strangers = [person for person in roster.people if person.key not in {bound.key for bound in state.record}]
    signed = signed_in(strangers)
    identified, unmatched = identify(roster.people, state.record, mapped, signed)
    unmatched = course.in_parallel(lambda open_: _with_proposals(forge, open_), unmatched)
    accounts = _look_up(course, forge, to_look_up(identified))
    plan = make_plan(roster, identified, unmatched, accounts, state.now)
    if create_accounts:
        plan = with_new_accounts(course, forge, plan, identified, roster.sign_in, signed)
    if invite:
        plan = with_invitations(course, forge, plan, roster, signed)
    recorded = read_hooks(course)
    if hooks is not None:
        plan = with_hooks(plan, state.now, course.course_id, hooks, recorded, _trial(state))
    return Planned(plan, state, roster, tuple(identified), recorded)


def apply_roster(
    course: Course,
    forge: ForgeAdmin,
    roster: Roster,
    *,
    mapped: Sequence[MapEntry] = (),
    signed_in: SignedIn = lambda people: {},
    accounts: ForgeAccounts | None = None,
    hooks: HookSetup | None = None,
    invite: bool = False,
    names: bool = True,
    allow_drops: int | None = None,
    verify: bool = False,
    noted: Callable[[Outcome], None] = lambda outcome: None,
    listener: Listener = ignore,
) -> tuple[Report, Planned]:
    """Bring the forge to what the roster says, and record seats, people and (with ``names``) what they are called.

    With ``accounts`` who has no account gets one, with ``invite`` an invitation, with ``hooks`` each student's project
    its webhook. Raise CourseNotFound, NotStaff, CourseError for more drops than allowed, Forbidden if this is no
    administrator and accounts are to be made, ConfigurationError for a forge that cannot invite, before anything is
    changed.
    """
    planned = plan_roster(
        course,
        forge,
        roster,
        mapped=mapped,
        signed_in=signed_in,
        create_accounts=accounts is not None,
        hooks=hooks,
        invite=invite,
    )
    check_drops(planned.plan, planned.state.now, allow_drops)
    report = carry_out(
        course,
        forge,
        planned.plan,
        planned.state,
        accounts=accounts,
        webhooks=Webhooks(course, hooks_by(forge), hooks, planned.hooks) if hooks is not None else None,
        verify=verify,
        noted=noted,
        listener=listener,
    )
    invited = current(read_invited(course), course.now()) if planned.plan.of(*WAITING) else {}
    record_waiting(course, _waiting(planned, names, invited), roster.covers)
    if names:
        record_people(course, names_in(planned))
    notes = [f"{left.who} was left out: {left.why}" for left in roster.left_out]
    if planned.hooks and hooks is None and (new := report.counts.get("created", 0) + report.counts.get("returned", 0)):
        notes.append(
            f"This course has webhooks, and the {new} people who are new in this run got none: run it again with"
            " --webhook-url and --webhook-keys. Until then what they submit is found by the collector's sweep, later."
        )
    return Report.of(report.outcomes, notes), planned


def names_in(planned: Planned) -> list[Names]:
    """Return what the roster calls its students."""
    return [
        Names(person.person_id, person.first_name, person.last_name, person.email, person.lms_user_id)
        for person in (
            *(one.person for one in planned.identified),
            *(step.person for step in planned.plan.steps if step.new is not None and step.person is not None),
        )
        if person.role == "student"
    ]


def _trial(state: CourseState) -> int | None:
    """Return the number of the test student's project, None if there is none."""
    project = state.known.seats.get(layout.seat_name(TEST_STUDENT))
    return project.id if project is not None and TEST_STUDENT not in state.known.registered else None


def _waiting(planned: Planned, names: bool, invited: Mapping[str, datetime]) -> list[Waiting]:
    """Return who stays without an account, by name only where names are recorded, and who of them is invited."""
    return [
        Waiting(
            step.who if names or step.person.person_id else f"LMS user {step.person.lms_user_id}",
            step.role,
            step.why,
            f"{at.date()}" if (at := invited.get(mark(address_of(step.person.email)))) is not None else "",
        )
        for step in planned.plan.of(*WAITING)
        if step.person is not None and step.person.active
    ]


def _look_up(course: Course, forge: ForgeAdmin, usernames: list[str]) -> dict[str, Account | None]:
    found = course.in_parallel(forge.find_account, usernames)
    return {name.casefold(): account for name, account in zip(usernames, found, strict=True)}


def _with_proposals(forge: ForgeAdmin, open_: Unmatched) -> Unmatched:
    """Name accounts called like the person's login or the first part of the address: for a person to confirm."""
    names = dict.fromkeys(n for n in (open_.person.login, open_.person.email.partition("@")[0]) if n)
    found = (forge.find_account(name) for name in names)
    return replace(open_, proposals=tuple(account.username for account in found if account is not None))
