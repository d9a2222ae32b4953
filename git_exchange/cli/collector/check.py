"""``git-exchange collector check``: say whether every ``[[collect]]`` rule would be carried out."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from git_exchange.cli.collector.options import config_option
from git_exchange.collector.config import CollectorConfig, CollectRule, read_config
from git_exchange.files.paths import display


@click.command()
@config_option
def check(path: Path) -> None:
    """Say which rules of the configuration would be carried out, and which would be refused and why.

    Run it as the user, and on the machine, of `git-exchange collector work`. Exit status 1 if one would be refused.
    """
    config = read_config(path)
    if not config.collect:
        click.echo("There is no [[collect]] rule: submissions are recorded, and nothing else.")
    if say_rules(config, path, Console()):
        raise click.exceptions.Exit(1)


def say_rules(config: CollectorConfig, path: Path, console: Console) -> int:
    """Print what would become of each rule, and return how many would be refused."""
    from git_exchange.cli.collector.collecting import verdicts

    refused = 0
    for rule, error in verdicts(config, path):
        style = "" if error is None else "yellow"
        said = _does(rule) if error is None else f"refused. {error}"
        line = f"{display(rule.course)} {', '.join(map(display, rule.assignments))}: {said}"
        console.print(line, style=style, soft_wrap=True, highlight=False, markup=False)
        refused += error is not None
    return refused


def _does(rule: CollectRule) -> str:
    collected = f"collected into {rule.course_dir}"
    if not rule.on_submission:
        return f"{collected}."
    whom = f"as the user {rule.run_as}" if rule.run_as else f"in a container of {rule.container}"
    return f"{collected}, then {display(rule.on_submission[0])} is run {whom} for {rule.seconds:.0f} seconds at most."
