"""``git-exchange scheduled``: what waits for its time to be released."""

from __future__ import annotations

import json

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from git_exchange.cli.printing import print_report, shown
from git_exchange.cli.settings import Here, configured_here, course_of, course_options
from git_exchange.course.course import Course
from git_exchange.files.paths import display
from git_exchange.operations.scheduled import cancel as cancel_scheduled
from git_exchange.operations.scheduled import carry_out_scheduled, overdue
from git_exchange.operations.scheduled import scheduled as waiting
from git_exchange.rules import layout, times
from git_exchange.rules.until import in_zone


@click.group()
def scheduled() -> None:
    """Show what is to be released at a time, cancel it, or carry out what is due."""


@scheduled.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, times in UTC.")
@course_options
def list_(as_json: bool, here: Here) -> None:
    """Show what waits for its time, who asked for it, and why it failed if it did."""
    course = _course(here)
    found = waiting(course)
    if as_json:
        said = [
            {
                "kind": one.kind,
                "assignment_id": one.assignment_id,
                "at": times.isoformat(one.at),
                "state": one.state,
                "scheduled_by": one.asked_by,
                "students": one.students or None,
                "why": one.failed or None,
            }
            for one in found
        ]
        click.echo(json.dumps(said, indent=2))
        return
    console = Console()
    if not found:
        console.print("Nothing is scheduled.")
        return
    table = Table("what", "assignment", "at", "by", "state")
    for one in found:
        what = f"{one.kind} ({one.students} students)" if one.students else one.kind
        state = f"failed: {one.failed}" if one.failed else one.state
        texts = (what, one.assignment_id, in_zone(one.at), one.asked_by.partition(" <")[0], state)
        table.add_row(*(escape(display(text)) for text in texts))
    console.print(table)
    if late := overdue(found, course.forge.server().date):
        click.echo(
            f"{len(late)} should have gone out by now: is the collector running? (git-exchange collector status)"
        )
        click.echo("`git-exchange scheduled run` does it now.")


@scheduled.command()
@click.argument("what", type=click.Choice(["release", "feedback"]))
@click.argument("assignment_id", metavar="ASSIGNMENT")
@course_options
def cancel(what: layout.Planned, assignment_id: str, here: Here) -> None:
    """Take back what waits for its time. What has been released stays."""
    was = cancel_scheduled(_course(here), what, assignment_id)
    click.echo(f"Cancelled: {what} {display(assignment_id)}, which was to go out at {in_zone(was.at)}")


@scheduled.command()
@course_options
def run(here: Here) -> None:
    """Release now what is due, as the collector does. Exit status 1 if something failed."""
    course = _course(here)
    console = Console()
    with shown(Console(stderr=True)) as listener:
        report = carry_out_scheduled(course, course.forge, course.forge.server().date, listener)
    print_report(console, report, "Scheduled work")
    if report.failed:
        raise click.exceptions.Exit(1)


def _course(here: Here) -> Course:
    from git_exchange.plugin.exchange import Exchange  # nbgrader takes seconds to import

    return course_of(configured_here(Exchange, here))
