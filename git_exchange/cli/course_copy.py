"""``git-exchange course copy``: start the next term from what the last one released."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from git_exchange.cli.printing import print_report, shown
from git_exchange.cli.settings import Asked, configured, forge_options
from git_exchange.course.course import Course
from git_exchange.errors import ConfigurationError, CourseNotFound, NotAMember, NotStaff
from git_exchange.events import Listener
from git_exchange.files.paths import display
from git_exchange.forge.ports import ForgeAdmin, Visibility
from git_exchange.operations.copy_releases import copy_releases
from git_exchange.provisioning.connection import connected_admin
from git_exchange.provisioning.open_course import RELEASES, open_course


@click.command("copy")
@click.argument("source_id", metavar="FROM")
@click.argument("target_id", metavar="TO")
@click.option("--title", default="", help="Title of the new course, for people.")
@click.option("--assignments", default="", help="Only these, with commas between them; everything that is released.")
@click.option("--release", multiple=True, help="Release this one in TO at once. Can be repeated.")
@click.option("--keep-due-dates", is_flag=True, help="Of what is released at once, keep the due dates of FROM.")
@click.option(
    "--releases", type=click.Choice(sorted(RELEASES)), help="Who can read releases in TO, if it is opened; as in FROM."
)
@click.option(
    "--course-dir",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Course directory of TO; the current folder.",
)
@forge_options
def copy(
    source_id: str,
    target_id: str,
    title: str,
    assignments: str,
    release: tuple[str, ...],
    keep_due_dates: bool,
    releases: str | None,
    course_dir: Path | None,
    url: str | None,
    namespace: str | None,
    kind: str | None,
) -> None:
    """Open the course TO with the assignments that FROM has released: no students, no records, no due dates.

    They are written to release/ASSIGNMENT of TO's course directory, where `nbgrader release_assignment` takes them
    from when it is time: nobody sees them before. What is there already stays. Exit status 1 if one failed.
    """
    if source_id == target_id:
        raise click.UsageError("FROM and TO are the same course.")
    from git_exchange.plugin.exchange import Exchange  # nbgrader takes seconds to import

    exchange = configured(Exchange, Asked(url, namespace, kind), course_dir)
    directory = exchange.coursedir
    if directory.course_id not in ("", target_id):
        raise ConfigurationError(
            f"This is the course directory of {display(directory.course_id)}, not of {display(target_id)}.",
            hint="Run this in the new course's directory, or name that with --course-dir.",
        )
    settings = exchange.settings()
    forge, token = connected_admin(settings)
    console = Console()
    with shown(console) as listener:
        source = Course(settings, source_id, forge, token)
        target = _opened(source, Course(settings, target_id, forge, token), forge, title, releases, listener)
        report = copy_releases(
            source,
            target,
            lambda name: Path(directory.format_path(directory.release_directory, ".", name)).absolute(),
            assignments=[name for name in map(str.strip, assignments.split(",")) if name],
            release=release,
            keep_due_dates=keep_due_dates,
            listener=listener,
        )
    print_report(console, report, f"{display(source_id)} to {display(target_id)}")
    if report.failed:
        raise click.exceptions.Exit(1)


def _opened(
    source: Course, target: Course, forge: ForgeAdmin, title: str, releases: str | None, listener: Listener
) -> Course:
    """Return the target; opened if it is not there, or not complete. Who reads releases in an open course stays."""
    try:
        target.assignments()
        target.staff()
        return target
    except (CourseNotFound, NotAMember, NotStaff):
        private = source.assignments().visibility is Visibility.PRIVATE
        who = releases or ("members" if private else "signed-in")
        open_course(target.settings, forge, target.course_id, title=title, releases=who, listener=listener)
        return target
