"""``git-exchange collector keys``: the keys of webhooks' secrets, and changing them while deliveries go on."""

from __future__ import annotations

from pathlib import Path

import click

from git_exchange.cli.settings import Asked, forge_options, settings_for
from git_exchange.collector.config import read_config
from git_exchange.course.course import Course
from git_exchange.course.hook_keys import HookKeys, drop_old_hook_keys, new_hook_key, read_hook_keys
from git_exchange.errors import ConfigurationError
from git_exchange.operations.hook_state import check_moved
from git_exchange.settings import Settings

_FILE = click.argument("file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))


@click.group()
def keys() -> None:
    """Make, show and drop keys of webhooks. A key itself is never shown."""


@keys.command()
@_FILE
def new(file: Path) -> None:
    """Put a new key first in FILE, which is made if need be; the older ones stay valid.

    `roster apply` then moves the webhooks to it, and `keys drop` ends the older ones.
    """
    made = new_hook_key(file)
    _print(made)
    if len(made.keys) > 1:
        click.echo("Next: git-exchange roster apply for each course, then git-exchange collector keys drop.")


@keys.command()
@_FILE
def show(file: Path) -> None:
    """Name the keys in FILE by their fingerprints, the newest first."""
    _print(read_hook_keys(file))


@keys.command()
@_FILE
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The collector's configuration, which names its courses and the forge.",
)
@click.option("--course", "courses", multiple=True, metavar="COURSE", help="A course whose webhooks have these keys.")
@click.option(
    "--force", is_flag=True, help="Drop them whatever webhooks have; the receiver refuses those from then on."
)
@forge_options
def drop(
    file: Path,
    config: Path | None,
    courses: tuple[str, ...],
    force: bool,
    url: str | None,
    namespace: str | None,
    kind: str | None,
) -> None:
    """Keep only the newest key in FILE, if no webhook on record has an older one."""
    present = read_hook_keys(file)
    if len(present.keys) > 1 and not force:
        settings, named = _courses(config, courses, Asked(url, namespace, kind))
        for course_id in named:
            check_moved(Course.open(settings, course_id), present.fingerprints[0])
    _print(drop_old_hook_keys(file))


def _courses(config: Path | None, courses: tuple[str, ...], asked: Asked) -> tuple[Settings, tuple[str, ...]]:
    """Return the forge and the courses that have to be looked at. Raise ConfigurationError if none is named."""
    if config is not None:
        said = read_config(config)
        return said.settings, (*said.courses, *courses)
    if not courses:
        raise ConfigurationError(
            "Which courses have webhooks with these keys is not known.",
            hint="Name the collector's configuration (--config) or each course (--course), or give --force.",
        )
    return settings_for(asked), courses


def _print(keys: HookKeys) -> None:
    for number, fingerprint in enumerate(keys.fingerprints):
        click.echo(f"{fingerprint}  {'installed by roster apply, accepted' if number == 0 else 'accepted'}")
