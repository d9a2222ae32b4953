"""``git-exchange update``: a newer version of an assignment, beside the student's own work."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from git_exchange.cli.printing import shown
from git_exchange.cli.settings import Asked, configured, course_of, forge_options
from git_exchange.course.releases import find_release
from git_exchange.files.paths import display
from git_exchange.operations.update import Updated
from git_exchange.operations.update import update as update_folder
from git_exchange.rules.until import in_zone


@click.command()
@click.argument("assignment_id", metavar="ASSIGNMENT")
@click.option("--course", default="", help="Id of the course; what the nbgrader_config.py says.")
@forge_options
def update(assignment_id: str, course: str, url: str | None, namespace: str | None, kind: str | None) -> None:
    """Bring a newer version of a fetched assignment into its folder, without touching your work.

    Files that you did not change are replaced, new ones come. Where you changed a file, the newer one is put beside it.
    """
    from git_exchange.plugin.exchange import Exchange  # nbgrader takes seconds to import

    exchange = configured(Exchange, Asked(url, namespace, kind), None, course, assignment_id)
    opened = course_of(exchange)
    console = Console()
    release = find_release(opened, assignment_id)
    folder: Path = exchange.assignment_path(assignment_id)
    with shown(console) as listener:
        updated = update_folder(
            opened, release, folder, ignore_patterns=tuple(exchange.coursedir.ignore), listener=listener
        )
    for line in _lines(assignment_id, updated):
        console.print(line, soft_wrap=True, highlight=False, markup=False)
    if updated.refused:
        raise click.exceptions.Exit(1)


def _lines(assignment_id: str, updated: Updated) -> list[str]:
    lines = [f"New: {display(path)}" for path in updated.added]
    lines += [f"Updated: {display(path)}" for path in updated.replaced]
    lines += [
        f"Yours, kept: {display(path)}. The newer one is {display(copy)}; it is not submitted."
        for path, copy in updated.beside
    ]
    what = f"{display(assignment_id)} (the version of {in_zone(updated.released)})"
    lines.append(f"Updated {what}." if lines or updated.refused else f"You have the newest version of {what}.")
    if updated.left:
        names = ", ".join(display(path) for path in updated.left)
        lines.append(f"No longer part of it, and still in your folder: {names}")
    return lines
