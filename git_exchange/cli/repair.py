"""``git-exchange repair``: let a student submit again who has put a branch in the way."""

from __future__ import annotations

import click
from rich.console import Console

from git_exchange.cli.printing import print_report, shown
from git_exchange.cli.settings import Here, configured_here, course_of, course_options
from git_exchange.course.course import Course
from git_exchange.operations.repair import repair as put_aside
from git_exchange.provisioning.connection import connected_admin


@click.command()
@click.argument("assignment_id", metavar="ASSIGNMENT")
@click.argument("student_id", metavar="STUDENT")
@course_options
def repair(
    assignment_id: str,
    student_id: str,
    here: Here,
) -> None:
    """Let a student submit again who has pushed a branch like submit/ASSIGNMENT/x, which is in the way.

    The branch is moved to archive/, where its commits stay; nothing is lost. For instructors.
    """
    from git_exchange.plugin.exchange import Exchange  # nbgrader takes seconds to import

    named = course_of(configured_here(Exchange, here))
    forge, token = connected_admin(named.settings)
    opened = Course(named.settings, named.course_id, forge, token)
    console = Console()
    with shown(console) as listener:
        report = put_aside(opened, forge, assignment_id, student_id, listener=listener)
    print_report(console, report, "repair")
