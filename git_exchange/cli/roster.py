"""``git-exchange roster``: bring the people of a course onto the forge."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from git_exchange.cli.hooks import hook_options
from git_exchange.cli.printing import print_report, shown
from git_exchange.cli.settings import Asked, forge_options, gradebook_of, settings_for
from git_exchange.course.course import Course
from git_exchange.events import Listener
from git_exchange.files.paths import display
from git_exchange.forge.connect import connect_accounts
from git_exchange.forge.ports import ForgeAccounts, ForgeAdmin
from git_exchange.operations.hook_state import HookSetup
from git_exchange.provisioning.apply import Planned, SignedIn, apply_roster, names_in, plan_roster
from git_exchange.provisioning.connection import connected_admin
from git_exchange.provisioning.identity import MapEntry
from git_exchange.provisioning.journal import journal, journal_path
from git_exchange.provisioning.people import Roster
from git_exchange.provisioning.plan import Plan, Step, check_drops
from git_exchange.provisioning.sign_in import finder
from git_exchange.provisioning.sources.map_file import read_map
from git_exchange.provisioning.sources.opening import read_roster
from git_exchange.rules import times

if TYPE_CHECKING:
    from git_exchange.operations.gradebook_extensions import Book  # nbgrader takes seconds to import

GRADEBOOK = "gradebook"
_Command = TypeVar("_Command", bound=Callable[..., Any])


@click.group()
def roster() -> None:
    """Bring the people of a course onto the forge."""


def roster_options(command: _Command) -> _Command:
    """Add the options that say whom the roster names."""
    for option in (
        click.option(
            "--invite",
            is_flag=True,
            help="Ask everybody who has no account, and whom none is proposed for, by e-mail to make one. GitLab only.",
        ),
        click.option(
            "--create-accounts",
            is_flag=True,
            help="Make an account for everybody who has none and whom none is proposed for. Needs the token of the"
            " forge's site administrator.",
        ),
        click.option(
            "--map",
            "map_file",
            type=click.Path(path_type=Path, dir_okay=False, exists=True),
            help="CSV file lms_user_id,username[,student_id]: which person of the LMS is which account.",
        ),
        click.option(
            "--from",
            "source",
            required=True,
            metavar="FILE|gradebook",
            type=click.Path(path_type=Path, dir_okay=False),
            help="CSV file: student_id (or id),first_name,last_name,email,lms_user_id,role,username; roles are student,"
            ' grader, instructor. Or a TOML file that names an LMS. Or the word "gradebook": the students of the'
            " gradebook here (a file of that name is ./gradebook).",
        ),
    ):
        command = option(command)
    return command


@dataclass(frozen=True)
class _Job:
    course: Course
    forge: ForgeAdmin
    roster: Roster
    mapped: list[MapEntry]
    book: Book | None
    accounts: ForgeAccounts

    def signed_in(self, listener: Listener) -> SignedIn:
        """Return what finds accounts by the institution's sign-in, as the roster's file says."""
        return finder(self.course, self.accounts, self.roster.sign_in, listener)


def _job(course_id: str, source: Path, map_file: Path | None, asked: Asked, *, gradebook: bool = False) -> _Job:
    settings = settings_for(asked)
    from_gradebook = source == Path(GRADEBOOK)
    book = gradebook_of(asked, course_id) if from_gradebook or gradebook else None
    people = _students_of(book) if from_gradebook and book is not None else read_roster(source)
    mapped = read_map(map_file) if map_file is not None else []
    forge, token = connected_admin(settings)
    accounts = connect_accounts(settings, token)
    return _Job(Course(settings, course_id, forge, token), forge, people, mapped, book, accounts)


def _students_of(book: Book) -> Roster:
    from git_exchange.provisioning.sources.gradebook import read_gradebook

    return read_gradebook(book)


@roster.command()
@click.argument("course_id", metavar="COURSE")
@roster_options
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
@click.option("--propose", type=click.Path(path_type=Path, dir_okay=False), help="Write a map to be confirmed to FILE.")
@hook_options
@forge_options
def plan(
    course_id: str,
    source: Path,
    map_file: Path | None,
    create_accounts: bool,
    invite: bool,
    as_json: bool,
    propose: Path | None,
    hooks: HookSetup | None,
    url: str | None,
    namespace: str | None,
    kind: str | None,
) -> None:
    """Print what `apply` would do to whom, and why. Nothing is changed."""
    _not_both(create_accounts, invite)
    job = _job(course_id, source, map_file, Asked(url, namespace, kind))
    with shown(Console(stderr=True)) as listener:
        planned = plan_roster(
            job.course,
            job.forge,
            job.roster,
            mapped=job.mapped,
            signed_in=job.signed_in(listener),
            create_accounts=create_accounts,
            hooks=hooks,
            invite=invite,
        )
    if as_json:
        click.echo(json.dumps(_as_json(planned), indent=2, ensure_ascii=False))
    else:
        _print_plan(Console(), planned, course_id)
    if propose is not None:
        _propose(propose, planned.plan)
    check_drops(planned.plan, planned.state.now, None)


@roster.command()
@click.argument("course_id", metavar="COURSE")
@roster_options
@click.option("--allow-drops", type=click.IntRange(min=0), help="How many people may lose their access in this run.")
@click.option("--verify", is_flag=True, help="Also read the projects of those who did not change, and put them right.")
@click.option("--gradebook", "into_gradebook", is_flag=True, help="Add the students to the gradebook here, with names.")
@click.option(
    "--names/--no-names", default=True, show_default=True, help="Whether to record names in the staff project."
)
@hook_options
@forge_options
def apply(
    course_id: str,
    source: Path,
    map_file: Path | None,
    create_accounts: bool,
    invite: bool,
    allow_drops: int | None,
    verify: bool,
    into_gradebook: bool,
    names: bool,
    hooks: HookSetup | None,
    url: str | None,
    namespace: str | None,
    kind: str | None,
) -> None:
    """Give every student a protected project and the staff their roles. Running it again changes nothing.

    Who is no longer in the roster loses the access; the work stays. With --webhook-url every student's project gets
    a webhook that tells the collector of submissions, and --verify looks at each of them, too. Exit status 1 if
    somebody failed or could not be matched with an account; everybody else is done all the same. What was done is also
    written to a journal.
    """
    _not_both(create_accounts, invite)
    job = _job(course_id, source, map_file, Asked(url, namespace, kind), gradebook=into_gradebook)
    console = Console()
    with shown(console) as listener, journal(journal_path(course_id, datetime.now(timezone.utc))) as noted:
        report, planned = apply_roster(
            job.course,
            job.forge,
            job.roster,
            mapped=job.mapped,
            signed_in=job.signed_in(listener),
            accounts=job.accounts if create_accounts else None,
            hooks=hooks,
            invite=invite,
            names=names,
            allow_drops=allow_drops,
            verify=verify,
            noted=noted,
            listener=listener,
        )
    print_report(console, report, f"Roster of {display(course_id)}")
    if into_gradebook and job.book is not None:
        from git_exchange.operations.name_students import name_students

        said = {one.student_id: one for one in names_in(planned)}
        number = name_students(job.book, said, said)
        console.print(f"Gradebook: {number} of {len(said)} students added or named", soft_wrap=True, highlight=False)
    if report.failed or report.counts.get("unmatched"):
        raise click.exceptions.Exit(1)


def _not_both(create_accounts: bool, invite: bool) -> None:
    if create_accounts and invite:
        raise click.UsageError("--create-accounts and --invite exclude each other: choose one of them.")


def _print_plan(console: Console, planned: Planned, course_id: str) -> None:
    rows = [step for step in planned.plan.steps if step.action != "keep" or step.why or step.hook is not None]
    if rows:
        table = Table("who", "what", "role", "account", "why", title=f"Plan for {escape(display(course_id))}")
        if any(step.hook is not None for step in rows):
            table.add_column("webhook")
        for step in rows:
            table.add_row(*(escape(display(text)) for text in _row(step)[: len(table.columns)]))
        console.print(table)
    for left in planned.roster.left_out:
        console.print(escape(display(f"{left.who} is left out: {left.why}")), style="yellow", soft_wrap=True)
    counts = ", ".join(f"{number} {action}" for action, number in planned.plan.counts.items())
    console.print(f"{counts} (of {len(planned.plan.steps)})", soft_wrap=True, highlight=False)
    if webhooks := ", ".join(f"{number} {action}" for action, number in planned.plan.hook_counts.items()):
        console.print(f"Webhooks: {webhooks}", soft_wrap=True, highlight=False)


def _row(step: Step) -> tuple[str, ...]:
    account = step.account.username if step.account is not None else step.new.username if step.new is not None else ""
    proposed = f"; perhaps {', '.join(step.proposals)}" if step.proposals else ""
    webhook = f"{step.hook.action}: {step.hook.why}" if step.hook is not None else ""
    return step.who, step.action, step.role, account, step.why + proposed, webhook


def _as_json(planned: Planned) -> dict[str, Any]:
    return {
        "steps": [
            {
                "who": step.who,
                "action": step.action,
                "role": step.role,
                "why": step.why,
                "account": step.account.username if step.account is not None else None,
                "account_id": step.account.id if step.account is not None else None,
                "lms_user_id": step.person.lms_user_id if step.person is not None else None,
                "proposals": list(step.proposals),
                "webhook": {"action": step.hook.action, "why": step.hook.why} if step.hook is not None else None,
                "invited": times.isoformat(step.invited) if step.invited is not None else None,
            }
            for step in planned.plan.steps
        ],
        "left_out": [{"who": left.who, "why": left.why} for left in planned.roster.left_out],
        "counts": planned.plan.counts,
        "webhooks": planned.plan.hook_counts,
    }


def _propose(path: Path, plan: Plan) -> None:
    """Write those who have no account as lines of a map: to be looked at by a person, then given as --map."""
    with path.open("x", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("lms_user_id", "username", "student_id", "name", "email"))
        for step in plan.of("unmatched"):
            person = step.person
            if person is not None and person.lms_user_id:
                name = f"{person.first_name} {person.last_name}".strip()
                account = step.proposals[0] if len(step.proposals) == 1 else ""
                writer.writerow((person.lms_user_id, account, "", name, person.email))
    click.echo(f"Written: {path}. Check every line, complete it, and give it as --map.")
