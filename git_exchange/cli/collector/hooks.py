"""``git-exchange collector hooks``: look at the webhooks of the collector's courses, and put them right."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from git_exchange.cli.collector.options import config_option
from git_exchange.cli.printing import print_report, shown
from git_exchange.collector.config import read_config
from git_exchange.course.course import Course
from git_exchange.course.hook_keys import read_hook_keys
from git_exchange.files.paths import display
from git_exchange.operations.hook_state import HookSetup, repair_hooks


@click.command()
@config_option
def hooks(path: Path) -> None:
    """Install the webhooks that are missing, and those anew that are disabled, were changed or have an older key.

    It reads the webhook of every student's project of the collector's courses, one request each: for cron, once a
    day. It needs the token of the collector's account (GIT_EXCHANGE_TOKEN_FILE).
    """
    config = read_config(path)
    setup = HookSetup(config.hooks.public_url, read_hook_keys(config.hooks.keys_file))
    console, failed = Console(), False
    for course_id in config.courses:
        with shown(console) as listener:
            report = repair_hooks(Course.open(config.settings, course_id), setup, listener=listener)
        print_report(console, report, f"Webhooks of {display(course_id)}")
        failed |= bool(report.failed)
    if failed:
        raise click.exceptions.Exit(1)
