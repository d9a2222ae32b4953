"""What has to happen so that the forge is as the roster says: a pure function of the roster and the forge's state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from git_exchange.errors import CourseError
from git_exchange.forge.ports import Account, Role, SignInAs
from git_exchange.provisioning.identity import Bound, Identified, Unmatched
from git_exchange.provisioning.people import Person, Roster

Action = Literal["create", "change", "return", "drop", "keep", "pending", "unmatched", "invite", "invited"]
# Nobody knows their account, and so they have no project yet.
WAITING: tuple[Action, ...] = ("pending", "unmatched", "invite", "invited")
ROLE_OF = {"student": Role.STUDENT, "grader": Role.GRADER, "instructor": Role.INSTRUCTOR}
NAME_OF = {role: name for name, role in ROLE_OF.items()}


@dataclass(frozen=True)
class Enrolled:
    """Somebody as the course's record has it. ``project_id`` is a student's seat; ``active`` False after a drop."""

    bound: Bound
    role: str
    project_id: int | None
    active: bool = True


@dataclass(frozen=True)
class CourseNow:
    """The forge's state, from a few listings whatever the number of people.

    ``projects`` maps the numbers of the seats' projects to whether they are archived, ``staff`` the numbers of the
    group's own members to their roles, ``me`` is the account that applies the plan.
    """

    enrolled: Sequence[Enrolled]
    projects: Mapping[int, bool]
    staff: Mapping[int, Role]
    me: int


@dataclass(frozen=True)
class NewAccount:
    """An account to be made for a person: who then signs in by the institution, or by the forge's message."""

    username: str
    name: str
    email: str
    sign_in: SignInAs | None = None


@dataclass(frozen=True)
class HookChange:
    """What happens to the webhook of a student's project, and why. ``project_id``: None if it is yet to be made."""

    action: Literal["install", "remove"]
    why: str
    project_id: int | None = None


@dataclass(frozen=True)
class Step:
    """What happens to one person and why. ``account`` is None if there is none, or nothing is asked of it.

    ``new`` is the account that has to be made first, ``hook`` what becomes of the webhook, None if nothing does,
    ``invited`` since when the person's invitation is open.
    """

    who: str
    action: Action
    role: str
    why: str
    person: Person | None = None
    account: Account | None = None
    before: Enrolled | None = None
    how: str = "roster"
    proposals: tuple[str, ...] = ()
    new: NewAccount | None = None
    hook: HookChange | None = None
    invited: datetime | None = None


