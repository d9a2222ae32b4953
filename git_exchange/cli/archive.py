"""``git-exchange export`` and ``git-exchange verify``: a course as files that need no forge."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from git_exchange.cli.printing import print_report, shown
from git_exchange.cli.settings import Asked, forge_options, settings_for
from git_exchange.course.course import Course
from git_exchange.files.paths import display
from git_exchange.operations import export as exporting
from git_exchange.operations import verify as verifying

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command()
@click.argument("course_id", metavar="COURSE")
@click.argument("folder", metavar="DIR", type=_FOLDER)
@forge_options
def export(course_id: str, folder: Path, url: str | None, namespace: str | None, kind: str | None) -> None:
    """Write every project of the course into DIR, one git bundle each, with an index.

    Run it again to bring an earlier export up to date. Exit status 1 if a project could not be exported.
    """
    course = Course.open(settings_for(Asked(url, namespace, kind)), course_id)
    console = Console()
    with shown(console) as listener:
        done = exporting.export(course, folder, listener=listener)
    print_report(console, done.report, f"Export of {display(course_id)}", expected=("exported",))
    console.print(
        f"SHA-256 of index.json, to be kept elsewhere: {done.checksum}", soft_wrap=True, highlight=False, markup=False
    )
    if done.report.failed:
        raise click.exceptions.Exit(1)


@click.command()
@click.argument("folder", metavar="DIR", type=_FOLDER)
@click.option("--checksum", default="", help="SHA-256 of index.json as the export printed it; finds a forged index.")
def verify(folder: Path, checksum: str) -> None:
    """Check an export without a network: checksums, branches, and every object of every bundle.

    Exit status 1 if something is missing, damaged, changed or does not belong there.
    """
    console = Console()
    with shown(console) as listener:
        done = verifying.verify(folder, expected=checksum, listener=listener)
    index = done.index
    said = (
        f"{display(index.course_id)} of {display(index.forge)}, exported {index.at:%Y-%m-%d %H:%M} UTC"
        f" by {display(index.by)} with git-exchange {display(index.tool)}"
    )
    console.print(said, soft_wrap=True, highlight=False, markup=False)
    print_report(console, done.report, "Verified", expected=("ok",))
    if done.report.failed:
        raise click.exceptions.Exit(1)
