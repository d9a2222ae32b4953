"""``git-exchange release``: nbgrader's own, now or at a time; a group that holds ``purge``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console

from git_exchange.cli.default_group import DefaultGroup
from git_exchange.cli.printing import shown
from git_exchange.cli.purge import purge_release
from git_exchange.cli.settings import Here, configured_here, course_of, course_options
from git_exchange.errors import CourseError
from git_exchange.files.paths import display
from git_exchange.operations.scheduled_release import schedule_release
from git_exchange.rules.schedule import Scheduled
from git_exchange.rules.until import in_zone, parse_until

_Command = TypeVar("_Command", bound=Callable[..., Any])


def at_options(command: _Command) -> _Command:
    """Add the options that say when; ``moment_of`` understands them."""
    for option in (
        click.option("--timezone", "zone", help="Zone of a TIME that names none, for example Europe/Zurich or +01:00."),
        click.option("--at", "at", metavar="TIME", help="Not now: the collector does it then."),
    ):
        command = option(command)
    return command


@click.command()
@click.argument("assignment_id", metavar="ASSIGNMENT")
@at_options
@click.option("--force", is_flag=True, help="Replace what is released.")
@course_options
def release_assignment(assignment_id: str, at: str | None, zone: str | None, force: bool, here: Here) -> None:
    """Release an assignment as `nbgrader release_assignment` does, now or with --at at a time.

    TIME is given with its zone: 2026-11-21T18:00+01:00, 2026-11-21T17:00Z or "2026-11-21 18:00 Europe/Zurich". Until
    then no student can read it. For an assignment that is called as one of the commands below: release -- purge
    """
    moment = moment_of(at, zone)
    from git_exchange.plugin.release_assignment import ExchangeReleaseAssignment  # nbgrader takes seconds to import

    exchange = configured_here(ExchangeReleaseAssignment, here, assignment_id)
    exchange.force = exchange.force or force
    with nbgraders_words():
        exchange.init_src()
        exchange.init_dest()
    if moment is None:
        exchange.copy_files()
        click.echo(f"Released: {display(assignment_id)}")
        return
    with shown(Console(stderr=True)) as listener:
        earlier = schedule_release(
            course_of(exchange),
            assignment_id,
            Path(exchange.src_path),
            exchange.selection_rules(),
            at=moment,
            due=exchange.due(),
            force=exchange.force,
            listener=listener,
        )
    say_scheduled("release", assignment_id, moment, earlier)


def moment_of(at: str | None, zone: str | None) -> datetime | None:
    """Return the time that was given with --at, None if none was. Raise click.UsageError."""
    if at is None:
        if zone is not None:
            raise click.UsageError("--timezone goes with --at.")
        return None
    try:
        return parse_until(at, zone)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--at") from error


@contextmanager
def nbgraders_words() -> Iterator[None]:
    """Turn the error of nbgrader's own commands into one of ours; they have said in the log what failed."""
    from nbgrader.exchange import ExchangeError

    try:
        yield
    except ExchangeError as error:
        raise CourseError(str(error), hint="") from error


def say_scheduled(kind: str, assignment_id: str, moment: datetime, earlier: Scheduled | None) -> None:
    """Tell what will go out when, and what that replaces."""
    click.echo(f"Scheduled: {kind} {display(assignment_id)} at {in_zone(moment)}")
    if earlier is not None:
        click.echo(f"This replaces what was scheduled for {in_zone(earlier.at)}.")
    click.echo("It takes a running collector, or `git-exchange scheduled run` at that time.")


@click.group(cls=DefaultGroup, default=release_assignment)
def release() -> None:
    """Release an assignment, now or at a time; or take a release back that must not be seen."""


release.add_command(purge_release, "purge")
