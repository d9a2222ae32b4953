"""``git-exchange config``: write an nbgrader_config.py, or explain every option."""

from __future__ import annotations

from pathlib import Path

import click

from git_exchange.cli.settings import forge_options
from git_exchange.errors import ConfigurationError
from git_exchange.files.replace import write_file


@click.command()
@click.option(
    "--role",
    type=click.Choice(("instructor", "student")),
    default="instructor",
    show_default=True,
    help="For whom: the course's staff, or a student.",
)
@click.option("--course", "course_id", metavar="COURSE", help="The course; a student may have several and name none.")
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file; else it is printed."
)
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
@click.option("--help-all", is_flag=True, help="Explain every option of git-exchange, and write nothing.")
@forge_options
def config(
    role: str,
    course_id: str | None,
    output: Path | None,
    force: bool,
    help_all: bool,
    url: str | None,
    namespace: str | None,
    kind: str | None,
) -> None:
    """Write a commented nbgrader_config.py that works as it is, or explain every option."""
    # nbgrader takes a second to import.
    from git_exchange.plugin.configuration import Wanted, written
    from git_exchange.plugin.options import explained

    if help_all:
        click.echo(explained())
        return
    wanted = Wanted(role, url, namespace, kind, course_id)
    text = written(wanted)
    if output is None:
        click.echo(text, nl=False)
    else:
        if output.exists() and not force:
            raise ConfigurationError(
                f"{output.name} exists.", hint="Give --force to replace it, or another name and compare the two."
            )
        write_file(output, [text.encode()])
        click.echo(f"Written: {output}", err=True)
    if wanted.missing():
        click.echo(f"Fill in what is marked, or run this with {', '.join(wanted.missing())}.", err=True)
