"""Carry a plan out: several people at once, each seat recorded soon after it is made, one failure stopping nobody else.

Stopped anywhere and run again it finishes: what was done is found, and what was begun is completed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import ClassVar

from git_exchange.course.course import Course
from git_exchange.course.enrolments import record_enrolments
from git_exchange.course.register import Registered, register
from git_exchange.errors import Forbidden, GitExchangeError, NotFound
from git_exchange.events import Event, Listener, Progress, ignore
from git_exchange.forge.ports import Account, ForgeAccounts, ForgeAdmin, Role
from git_exchange.operations.membership import enrol, remove
from git_exchange.provisioning.invitations import send_invitations
from git_exchange.provisioning.plan import ROLE_OF, Plan, Step
from git_exchange.provisioning.state import CourseState
from git_exchange.provisioning.webhooks import Webhooks
from git_exchange.report import Outcome, Report
from git_exchange.rules.enrolment import Enrolment

# What is done is written down at least this often: a run that is killed loses no more than this.
RECORD_SECONDS = 20.0
NOTHING_TO_DO = {"keep": "unchanged", "pending": "pending", "unmatched": "unmatched", "invited": "invited"}
DONE = {"create": "created", "change": "changed", "return": "returned", "drop": "dropped"}


def carry_out(
    course: Course,
    forge: ForgeAdmin,
    plan: Plan,
    state: CourseState,
    *,
    accounts: ForgeAccounts | None = None,
    webhooks: Webhooks | None = None,
    verify: bool = False,
    noted: Callable[[Outcome], None] = lambda outcome: None,
    listener: Listener = ignore,
) -> Report:
    """Do what the plan says and record it. One outcome per step, so that the counts add up to the roster and the drops.

    The outcomes are "created", "changed", "returned", "dropped", "unchanged", "pending", "unmatched", "invited" (now
    or before) and "failed". With ``verify`` the projects of those who did not change are read too and put right:
    "repaired". ``noted`` gets each outcome as soon as it is certain. ``webhooks`` carries out what the plan
    says of them.
    """
    work = _Work(course, forge, state, accounts, webhooks, verify, listener)
    todo = [
        step for step in plan.steps if step.action in DONE or step.hook is not None or (verify and _can_verify(step))
    ]
    done: dict[int, Outcome] = {}
    with ThreadPoolExecutor(course.settings.limits.pool, "git-exchange") as pool:
        for number, (step, outcome) in enumerate(zip(todo, pool.map(work.one, todo), strict=True), 1):
            done[id(step)] = outcome
            noted(outcome)
            listener(Progress("applying the roster", number, len(todo)))
    work.note_unrecorded(plan)
    if webhooks is not None:
        webhooks.forget_all_but(state.now.projects)
    work.record()
    done |= send_invitations(course, forge, plan, noted)
    return Report.of(
        [
            done.get(id(step)) or Outcome(step.who, NOTHING_TO_DO[step.action], step.why or step.role)
            for step in plan.steps
        ]
    )


class _Work:
    """What several threads do together: the people one by one, the record in batches."""

    def __init__(
        self,
        course: Course,
        forge: ForgeAdmin,
        state: CourseState,
        accounts: ForgeAccounts | None,
        webhooks: Webhooks | None,
        verify: bool,
        listener: Listener,
    ) -> None:
        self._course, self._forge, self._state, self._known = course, forge, state, state.known
        self._accounts, self._webhooks, self._verifies = accounts, webhooks, verify
        self._listener = listener
        self._lock = threading.Lock()
        self._seats: list[Registered] = []
        self._people: list[Enrolment] = []
        self._made: dict[int, int] = {}  # id(step) -> the project of the seat
        self._recorded = time.monotonic()

    def one(self, step: Step) -> Outcome:
        """Do one step; its failure is its outcome."""
        try:
            if step.action == "keep":
                outcome = self._verify(step)
            else:
                outcome = Outcome(step.who, DONE[step.action], self._actions[step.action](self, step))
        except GitExchangeError as error:
            self._listener(Event(f"{step.who}: {error}", "error"))
            return Outcome(step.who, "failed", str(error))
        if self._webhooks is not None:
            outcome = self._with_webhook(self._webhooks, step, outcome)
        self._record_now_and_then()
        return outcome

    def note_unrecorded(self, plan: Plan) -> None:
        """Complete the record of students: a run that was killed may have written down only their seats."""
        for step in plan.steps:
            person, account = step.person, step.account
            if step.action != "keep" or person is None or account is None or person.role != "student":
                continue
            if person.active and person.person_id not in self._state.enrolments:
                self._people.append(
                    Enrolment(
                        person.person_id,
                        person.role,
                        account.id,
                        account.username,
                        person.platform,
                        person.lms_user_id,
                        step.how,
                    )
                )

    def record(self) -> None:
        """Write down what was done since the last time."""
        with self._lock:
            seats, people = self._seats, self._people
            self._seats, self._people = [], []
            self._recorded = time.monotonic()
            # Seats come first: they say whose project is whose, people only who is in the course.
            register(self._course, seats)
            record_enrolments(self._course, people)
            if self._webhooks is not None:
                self._webhooks.record()

    def _record_now_and_then(self) -> None:
        if time.monotonic() - self._recorded > RECORD_SECONDS:
            self.record()

    def _enrol(self, step: Step) -> str:
        account, person = self._open(step) if step.new is not None else self._account(step), step.person
        assert person is not None  # noqa: S101 - only drops have none
        seat: Registered | None = None
        if person.role == "student":
            self._no_longer_staff(step, account)
            _, seat = enrol(self._forge, self._known, person.person_id, account)
            self._made[id(step)] = seat.project_id
        else:
            self._forge.set_group_access(self._known.group, account, ROLE_OF[person.role])
        if step.before is not None and step.before.role == "student" and person.role != "student":
            remove(self._forge, self._known, person.person_id)
        before = self._state.enrolments.get(person.person_id)
        how = before.how if step.how == "record" and before is not None else step.how
        entry = Enrolment(
            person.person_id, person.role, account.id, account.username, person.platform, person.lms_user_id, how
        )
        with self._lock:
            self._seats += [seat] if seat is not None else []
            self._people.append(entry)
        return f"{person.role}: {step.why}" if step.why else person.role

    def _open(self, step: Step) -> Account:
        """Make the account, and keep for the record whose it is: whatever fails next, the next run knows it."""
        new, person = step.new, step.person
        assert new is not None and person is not None and self._accounts is not None  # noqa: S101 - the plan gives all
        account = self._accounts.open_account(new.username, name=new.name, email=new.email, sign_in=new.sign_in)
        entry = Enrolment(
            person.person_id,
            person.role,
            account.id,
            account.username,
            person.platform,
            person.lms_user_id,
            step.how,
        )
        with self._lock:
            self._people.append(entry)
        return account

    def _verify(self, step: Step) -> Outcome:
        person = step.person
        # Of staff the plan has compared the role already.
        if not self._verifies or not _can_verify(step) or person is None or person.role != "student":
            return Outcome(step.who, "unchanged", step.role)
        account = self._account(step)
        status, _ = enrol(self._forge, self._known, person.person_id, account)
        if status == "unchanged":
            return Outcome(step.who, "unchanged", person.role)
        return Outcome(
            step.who, "repaired", "protection, access or settings of the project were not as they have to be"
        )

    def _with_webhook(self, webhooks: Webhooks, step: Step, outcome: Outcome) -> Outcome:
        """Return what became of the step with its webhook, which comes after everything else."""
        try:
            if step.hook is not None:
                number = self._made.get(id(step), step.hook.project_id)
                done, status = webhooks.carry_out(step.hook, number) if number is not None else "", "changed"
            else:
                done, status = self._verify_webhook(webhooks, step), "repaired"
        except GitExchangeError as error:
            self._listener(Event(f"{step.who}: {error}", "error"))
            return Outcome(step.who, "failed", f"{outcome.status}, but the webhook failed: {error}")
        if not done:
            return outcome
        if outcome.status == "unchanged":
            return Outcome(step.who, status, done)
        return Outcome(step.who, outcome.status, f"{outcome.detail}; {done}" if outcome.detail else done)

    def _verify_webhook(self, webhooks: Webhooks, step: Step) -> str:
        number = step.before.project_id if step.before is not None else None
        if not self._verifies or step.action != "keep" or step.role != "student" or number is None:
            return ""
        why = webhooks.verify(number)
        return f"webhook installed again ({why})" if why else ""

    def _account(self, step: Step) -> Account:
        """Return the account as it is called now: names of accounts change, and others can then take them."""
        assert step.account is not None  # noqa: S101 - the plan gives one to each of these steps
        if step.before is None and step.how != "sign-in":
            return step.account  # it was looked up by its name a moment ago
        account = self._forge.account_by_id(step.account.id)
        if account is None:
            raise NotFound(
                f"The account {step.account.username} (number {step.account.id}) no longer exists on the forge.",
                hint="If the person has another one now, correct roster.csv and seats.csv in the staff project.",
            )
        return account

    def _no_longer_staff(self, step: Step, account: Account) -> None:
        if self._state.now.staff.get(account.id, Role.NONE) not in (Role.GRADER, Role.INSTRUCTOR):
            return
        if step.before is None or step.before.role == "student":
            raise Forbidden(
                f"{account.username} is on the course's staff and cannot be its student too.",
                hint="Take the account out of the group on the forge, or out of the roster.",
            )
        self._forge.set_group_access(self._known.group, account, Role.NONE)

    def _drop(self, step: Step) -> str:
        entry = step.before
        assert entry is not None  # noqa: S101 - who is dropped is on record
        if entry.role == "student":
            remove(self._forge, self._known, entry.bound.person_id)
        else:
            self._forge.set_group_access(self._known.group, self._account(step), Role.NONE)
        known = self._state.enrolments.get(entry.bound.person_id) or Enrolment(
            entry.bound.person_id, entry.role, entry.bound.account_id, entry.bound.username
        )
        with self._lock:
            self._people.append(replace(known, active=False))
        return f"{entry.role}: {step.why}"

    _actions: ClassVar[dict[str, Callable[[_Work, Step], str]]] = {
        "create": _enrol,
        "change": _enrol,
        "return": _enrol,
        "drop": _drop,
    }


def _can_verify(step: Step) -> bool:
    return step.action == "keep" and step.account is not None and step.person is not None and step.person.active
