"""The options that say where webhooks send to, and with which keys."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from git_exchange.course.hook_keys import read_hook_keys
from git_exchange.errors import ConfigurationError
from git_exchange.operations.hook_state import HookSetup


def hook_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options; the command gets them as one value, ``hooks``, which is None where no webhooks are wanted."""

    @functools.wraps(command)
    def called(*arguments: Any, webhook_url: str | None, webhook_keys: Path | None, **more: Any) -> None:
        command(*arguments, hooks=_setup(webhook_url, webhook_keys), **more)

    for option in (
        click.option(
            "--webhook-keys",
            type=click.Path(path_type=Path, dir_okay=False),
            envvar="GIT_EXCHANGE_WEBHOOK_KEYS",
            help="File with the keys of the webhooks' secrets (git-exchange collector keys new).",
        ),
        click.option(
            "--webhook-url",
            envvar="GIT_EXCHANGE_WEBHOOK_URL",
            help="Where the forge reaches the collector: each student's project gets a webhook that tells it.",
        ),
    ):
        called = option(called)
    return called


def _setup(url: str | None, keys: Path | None) -> HookSetup | None:
    if not url and keys is None:
        return None
    if not url or keys is None:
        raise ConfigurationError(
            f"For webhooks --webhook-{'url' if not url else 'keys'} is missing.",
            hint="Give both, by options or by GIT_EXCHANGE_WEBHOOK_URL and GIT_EXCHANGE_WEBHOOK_KEYS, or neither.",
        )
    return HookSetup(url, read_hook_keys(keys))
