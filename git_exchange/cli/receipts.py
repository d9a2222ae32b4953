"""``git-exchange receipts``: when attempts count as handed in, and setting another time."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import datetime

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from git_exchange.cli.printing import shown
from git_exchange.cli.settings import Here, configured_here, course_of, course_options
from git_exchange.course.extensions import read_extensions
from git_exchange.course.seats import seats
from git_exchange.events import Event, Progress
from git_exchange.files.paths import display
from git_exchange.operations.readings import named
from git_exchange.operations.receipts import Line, list_receipts
from git_exchange.operations.receipts import amend as amend_receipt
from git_exchange.rules import times
from git_exchange.rules.collect_pins import is_reference

STYLES = {"undecided": "yellow", "not pinned": "yellow", "amended": "cyan", "removed": "dim"}


@click.group()
def receipts() -> None:
    """Show when attempts count as handed in, or set another time. For the course's staff."""


@receipts.command("list")
@click.argument("assignment_id", metavar="ASSIGNMENT")
@click.option("--student", help="Only this student.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: one object an attempt.")
@course_options
def list_(
    assignment_id: str,
    student: str | None,
    as_json: bool,
    here: Here,
) -> None:
    """Show every attempt with its time, and plainly which times are undecided or not pinned.

    Exit status 1 if somebody's attempts could not be read.
    """
    from git_exchange.plugin.collect import ExchangeCollect  # nbgrader takes seconds to import

    exchange = configured_here(ExchangeCollect, here, assignment_id)
    opened = course_of(exchange)
    chosen = seats(opened) if student is None else [named(seats(opened), student)]
    policy = replace(exchange.policy(opened), extensions=read_extensions(opened).of(assignment_id))
    errors = Console(stderr=True)
    failed: list[Event] = []
    with shown(errors) as show:

        def listen(event: Event | Progress) -> None:
            if isinstance(event, Event) and event.level == "error":
                failed.append(event)
            show(event)

        lines = list_receipts(opened, assignment_id, chosen, policy.due_for, listener=listen)
    if as_json:
        click.echo(json.dumps([_record(line) for line in lines], indent=2))
    else:
        _print(Console(), lines, assignment_id)
    if failed:
        raise click.exceptions.Exit(1)


@receipts.command()
@click.argument("assignment_id", metavar="ASSIGNMENT")
@click.argument("student_id", metavar="STUDENT")
@click.option("--attempt", required=True, metavar="N|COMMIT", help="Which attempt, as `receipts list` shows it.")
@click.option(
    "--time", "at", required=True, help="When it counts as handed in: 2026-11-20T23:58:00+01:00, with a zone."
)
@click.option("--reason", required=True, help="Why; kept in the record with your name.")
@course_options
def amend(
    assignment_id: str,
    student_id: str,
    attempt: str,
    at: str,
    reason: str,
    here: Here,
) -> None:
    """Record another time for an attempt. What is on record stays there; the next collect with --update uses it."""
    if not is_reference(attempt):
        raise click.BadParameter("give a number, or seven or more digits of a commit", param_hint="--attempt")
    from git_exchange.plugin.collect import ExchangeCollect  # nbgrader takes seconds to import

    exchange = configured_here(ExchangeCollect, here, assignment_id)
    receipt = amend_receipt(course_of(exchange), assignment_id, student_id, attempt, _moment(at), reason)
    Console().print(
        f"{student_id}'s attempt {attempt} at {assignment_id} counts as handed in {times.timestamp(receipt.time)}."
        f" To see it in nbgrader: git-exchange collect {assignment_id} --update --student {student_id}",
        soft_wrap=True,
        markup=False,
        highlight=False,
    )


def _moment(text: str) -> datetime:
    try:
        return times.parse_iso(text)
    except ValueError as error:
        raise click.BadParameter(
            f"{error}. Write it with seconds and a zone: 2026-11-20T23:58:00+01:00 or 2026-11-20T22:58:00Z",
            param_hint="--time",
        ) from error


def _record(line: Line) -> dict[str, object]:
    return {
        "student_id": line.student_id,
        "attempt": line.number,
        "commit": line.commit,
        "url": line.url,
        "time": times.isoformat(line.time),
        "recorded": times.isoformat(line.recorded),
        "state": line.state,
        "verdict": line.verdict,
        "evidence": line.evidence,
        "pushed_by": line.pushed_by,
        "recorded_by": line.recorded_by,
        "reason": line.reason,
        "chosen_by": line.chosen_by,
    }


def _note(line: Line) -> str:
    chosen = f"collected as chosen by {line.chosen_by}" if line.chosen_by else ""
    return "; ".join(part for part in (line.reason, chosen) if part)


def _print(console: Console, lines: list[Line], assignment_id: str) -> None:
    table = Table("student", "attempt", "commit", "time (UTC)", "", "record", "pushed by", "note", title=assignment_id)
    for line in lines:
        table.add_row(
            escape(display(line.student_id)),
            "" if line.number is None else str(line.number),
            line.commit[:8],
            times.timestamp(line.time).removesuffix(" UTC"),
            line.verdict,
            f"[{STYLES[line.state]}]{line.state}[/]" if line.state in STYLES else line.state,
            escape(display(line.pushed_by)),
            escape(display(_note(line))),
        )
    if lines:
        console.print(table)
    counts = ", ".join(f"{number} {state}" for state, number in Counter(line.state for line in lines).items())
    console.print(f"{len(lines)} attempts{f': {counts}' if counts else ''}", highlight=False)
    if any(line.state == "undecided" for line in lines):
        console.print(
            "Undecided: the push may have come before or after the due date. It counts as on time, and timestamp.txt"
            " gets the due date; `receipts amend` decides.",
            soft_wrap=True,
            highlight=False,
        )
