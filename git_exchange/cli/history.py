"""``git-exchange history``: who did what in a course, and when."""

from __future__ import annotations

import json

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from git_exchange.cli.printing import shown
from git_exchange.cli.settings import Here, configured_here, course_of, course_options
from git_exchange.course.history import COMMIT, Entry
from git_exchange.files.paths import display
from git_exchange.operations.history import tell
from git_exchange.rules import times


@click.command()
@click.argument("assignment_id", metavar="[ASSIGNMENT]", required=False)
@click.option("--student", "student_id", help="Only what concerns this student.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list, times in UTC, for other programs.")
@course_options
def history(
    assignment_id: str | None,
    student_id: str | None,
    as_json: bool,
    here: Here,
) -> None:
    """Tell who released, withdrew, submitted, collected and returned what, and when, by the forge's record.

    Staff see the whole course, students their own part. Exit status 1 if a project could not be read.
    """
    from git_exchange.plugin.exchange import Exchange  # nbgrader takes seconds to import

    opened = course_of(configured_here(Exchange, here))
    console = Console()
    with shown(Console(stderr=True)) as listener:
        told = tell(opened, assignment_id, student_id, listener=listener)
    if as_json:
        click.echo(json.dumps([_record(entry) for entry in told.entries], indent=1))
    elif told.entries:
        # A file or a pipe has no width that lines would have to be broken for.
        (console if console.is_terminal else Console(width=250)).print(_table(told.entries))
    else:
        console.print("Nothing has happened yet.")
    if told.failed:
        raise click.exceptions.Exit(1)


def _table(entries: tuple[Entry, ...]) -> Table:
    table = Table("when (UTC)", "who", "what", "assignment", "student", "commit", "known by", "detail")
    for entry in entries:
        cells = (
            f"{entry.at:%Y-%m-%d %H:%M:%S}",
            entry.by,
            entry.what,
            entry.assignment_id,
            entry.student_id,
            entry.commit[:8],
            entry.evidence,
            entry.detail,
        )
        table.add_row(*(escape(display(cell)) for cell in cells), style="dim" if entry.evidence == COMMIT else None)
    return table


def _record(entry: Entry) -> dict[str, str]:
    return {
        "at": times.isoformat(entry.at),
        "what": entry.what,
        "by": entry.by,
        "assignment": entry.assignment_id,
        "student": entry.student_id,
        "commit": entry.commit,
        "evidence": entry.evidence,
        "detail": entry.detail,
    }