@dataclass(frozen=True)
class Plan:
    """One step for each person of the roster, then one for each drop."""

    steps: tuple[Step, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Return how many steps there are of each action."""
        return dict(Counter(step.action for step in self.steps))

    @property
    def hook_counts(self) -> dict[str, int]:
        """Return how many webhooks there are to install and to remove."""
        return dict(Counter(step.hook.action for step in self.steps if step.hook is not None))

    def of(self, *actions: Action) -> tuple[Step, ...]:
        """Return the steps with these actions."""
        return tuple(step for step in self.steps if step.action in actions)


def make_plan(
    roster: Roster,
    identified: Sequence[Identified],
    unmatched: Sequence[Unmatched],
    accounts: Mapping[str, Account | None],
    now: CourseNow,
) -> Plan:
    """Return what to do. ``accounts`` maps the user names (casefolded) that had to be looked up to what was found."""
    by_id = {entry.bound.person_id: entry for entry in now.enrolled}
    by_number = {entry.bound.account_id: entry for entry in now.enrolled}
    steps: dict[tuple[str, str], Step] = {}
    for one in identified:
        account = (
            Account(one.account_id, one.username)
            if one.account_id is not None
            else accounts.get(one.username.casefold())
        )
        steps[one.person.key] = _step(one, account, by_id.get(one.person.person_id), by_number, now)
    for open_ in unmatched:
        steps[open_.person.key] = Step(
            open_.person.shown,
            "unmatched",
            open_.person.role,
            open_.why,
            person=open_.person,
            proposals=open_.proposals,
        )
    named = [steps[key] for key in dict.fromkeys((*(person.key for person in roster.people), *steps))]
    return Plan((*named, *_drops(now, roster, named, {one.person.person_id for one in identified})))


def check_drops(plan: Plan, now: CourseNow, allowed: int | None) -> None:
    """Raise CourseError if the plan drops more people than ``allowed`` (None: a tenth of the active, at least two)."""
    dropped = plan.of("drop")
    active = sum(entry.active for entry in now.enrolled)
    limit = max(2, active // 10) if allowed is None else allowed
    if len(dropped) > limit:
        names = ", ".join(step.who for step in dropped[:10]) + (", ..." if len(dropped) > 10 else "")
        raise CourseError(
            f"The roster lacks {len(dropped)} of {active} people, who would lose their access: {names}.",
            hint=f"If that is right, run it again with --allow-drops {len(dropped)}. Nothing was changed.",
        )


def to_look_up(identified: Collection[Identified]) -> list[str]:
    """Return the user names whose accounts the forge has to be asked for, sorted: none for who is on record."""
    return sorted({one.username for one in identified if one.account_id is None}, key=str.casefold)


def _step(
    one: Identified,
    account: Account | None,
    before: Enrolled | None,
    by_number: Mapping[int, Enrolled],
    now: CourseNow,
) -> Step:
    person = one.person

    def step(action: Action, why: str) -> Step:
        return Step(
            person.person_id, action, person.role, why, person=person, account=account, before=before, how=one.how
        )

    if not person.active:
        return step("keep", "not active in the LMS at the moment: neither added nor dropped")
    if account is None:
        return step("pending", f"there is no account {one.username!r} on the forge yet")
    owner = by_number.get(account.id)
    if owner is not None and owner.bound.person_id != person.person_id:
        return step("unmatched", f"the account {account.username} has the seat of {owner.bound.person_id}")
    if before is not None and before.bound.account_id != account.id:
        return step(
            "unmatched",
            f"the id {person.person_id} belongs to the account {before.bound.username} (number"
            f" {before.bound.account_id}), and {account.username} is number {account.id}",
        )
    action, why = (
        _student(before, now)
        if person.role == "student"
        else _staff(person.role, now.staff.get(account.id, Role.NONE), before)
    )
    if action == "keep" and person.platform and before is not None and before.bound.key != person.key:
        return step("change", f"is known as LMS user {person.lms_user_id} from now on")
    return step(action, why)


def _student(before: Enrolled | None, now: CourseNow) -> tuple[Action, str]:
    if before is None or before.project_id is None:
        return "create", "new in the course" if before is None else f"was {before.role}"
    archived = now.projects.get(before.project_id)
    if archived is None:
        return "create", f"the project number {before.project_id} on record is gone"
    if not before.active or archived:
        return "return", "was dropped before" if not before.active else "the project is archived"
    if before.role != "student":
        return "change", f"was {before.role}"
    return "keep", ""


def _staff(role: str, has: Role, before: Enrolled | None) -> tuple[Action, str]:
    # Who owns the group may do more than any role of ours, and is not brought down to it.
    if has is ROLE_OF[role] and (before is None or (before.active and before.role == role)):
        return "keep", ""
    if has is ROLE_OF[role]:
        return "change", "the record is brought up to date"
    if has is Role.NONE:
        return "create", f"new as {role}"
    return "change", f"is {NAME_OF.get(has, has.name.lower())} now"


def _drops(now: CourseNow, roster: Roster, named: Collection[Step], present: Collection[str]) -> list[Step]:
    # Whom the roster names is not dropped, even if what it or the map says of that person contradicts the record.
    keys = {person.key for person in roster.people}
    accounts = {step.account.id for step in named if step.account is not None} | {now.me}
    return [
        Step(
            entry.bound.person_id,
            "drop",
            entry.role,
            "no longer in the roster; the work stays",
            account=Account(entry.bound.account_id, entry.bound.username),
            before=entry,
        )
        for entry in sorted(now.enrolled, key=lambda entry: entry.bound.person_id)
        if entry.active
        and entry.role in roster.covers
        and entry.bound.person_id not in present
        and entry.bound.key not in keys
        and entry.bound.account_id not in accounts
    ]
