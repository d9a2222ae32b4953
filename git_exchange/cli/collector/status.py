"""``git-exchange collector status`` and ``collector dead``: how the inbox is, and what needs a person."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import click
from rich.console import Console

from git_exchange.cli.collector.options import config_option
from git_exchange.collector.config import read_config
from git_exchange.errors import ConfigurationError
from git_exchange.files.paths import display
from git_exchange.rules import times


@click.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON, times in UTC.")
def status(path: Path, as_json: bool) -> None:
    """Show what was received and recorded, what waits, what is dead, and when the last sweep and hooks were.

    Exit status 1 if something needs a person: dead letters, a course that was not swept for long, or one whose sweep
    fails.
    """
    from git_exchange.collector.health import Health, health
    from git_exchange.collector.inbox import Inbox

    config = read_config(path)
    inbox = Inbox.open(config.storage.database)
    try:
        found: Health = health(config, inbox)
    finally:
        inbox.close()
    if as_json:
        click.echo(json.dumps({**asdict(found), "ok": not found.troubles}, indent=2, default=_iso))
    else:
        _print(found)
    if found.troubles:
        raise click.exceptions.Exit(1)


@click.command()
@config_option
@click.option("--retry", multiple=True, metavar="KEY", help="Try this one again; may be given several times.")
@click.option("--all", "everything", is_flag=True, help="Try all of them again.")
def dead(path: Path, retry: tuple[str, ...], everything: bool) -> None:
    """List what failed too often to be tried again by itself, with the reason; or try it again."""
    from git_exchange.collector.inbox import Inbox

    config = read_config(path)
    inbox = Inbox.open(config.storage.database)
    console = Console()
    try:
        if retry or everything:
            revived = inbox.revive(None if everything else retry)
            if retry and revived < len(set(retry)) and not everything:
                raise ConfigurationError(
                    f"{len(set(retry)) - revived} of these keys are no dead letters.",
                    hint="git-exchange collector dead lists them with their keys.",
                )
            console.print(f"{revived} are tried again.")
            return
        letters = inbox.dead()
    finally:
        inbox.close()
    for letter in letters:
        where = f"{display(letter.course_id)} project {letter.project_id} {display(letter.ref)}"
        lines = (
            display(letter.delivery),
            f"  {where}, received {letter.received:%Y-%m-%d %H:%M:%S} UTC, tried {letter.tries} times",
            f"  {display(letter.reason)}",
        )
        for line in lines:
            console.print(line, soft_wrap=True, markup=False, highlight=False)
    if not letters:
        console.print("There are none.")


def _print(found: object) -> None:
    from git_exchange.collector.health import Health

    assert isinstance(found, Health)  # noqa: S101 - the type's import is late
    console = Console()

    def say(line: str, style: str = "") -> None:
        console.print(line, style=style, soft_wrap=True, markup=False, highlight=False)

    for course in found.courses:
        say(display(course.course_id), "bold")
        say(f"  received    {course.received}")
        say(f"  recorded    {course.recorded}")
        say(f"  waiting     {course.waiting}{_since(course.oldest_waiting)}")
        say(f"  dead        {course.dead}")
        say(f"  last sweep  {_at(course.last_sweep)}")
        say(f"  last hook   {_at(course.last_hook)}")
        for note in course.notes:
            say(f"  {display(note)}")
    for trouble in found.troubles:
        say(display(trouble), "red")


def _since(seconds: float | None) -> str:
    return "" if seconds is None else f", the oldest for {seconds:.0f} s"


def _at(moment: datetime | None) -> str:
    return "never" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _iso(value: object) -> str:
    assert isinstance(value, datetime)  # noqa: S101 - nothing else needs a word
    return times.isoformat(value)
