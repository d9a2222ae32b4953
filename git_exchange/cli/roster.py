"""``git-exchange roster``: bring the people of a course onto the forge."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from git_exchange.cli.printing import print_report, shown
from git_exchange.cli.settings import Asked, forge_options, gradebook_of, settings_for
from git_exchange.course.course import Course
from git_exchange.operations.name_students import name_students
from git_exchange.provisioning.apply import apply_roster, names_in
from git_exchange.provisioning.connection import connected_admin
from git_exchange.provisioning.sources.csv_file import read_csv
from git_exchange.provisioning.sources.gradebook import read_gradebook

GRADEBOOK = "gradebook"


@click.group()
def roster() -> None:
    """Bring the people of a course onto the forge."""


@roster.command()
@click.argument("course_id", metavar="COURSE")
@click.option(
    "--from",
    "source",
    required=True,
    metavar="FILE|gradebook",
    type=click.Path(path_type=Path, dir_okay=False),
    help="CSV file: student_id,first_name,last_name,email,lms_user_id,role,username. Roles: student, grader,"
    ' instructor. Or the word "gradebook": the students of the gradebook here (a file of that name is ./gradebook).',
)
@click.option("--gradebook", "into_gradebook", is_flag=True, help="Add the students to the gradebook here, with names.")
@click.option(
    "--names/--no-names", default=True, show_default=True, help="Whether to record names in the staff project."
)
@forge_options
def apply(
    course_id: str,
    source: Path,
    into_gradebook: bool,
    names: bool,
    url: str | None,
    namespace: str | None,
    kind: str | None,
) -> None:
    """Give every student a protected project and the staff their roles. Running it again changes nothing.

    Exit status 1 if somebody could not be done; everybody else is done all the same.
    """
    asked = Asked(url, namespace, kind)
    settings = settings_for(asked)
    from_gradebook = source == Path(GRADEBOOK)
    book = gradebook_of(asked, course_id) if from_gradebook or into_gradebook else None
    people = read_gradebook(book) if from_gradebook and book is not None else read_csv(source)
    console = Console()
    forge, token = connected_admin(settings)
    course = Course(settings, course_id, forge, token)
    with shown(console) as listener:
        report = apply_roster(course, forge, people, names=names, listener=listener)
    print_report(console, report, f"Roster of {course_id}")
    if into_gradebook and book is not None:
        said = {one.student_id: one for one in names_in(people)}
        number = name_students(book, said, said)
        console.print(f"Gradebook: {number} of {len(said)} students added or named", soft_wrap=True, highlight=False)
    if report.failed:
        raise click.exceptions.Exit(1)
