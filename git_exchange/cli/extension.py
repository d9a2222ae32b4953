"""``git-exchange extension``: more time for some students."""

from __future__ import annotations

import json

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from git_exchange.cli.printing import print_report, shown
from git_exchange.cli.settings import Asked, forge_options, settings_for
from git_exchange.course.course import Course
from git_exchange.course.extensions import read_extensions
from git_exchange.files.paths import display
from git_exchange.operations.extend import extend, take_back
from git_exchange.rules import times
from git_exchange.rules.until import in_zone, parse_until


@click.group()
def extension() -> None:
    """Give students more time for an assignment."""


@extension.command("set")
@click.argument("course_id", metavar="COURSE")
@click.argument("assignment_id", metavar="ASSIGNMENT")
@click.argument("student_ids", metavar="STUDENT...", nargs=-1, required=True)
@click.argument("until", metavar="UNTIL")
@click.option("--reason", default="", help="Why, for the staff: it stands in extensions.csv and in the commit.")
@click.option("--timezone", "zone", help="Zone of an UNTIL that names none, for example Europe/Zurich or +01:00.")
@forge_options
def set_(
    course_id: str,
    assignment_id: str,
    student_ids: tuple[str, ...],
    until: str,
    reason: str,
    zone: str | None,
    url: str | None,
    namespace: str | None,
    kind: str | None,
) -> None:
    """Let the students hand in until UNTIL, in place of an earlier extension.

    UNTIL is a time with its zone: 2026-11-21T18:00+01:00, 2026-11-21T17:00Z or "2026-11-21 18:00 Europe/Zurich".
    """
    try:
        moment = parse_until(until, zone)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="UNTIL") from error
    course = Course.open(settings_for(Asked(url, namespace, kind)), course_id)
    console = Console()
    with shown(console) as listener:
        report = extend(course, assignment_id, list(dict.fromkeys(student_ids)), moment, reason, listener=listener)
    print_report(console, report, f"{escape(display(assignment_id))} until {in_zone(moment)}")


@extension.command()
@click.argument("course_id", metavar="COURSE")
@click.argument("assignment_id", metavar="ASSIGNMENT")
@click.argument("student_ids", metavar="STUDENT...", nargs=-1, required=True)
@forge_options
def remove(
    course_id: str,
    assignment_id: str,
    student_ids: tuple[str, ...],
    url: str | None,
    namespace: str | None,
    kind: str | None,
) -> None:
    """Take extensions back: the assignment's due date holds for the students again."""
    course = Course.open(settings_for(Asked(url, namespace, kind)), course_id)
    report = take_back(course, assignment_id, list(dict.fromkeys(student_ids)))
    print_report(Console(), report, f"Extensions of {escape(display(assignment_id))}")


@extension.command("list")
@click.argument("course_id", metavar="COURSE")
@click.argument("assignment_id", metavar="[ASSIGNMENT]", required=False)
@click.option("--student", "student_id", help="Only this student's.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, times in UTC.")
@forge_options
def list_(
    course_id: str,
    assignment_id: str | None,
    student_id: str | None,
    as_json: bool,
    url: str | None,
    namespace: str | None,
    kind: str | None,
) -> None:
    """Show who has more time, until when, why, and who granted it."""
    course = Course.open(settings_for(Asked(url, namespace, kind)), course_id)
    found = [
        one
        for one in read_extensions(course).granted
        if assignment_id in (None, one.assignment_id) and student_id in (None, one.student_id)
    ]
    if as_json:
        said = [
            {
                "assignment_id": one.assignment_id,
                "student_id": one.student_id,
                "until": times.isoformat(one.until),
                "reason": one.reason,
                "granted_by": one.granted_by,
            }
            for one in found
        ]
        click.echo(json.dumps(said, indent=2))
        return
    table = Table("assignment", "student", "until", "reason", "granted by")
    for one in found:
        texts = (one.assignment_id, one.student_id, in_zone(one.until), one.reason, one.granted_by)
        table.add_row(*(escape(display(text)) for text in texts))
    console = Console()
    console.print(table if found else "Nobody has an extension.")
