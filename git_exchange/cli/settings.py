"""Where the command line's settings come from: its options, the environment, and the ``nbgrader_config.py`` at hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from git_exchange.errors import ConfigurationError
from git_exchange.settings import KINDS, Settings

_Command = TypeVar("_Command", bound=Callable[..., Any])


@dataclass(frozen=True)
class Asked:
    """What the command line and the environment say, empty where they say nothing."""

    url: str | None
    namespace: str | None
    kind: str | None


def forge_options(command: _Command) -> _Command:
    """Add the options that say which forge is meant."""
    for option in (
        click.option("--kind", type=click.Choice(KINDS), envvar="GIT_EXCHANGE_KIND", help="What the forge is."),
        click.option("--namespace", envvar="GIT_EXCHANGE_NAMESPACE", help="Group below which the courses lie."),
        click.option("--url", envvar="GIT_EXCHANGE_URL", help="Address of the forge."),
    ):
        command = option(command)
    return command


def settings_for(asked: Asked) -> Settings:
    """Return the settings: options and environment first, then ``c.GitExchange`` of the nbgrader configuration here."""
    if asked.url and asked.namespace:
        # nbgrader takes seconds to import, and nothing of its configuration is needed.
        return Settings(url=asked.url, namespace=asked.namespace, kind=asked.kind or "auto")
    exchange = _configured()
    chosen = {"url": asked.url, "namespace": asked.namespace, "kind": asked.kind}
    for trait, value in chosen.items():
        if value:
            setattr(exchange, trait, value)
    if not exchange.url:
        raise ConfigurationError(
            "No forge is configured.",
            hint="Give --url and --namespace, set GIT_EXCHANGE_URL and GIT_EXCHANGE_NAMESPACE, or run this where your"
            " nbgrader_config.py lies.",
        )
    settings: Settings = exchange.settings()
    return settings


def _configured() -> Any:
    """Return an exchange with the traits of the ``nbgrader_config.py`` that nbgrader would read here."""
    from nbgrader.apps.nbgraderapp import NbGraderApp

    from git_exchange.plugin.exchange import Exchange

    app = NbGraderApp()
    app.log_level = "ERROR"
    app.load_config_file()
    return Exchange(config=app.config)
