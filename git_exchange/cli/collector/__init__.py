"""``git-exchange collector``: webhook-driven collection, one command per file."""

from __future__ import annotations

import click

from git_exchange.cli.collector.check import check
from git_exchange.cli.collector.hooks import hooks
from git_exchange.cli.collector.keys import keys
from git_exchange.cli.collector.serve import serve
from git_exchange.cli.collector.status import dead, status
from git_exchange.cli.collector.work import work


@click.group()
def collector() -> None:
    """Record what students submit seconds after they do, by the forge's webhooks."""


for command in (serve, work, status, dead, keys, hooks, check):
    collector.add_command(command)
