"""``git-exchange course``: open a course on the forge, copy it, archive it."""

from __future__ import annotations

import click
from rich.console import Console

from git_exchange.cli.course_archive import archive
from git_exchange.cli.course_copy import copy
from git_exchange.cli.printing import shown
from git_exchange.cli.settings import Asked, forge_options, settings_for
from git_exchange.course.course import Course
from git_exchange.provisioning.connection import connected_admin
from git_exchange.provisioning.open_course import RELEASES, open_course
from git_exchange.provisioning.trial import TEST_STUDENT, make_test_student


@click.group()
def course() -> None:
    """Open a course on the forge, start the next term from it, archive it."""


@course.command()
@click.argument("course_id", metavar="COURSE")
@click.option("--title", default="", help="Title of the course, for people; the id if not given.")
@click.option(
    "--releases",
    type=click.Choice(sorted(RELEASES)),
    default="signed-in",
    show_default=True,
    help="Who can read released assignments: everybody signed in to the forge, or only the course's members, who can"
    " then see each other there.",
)
@click.option(
    "--test-student",
    is_flag=True,
    help=f"Also make a project for a student {TEST_STUDENT!r}, whom staff try the course with.",
)
@forge_options
def create(
    course_id: str,
    title: str,
    releases: str,
    test_student: bool,
    url: str | None,
    namespace: str | None,
    kind: str | None,
) -> None:
    """Create the course's group with its projects, or complete them. Running it again changes nothing."""
    settings = settings_for(Asked(url, namespace, kind))
    console = Console()
    forge, token = connected_admin(settings)
    with shown(console) as listener:
        group = open_course(settings, forge, course_id, title=title, releases=releases, listener=listener)
        if test_student:
            make_test_student(Course(settings, course_id, forge, token), forge, listener=listener)
    for line in (
        f"The course {course_id} is open: {group.web_url}",
        f"To accept this group only: c.GitExchange.group_ids = {{{course_id!r}: {group.id}}}",
    ):
        console.print(line, soft_wrap=True, highlight=False, markup=False)
    if test_student:
        console.print(
            f"To try it as a student: nbgrader submit ASSIGNMENT --student={TEST_STUDENT}",
            soft_wrap=True,
            highlight=False,
        )


course.add_command(archive)
course.add_command(copy)
