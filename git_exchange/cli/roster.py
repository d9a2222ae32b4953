"""``git-exchange roster``: bring the people of a course onto the forge."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from git_exchange.cli.printing import print_report, shown
from git_exchange.cli.settings import Asked, forge_options, settings_for
from git_exchange.course.course import Course
from git_exchange.provisioning.apply import apply_roster
from git_exchange.provisioning.connection import connected_admin
from git_exchange.provisioning.sources.csv_file import read_csv


@click.group()
def roster() -> None:
    """Bring the people of a course onto the forge."""


@roster.command()
@click.argument("course_id", metavar="COURSE")
@click.option(
    "--from",
    "source",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="CSV file: student_id,first_name,last_name,email,role[,username]. Roles: student, grader, instructor.",
)
@forge_options
def apply(course_id: str, source: Path, url: str | None, namespace: str | None, kind: str | None) -> None:
    """Give every student a protected project and the staff their roles. Running it again changes nothing.

    Exit status 1 if somebody could not be done; everybody else is done all the same.
    """
    people = read_csv(source)
    settings = settings_for(Asked(url, namespace, kind))
    console = Console()
    forge, token = connected_admin(settings)
    with shown(console) as listener:
        report = apply_roster(Course(settings, course_id, forge, token), forge, people, listener=listener)
    print_report(console, report, f"Roster of {course_id}")
    if report.failed:
        raise click.exceptions.Exit(1)
