"""``git-exchange collector work``: record what the inbox holds, and sweep."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from git_exchange.cli.collector.check import say_rules
from git_exchange.cli.collector.options import config_option
from git_exchange.collector.config import CollectorConfig, read_config
from git_exchange.errors import ConfigurationError, Incomplete
from git_exchange.files.paths import display

if TYPE_CHECKING:
    from git_exchange.collector.running import Once


@click.command()
@config_option
@click.option("--once", is_flag=True, help="Sweep, do what is due, and end: for cron.")
def work(path: Path, once: bool) -> None:
    """Record what was submitted, with its time: what hooks announced, and what the sweep finds.

    It needs the token of the collector's account (GIT_EXCHANGE_TOKEN_FILE). SIGTERM ends it in good order. With --once
    the exit status is 1 if a course could not be swept.
    """
    config = read_config(path)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        _work(config, path, once=once)
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"The collector needs {error.name}, which is not installed.", hint="pip install 'git-exchange[collector]'"
        ) from error


def _work(config: CollectorConfig, path: Path, *, once: bool) -> None:
    from git_exchange.collector.running import work as run
    from git_exchange.collector.running import work_once

    if not config.collect:
        if once:
            _say(work_once(config))
        else:
            run(config)
        return
    from git_exchange.cli.collector.collecting import collecting  # nbgrader takes seconds to import

    say_rules(config, path, Console(stderr=True))
    with collecting(config, path, once=once) as following:
        if once:
            _say(work_once(config, [following]))
        else:
            run(config, [following])


def _say(done: Once) -> None:
    click.echo(f"{done.jobs} jobs done.")
    if done.unswept:
        raise Incomplete(
            f"Could not be swept: {', '.join(map(display, done.unswept))}.",
            hint="The messages above say why. The next run looks again at everything.",
        )
