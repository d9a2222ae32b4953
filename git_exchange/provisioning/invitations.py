"""Invitations to make an account: who gets one, and what became of it.

They lead to the project of releases, as a guest, and to nothing else: whoever has the link accepts it with any account,
and that binds nobody to anything. Who is whose account stays to be said by the sign-in, the roster or the map.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime

from git_exchange.course.course import Course
from git_exchange.course.invited import read_invited, record_invited
from git_exchange.errors import ConfigurationError, Forbidden, GitExchangeError
from git_exchange.files.paths import display
from git_exchange.forge.ports import ForgeAdmin
from git_exchange.provisioning.identity import Key
from git_exchange.provisioning.new_accounts import needs_account
from git_exchange.provisioning.people import Roster
from git_exchange.provisioning.plan import Plan, Step
from git_exchange.report import Outcome
from git_exchange.rules.invited import address_of, current, mark

NAME_IT = "name it in the map, or in the roster's column username"


def check_invites(forge: ForgeAdmin) -> None:
    """Raise ConfigurationError if this kind of forge cannot invite."""
    if not forge.invites:
        raise ConfigurationError(
            f"{forge.url} cannot invite people by e-mail: only GitLab can.",
            hint="Use --create-accounts with a site administrator's token, or wait until the people have signed in to"
            " the forge. Nothing was changed.",
        )


def with_invitations(course: Course, forge: ForgeAdmin, plan: Plan, roster: Roster, taken: Collection[Key]) -> Plan:
    """Return the plan with an invitation for everybody who has no account and whom none is proposed for.

    ``taken`` has the people whose sign-in an account has already. Who has an open invitation gets no other, and who
    cannot be invited stays as planned, with the reason. Nothing is changed on the forge. Raise Forbidden.
    """
    open_ = _open(course, forge)
    before = current(read_invited(course), course.now())
    shared = Counter(address_of(person.email) for person in roster.people)
    return Plan(
        tuple(
            _invited(step, open_, before, shared)
            if step.person is not None and step.person.key not in taken and needs_account(step)
            else step
            for step in plan.steps
        )
    )


def send_invitations(
    course: Course, forge: ForgeAdmin, plan: Plan, noted: Callable[[Outcome], None]
) -> dict[int, Outcome]:
    """Send what the plan wants and return the outcomes by the ids of the steps: "invited", "unmatched" or "failed".

    Only what the forge then lists as open counts as invited. All open invitations are recorded.
    """
    wanted = {address_of(step.person.email): step for step in plan.of("invite") if step.person is not None}
    known = {
        mark(address_of(step.person.email)): step.invited
        for step in plan.of("invited")
        if step.person is not None and step.invited is not None
    }
    done: dict[int, Outcome] = {}
    if wanted:
        refused, broken, open_ = _send(course, forge, list(wanted))
        for address, step in wanted.items():
            at, why = open_.get(address), refused.get(address, broken)
            if at is not None:
                outcome = Outcome(step.who, "invited", f"{step.role}: an invitation was sent by e-mail")
            elif why:
                outcome = Outcome(step.who, "failed", f"could not be invited: {display(why)}")
            else:
                outcome = Outcome(
                    step.who,
                    "unmatched",
                    "no invitation is open, so an account with this e-mail address exists: find it among the members"
                    f" of the project of releases, and {NAME_IT}",
                )
            if outcome.status != "failed":
                known[mark(address)] = at or course.now()
            done[id(step)] = outcome
            noted(outcome)
    record_invited(course, known)
    return done


def _send(
    course: Course, forge: ForgeAdmin, addresses: list[str]
) -> tuple[Mapping[str, str], str, Mapping[str, datetime]]:
    """Return who is refused and why, why it broke off ("" if it did not), and what is open in the end."""
    refused: Mapping[str, str] = {}
    broken = ""
    try:
        refused = forge.invite(course.assignments().id, addresses)
    except GitExchangeError as error:
        broken = str(error)
    try:
        return refused, broken, _open(course, forge)
    except GitExchangeError as error:
        return refused, broken or str(error), {}


def _open(course: Course, forge: ForgeAdmin) -> Mapping[str, datetime]:
    """Return the addresses with an open invitation, and since when."""
    try:
        return forge.invitations(course.assignments().id)
    except Forbidden as error:
        raise Forbidden(
            f"Only an instructor of the course can invite people: {error.message}",
            hint="Run it with an instructor's token, or without --invite.",
        ) from error


def _invited(
    step: Step, open_: Mapping[str, datetime], before: Mapping[str, datetime], shared: Mapping[str, int]
) -> Step:
    person = step.person
    assert person is not None  # noqa: S101 - needs_account
    address = address_of(person.email)
    if not address:
        what = "is not exactly one" if person.email else "is not in the roster"
        return _without(step, f"the e-mail address of this person {what}")
    if shared[address] > 1:
        return _without(step, "several people of the roster have this e-mail address")
    since = open_.get(address)
    if since is not None:
        return replace(step, action="invited", why=f"invited on {since.date()}, not accepted yet", invited=since)
    known = before.get(mark(address))
    if known is not None:
        return replace(
            step,
            why=f"{step.why}; was invited on {known.date()}, and that was accepted, declined or withdrawn. If there is"
            f" an account now, {NAME_IT}",
        )
    return replace(step, action="invite", why=f"{step.why}; gets an invitation by e-mail")


def _without(step: Step, why: str) -> Step:
    return replace(step, why=f"{step.why}; not invited: {why}")
