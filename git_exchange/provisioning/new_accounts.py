"""Accounts for people of the roster who have none: which ones, and why somebody gets none. Nobody is guessed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from git_exchange.course.course import Course
from git_exchange.errors import Forbidden
from git_exchange.forge.ports import Account, ForgeAdmin, Role, SignInAs
from git_exchange.provisioning.identity import NO_ACCOUNT, Identified, Key
from git_exchange.provisioning.people import Person, SignIn
from git_exchange.provisioning.plan import NewAccount, Plan, Step
from git_exchange.rules.usernames import username_from


def check_administrator(course: Course, forge: ForgeAdmin) -> None:
    """Raise Forbidden unless the token is a site administrator's who is an instructor of the course, too.

    Without the second, accounts would be made that the course's record could not name: being an administrator gives
    no right to push to protected branches.
    """
    account = forge.account()
    if not account.is_admin:
        raise Forbidden(
            f"Only a site administrator can make accounts, and {account.username} is none.",
            hint="Run it with an administrator's token, or without --create-accounts. Nothing was changed.",
        )
    roles = {member.account.id: member.role for member in forge.group_members(course.group())}
    if roles.get(account.id) is not Role.INSTRUCTOR:
        raise Forbidden(
            f"{account.username} is an administrator, but no instructor of the course: it could not record who is who.",
            hint="Add the account to the course's group as an instructor. Nothing was changed.",
        )


def with_new_accounts(
    course: Course,
    forge: ForgeAdmin,
    plan: Plan,
    identified: Sequence[Identified],
    sign_in: SignIn | None,
    taken: Mapping[Key, object],
) -> Plan:
    """Return the plan with an account to be made for everybody who has none and whom none is proposed for.

    ``taken`` has the people whose sign-in an account has already. Who cannot get an account stays as planned, with the
    reason. Nothing is changed on the forge.
    """
    named = {one.person.key: one.username for one in identified if one.how == "map" or one.person.username}
    steps = [
        _wanted(step, named.get(step.person.key, ""), sign_in)
        if step.person is not None and step.person.key not in taken and needs_account(step)
        else step
        for step in plan.steps
    ]
    names = Counter(step.new.username.casefold() for step in steps if step.new is not None)
    sign_ins = Counter(step.new.sign_in for step in steps if step.new is not None and step.new.sign_in is not None)
    ids = Counter(step.who for step in plan.steps)
    asked = sorted(name for name, number in names.items() if number == 1)
    there = dict(zip(asked, course.in_parallel(forge.find_account, asked), strict=True))
    return Plan(
        tuple(
            _certain(step, before, names, sign_ins, ids, there) for step, before in zip(steps, plan.steps, strict=True)
        )
    )


def needs_account(step: Step) -> bool:
    """Return whether somebody who takes part has no account, and none is proposed or on record."""
    if step.person is None or not step.person.active or step.before is not None:
        return False
    return step.action == "pending" or (step.action == "unmatched" and step.why == NO_ACCOUNT and not step.proposals)


def _wanted(step: Step, named: str, sign_in: SignIn | None) -> Step:
    person = step.person
    assert person is not None  # noqa: S101 - needs_account
    username = named or _username(person)
    identity = sign_in.of(person) if sign_in is not None and person.platform else ""
    if not person.email:
        return _without(step, "an account needs an e-mail address, and the roster has none of this person")
    if not username:
        return _without(step, "no user name can be made of the login or the e-mail address")
    if sign_in is not None and person.platform and not identity:
        return _without(step, f"the roster does not tell the {sign_in.identity} by which this person signs in")
    name = f"{person.first_name} {person.last_name}".strip() or username
    as_ = SignInAs(sign_in.provider, identity) if sign_in is not None and identity else None
    person_id = person.person_id or username
    return replace(
        step,
        who=person_id,
        action="create",
        why=f"with a new account, {username}",
        person=replace(person, person_id=person_id),
        how="created",
        new=NewAccount(username, name, person.email, as_),
    )


def _username(person: Person) -> str:
    """Return the id where it is a user name, else what the login or the address gives."""
    if person.person_id and username_from(person.person_id) == person.person_id.lower():
        return person.person_id
    return username_from(person.login) or username_from(person.email.partition("@")[0])


def _certain(
    step: Step,
    before: Step,
    names: Mapping[str, int],
    sign_ins: Mapping[SignInAs, int],
    ids: Mapping[str, int],
    there: Mapping[str, Account | None],
) -> Step:
    """Return the step, or the one before it if the new account could be taken for somebody else's."""
    new = step.new
    if new is None:
        return step
    if names[new.username.casefold()] > 1:
        return _without(before, f"several people would get the user name {new.username}")
    if new.sign_in is not None and sign_ins[new.sign_in] > 1:
        return _without(before, f"several people of the roster sign in as {new.sign_in.identity}")
    account = there[new.username.casefold()]
    if account is not None:
        kept = _without(before, f"there is an account {account.username} already")
        return replace(kept, proposals=(account.username,))
    if step.who != before.who and ids[step.who]:
        return _without(before, f"the id {step.who} is another person's")
    return step


def _without(step: Step, why: str) -> Step:
    return replace(step, why=f"{step.why}; none is made: {why}")
