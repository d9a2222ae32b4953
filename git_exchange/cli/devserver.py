"""``git-exchange devserver``: the development server alone, until it is interrupted."""

from __future__ import annotations

from pathlib import Path

import click

from git_exchange.devserver import serve
from git_exchange.devserver.repositories import GitMissingError
from git_exchange.devserver.server import TOKEN_FILE, StateInUseError


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Loopback address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, show_default=True, help="Port; 0 takes a free one.")
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder in which everything is kept; without it, a temporary one that is removed at the end.",
)
def devserver(host: str, port: int, state: Path | None) -> None:
    """Start a GitLab look-alike on this machine, to try things out. It is no production server.

    It prints its address and an administrator's token, and runs until it is interrupted.
    """

    def announce(url: str, token: str) -> None:
        click.echo(f"The development server is on {url}")
        click.echo(f"Administrator: root, token {token}")
        if state is not None:
            click.echo(f"The token is also in {state / TOKEN_FILE}.")
        click.echo("Use it, for example:")
        click.echo(f'  curl --header "PRIVATE-TOKEN: {token}" {url}/api/v4/user')
        click.echo("  git clone <the project's http_url_to_repo>   (any user name, the token as password)")
        click.echo("Ctrl-C ends it.")

    try:
        serve(host, port, state, announce=announce)
    except (ValueError, OSError, GitMissingError, StateInUseError) as error:
        raise click.ClickException(str(error)) from error
