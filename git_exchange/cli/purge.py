"""``git-exchange release purge`` and ``feedback purge``: take back what must not be seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from rich.console import Console

from git_exchange.cli.printing import shown
from git_exchange.cli.settings import Here, configured_here, course_of, course_options
from git_exchange.course.course import Course
from git_exchange.events import Listener
from git_exchange.files.paths import display
from git_exchange.forge.ports import ForgeAdmin
from git_exchange.operations import purge_feedback as feedback_purging
from git_exchange.operations import purge_release as release_purging
from git_exchange.operations.purge import Found, Plan, look
from git_exchange.provisioning.connection import connected_admin

MAX_PATHS = 20

_options = (
    click.option("--reason", default="", help="Why, for the record; who can read the branch can read it. Needed."),
    click.option("--dry-run", is_flag=True, help="Say what would be purged and who keeps it; change nothing."),
    click.option(
        "--check", is_flag=True, help="Only look what can still be had of earlier purges, and ask to drop it."
    ),
    click.option("--yes", is_flag=True, help="Do not ask."),
)


def _purge_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_options):
        command = option(command)
    return course_options(command)


@click.command("purge")
@click.argument("assignment_id", metavar="ASSIGNMENT")
@_purge_options
def purge_release(
    assignment_id: str,
    reason: str,
    dry_run: bool,
    check: bool,
    yes: bool,
    here: Here,
) -> None:
    """Remove all releases of an assignment from the history of its branch, and say what can still be had.

    To take a release out of the list only, use `nbgrader list ASSIGNMENT --remove`. Running it again completes it.
    With --check, exit status 1 while the forge still answers with something that was purged.
    """
    opened, forge, console = _connected(here)
    with _telling() as listener:
        if check:
            _say(console, release_purging.check_release(opened, forge, assignment_id, listener=listener), strictly=True)
            return
        plan = release_purging.plan_release(opened, assignment_id, listener=listener)
    if _agreed(console, plan, reason, dry_run=dry_run, yes=yes):
        with _telling() as listener:
            if plan.commits:
                found = release_purging.purge_release(opened, forge, assignment_id, plan, reason, listener=listener)
            else:
                found = release_purging.check_release(opened, forge, assignment_id, listener=listener)
        _say(console, found)


@click.command("purge")
@click.argument("assignment_id", metavar="ASSIGNMENT")
@click.option("--student", "student_id", required=True, help="Whose project the feedback was released into.")
@click.option("--attempt", type=click.IntRange(1), help="Only what was released about this attempt.")
@_purge_options
def purge_feedback(
    assignment_id: str,
    student_id: str,
    attempt: int | None,
    reason: str,
    dry_run: bool,
    check: bool,
    yes: bool,
    here: Here,
) -> None:
    """Remove feedback on an assignment from a student's project and its history, and say what can still be had.

    Running it again completes it. Exit status 1 while the forge still answers with something that was purged.
    """
    opened, forge, console = _connected(here)
    target = feedback_purging.target_of(opened, assignment_id, student_id)
    with _telling() as listener:
        if check:
            _say(console, look(opened, forge, target, listener=listener), strictly=True)
            return
        plan = feedback_purging.plan_feedback(opened, assignment_id, student_id, attempt)
    if _agreed(console, plan, reason, dry_run=dry_run, yes=yes):
        with _telling() as listener:
            if plan.commits:
                found = feedback_purging.purge_feedback(
                    opened, forge, assignment_id, student_id, plan, reason, attempt=attempt, listener=listener
                )
            else:
                found = look(opened, forge, target, listener=listener)
        _say(console, found)


def _connected(here: Here) -> tuple[Course, ForgeAdmin, Console]:
    from git_exchange.plugin.exchange import Exchange  # nbgrader takes seconds to import

    named = course_of(configured_here(Exchange, here))
    forge, token = connected_admin(named.settings)
    return Course(named.settings, named.course_id, forge, token), forge, Console()


@contextmanager
def _telling() -> Iterator[Listener]:
    with shown(Console(stderr=True)) as listener:
        yield listener


def _agreed(console: Console, plan: Plan, reason: str, *, dry_run: bool, yes: bool) -> bool:
    """Show the plan and return whether it is to be carried out; False for a dry run."""
    branch = f"{plan.target.ref.removeprefix('refs/heads/')} in {plan.target.project.path}"
    if not plan.commits:
        _line(console, f"There is nothing (more) to purge from {branch}; looking what can still be had.")
        return not dry_run
    _line(console, f"To be purged: {len(plan.commits)} commits of {branch} with {len(plan.files)} files of their own:")
    for path in plan.paths[:MAX_PATHS]:
        _line(console, f"  {path}")
    if len(plan.paths) > MAX_PATHS:
        _line(console, f"  and {len(plan.paths) - MAX_PATHS} more")
    _line(console, "What a purge does not reach:")
    for sentence in plan.consequences:
        _line(console, f"  - {sentence}")
    if dry_run:
        return False
    if not reason.strip():
        raise click.UsageError("Say why with --reason; it stays on record.")
    if not yes:
        click.confirm("Rewrite the branch? This cannot be undone", abort=True)
    return True


def _say(console: Console, found: Found, *, strictly: bool = False) -> None:
    _line(console, "Gone: the forge no longer answers with")
    for sentence in found.gone:
        _line(console, f"  - {sentence}")
    if found.clean:
        _line(console, "Nothing of it can be had from the forge any more.")
        return
    _line(console, "Stays: it can still be had as")
    for sentence in found.stays:
        _line(console, f"  - {sentence}")
    _line(console, "Run it with --check when that time is over: it looks again.")
    if strictly:
        raise click.exceptions.Exit(1)


def _line(console: Console, text: str) -> None:
    console.print(display(text), soft_wrap=True, highlight=False, markup=False)
