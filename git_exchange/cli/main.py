"""The command ``git-exchange``: puts the groups together and turns our errors into one line and an exit status."""

from __future__ import annotations

import sys

import click

from git_exchange import __version__
from git_exchange.cli.archive import export, verify
from git_exchange.cli.collect import collect
from git_exchange.cli.collector import collector
from git_exchange.cli.config import config
from git_exchange.cli.course import course
from git_exchange.cli.demo import demo
from git_exchange.cli.devserver import devserver
from git_exchange.cli.doctor import doctor
from git_exchange.cli.extension import extension
from git_exchange.cli.feedback import feedback
from git_exchange.cli.grades import grades
from git_exchange.cli.history import history
from git_exchange.cli.lti import lti
from git_exchange.cli.receipts import receipts
from git_exchange.cli.release import release
from git_exchange.cli.repair import repair
from git_exchange.cli.restore import restore
from git_exchange.cli.roster import roster
from git_exchange.cli.scheduled import scheduled
from git_exchange.cli.status import status
from git_exchange.cli.update import update
from git_exchange.errors import GitExchangeError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="git-exchange")
def cli() -> None:
    """Run nbgrader's exchange on a Git forge.

    Releasing, fetching, submitting, collecting and feedback are nbgrader's own commands; here is what comes before
    (courses and rosters) and what helps (demo, doctor).
    """


for command in (
    config,
    course,
    roster,
    lti,
    extension,
    status,
    update,
    collect,
    collector,
    grades,
    receipts,
    restore,
    repair,
    doctor,
    history,
    release,
    feedback,
    scheduled,
    export,
    verify,
    demo,
    devserver,
):
    cli.add_command(command)


def main() -> None:
    """Run the command line; exit status 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    try:
        sys.exit(cli.main(standalone_mode=False) or 0)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except GitExchangeError as error:
        click.echo(f"Error: {error.message}", err=True)
        if error.hint:
            click.echo(f"       {error.hint}", err=True)
        sys.exit(1)
    except OSError as error:
        click.echo(f"Error: This machine's file system failed: {error.strerror or error}.", err=True)
        click.echo("       Check the permissions and the room that is left there, and run it again.", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
