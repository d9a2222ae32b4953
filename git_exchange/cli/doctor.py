"""``git-exchange doctor``: what works and what does not, each with a hint."""

from __future__ import annotations

import click
from rich.console import Console
from rich.markup import escape

from git_exchange.cli.hooks import hook_options
from git_exchange.cli.settings import Asked, forge_options, settings_for
from git_exchange.operations.doctor import examine
from git_exchange.operations.hook_state import HookSetup

MARKS = {"ok": "[green]ok     [/green]", "warning": "[yellow]warning[/yellow]", "failed": "[red]FAILED [/red]"}


@click.command()
@click.argument("course_id", metavar="[COURSE]", required=False)
@hook_options
@forge_options
def doctor(
    course_id: str | None, hooks: HookSetup | None, url: str | None, namespace: str | None, kind: str | None
) -> None:
    """Check git, the forge, your token and, if one is named, the course. Changes nothing.

    Exit status 1 if something that is needed does not work.
    """
    console = Console()
    failed = False
    for check in examine(settings_for(Asked(url, namespace, kind)), course_id, hooks):
        failed |= check.state == "failed"
        console.print(
            f"{MARKS[check.state]} {escape(check.name)}: {escape(check.detail)}", soft_wrap=True, highlight=False
        )
        if check.hint:
            console.print(f"        {escape(check.hint)}", soft_wrap=True, highlight=False)
    if failed:
        raise click.exceptions.Exit(1)
