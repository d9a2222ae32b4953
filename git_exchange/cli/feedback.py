"""``git-exchange feedback``: a group that holds ``purge``."""

from __future__ import annotations

import click

from git_exchange.cli.purge import purge_feedback


@click.group()
def feedback() -> None:
    """Take back feedback that must not be seen."""


feedback.add_command(purge_feedback, "purge")
