"""``git-exchange course archive``: the end of a term, in one command that can be run again."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from git_exchange.cli.printing import print_report, shown
from git_exchange.cli.settings import Asked, forge_options, settings_for
from git_exchange.course.course import Course
from git_exchange.errors import Incomplete
from git_exchange.files.paths import display
from git_exchange.operations.export import export, projects_of
from git_exchange.operations.freeze import freeze, reopen
from git_exchange.operations.verify import verify
from git_exchange.provisioning.connection import connected_admin
from git_exchange.report import Report


@click.command()
@click.argument("course_id", metavar="COURSE")
@click.option("--to", "folder", type=click.Path(path_type=Path, file_okay=False), help="Folder for the export.")
@click.option("--no-export", is_flag=True, help="Archive without an export.")
@click.option("--undo", is_flag=True, help="Make everything writable again.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@forge_options
def archive(
    course_id: str,
    folder: Path | None,
    no_export: bool,
    undo: bool,
    yes: bool,
    url: str | None,
    namespace: str | None,
    kind: str | None,
) -> None:
    """Export the course, verify the export, and make every project read-only. Who could read goes on reading.

    Nothing is archived unless the export is complete and sound. Run it again after a failure: it goes on where it
    stopped. Exit status 1 if something could not be done.
    """
    if undo and (folder or no_export):
        raise click.UsageError("--undo takes neither --to nor --no-export.")
    if not undo and (folder is None) != no_export:
        raise click.UsageError("Name a folder for the export with --to DIR, or say --no-export.")
    settings = settings_for(Asked(url, namespace, kind))
    forge, token = connected_admin(settings)
    course = Course(settings, course_id, forge, token)
    console = Console()
    shown_id = display(course_id)
    if undo:
        with shown(console) as listener:
            report = reopen(course, forge, listener=listener)
        _end(console, report, f"Reopened {shown_id}", "reopened")
        return
    course.staff()
    if not yes:
        number = len(projects_of(course)[0])
        click.confirm(f"Make the {number} projects of {shown_id} read-only for everybody?", abort=True)
    if folder is not None:
        _export(console, course, folder)
    with shown(console) as listener:
        report = freeze(course, forge, listener=listener)
    if folder is not None:
        # What was pushed between the export and the freezing; where nothing was, it costs one look at each project.
        _export(console, Course(settings, course_id, forge, token), folder, again=True)
    _end(console, report, f"Archive of {shown_id}", "archived")


def _export(console: Console, course: Course, folder: Path, *, again: bool = False) -> None:
    """Export and verify. Raise Incomplete, after naming what failed."""
    with shown(console) as listener:
        done = export(course, folder, listener=listener)
        checked = None
        if not done.report.failed and not (again and "exported" not in done.report.counts):
            checked = verify(folder, expected=done.checksum, listener=listener)
    if not again or done.report.failed or checked is not None:
        print_report(console, done.report, "Export", expected=("exported",))
    if checked is not None:
        print_report(console, checked.report, "Verified", expected=("ok",))
    if done.report.failed or (checked is not None and checked.report.failed):
        frozen = "The course is archived, but its last changes are not exported." if again else "Nothing was archived."
        raise Incomplete(
            f"The export is not complete. {frozen}",
            hint="See to what is named above and run it again; --no-export archives without one.",
        )
    if again:
        _line(console, f"SHA-256 of index.json, to be kept elsewhere: {done.checksum}")


def _end(console: Console, report: Report, title: str, word: str) -> None:
    print_report(console, report, title, expected=(word,))
    if report.failed:
        _line(console, "Not everything was done. On GitLab archiving takes an Owner of the course's group.")
        raise click.exceptions.Exit(1)


def _line(console: Console, text: str) -> None:
    console.print(text, soft_wrap=True, highlight=False, markup=False)
