"""``git-exchange demo``: the whole cycle, checked, on a development server or on a forge of one's own."""

from __future__ import annotations

import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click
from rich.console import Console
from rich.table import Table

from git_exchange.devserver import RunningServer
from git_exchange.errors import ConfigurationError
from git_exchange.forge.detect import detect
from git_exchange.secret import Token
from git_exchange.settings import Settings

if TYPE_CHECKING:  # nbgrader takes seconds to import, and every command of git-exchange imports this file
    from git_exchange.demo.checks import Row
    from git_exchange.demo.cycle import Target


@click.command()
@click.option(
    "--students", type=click.IntRange(3, 50), default=3, show_default=True, help="How many students take part."
)
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    help="Empty or new folder in which everything is left to explore.",
)
@click.option("--forge", help="Address of a GitLab, Gitea or Forgejo to run on, in place of a development server.")
@click.option(
    "--token-file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="File with a site administrator's token for --forge (accounts are made; they and the course stay there).",
)
def demo(students: int, keep: Path | None, forge: str | None, token_file: Path | None) -> None:
    """Run the whole cycle as separate people and check what it claims, on a development server unless --forge is given.

    Exit status 0 only if everything was checked: scores, feedback, times, and that nobody could read another's work.
    """
    from git_exchange.demo.checks import check
    from git_exchange.demo.cycle import Cycle
    from git_exchange.demo.people import DemoFailed

    console = Console()
    if (forge is None) != (token_file is None):
        raise click.UsageError("--forge and --token-file go together")
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        if any(keep.iterdir()):
            raise click.BadParameter(f"{keep} is not empty", param_hint="--keep")
    started = time.monotonic()

    def say(what: str, seconds: float) -> None:
        console.print(f"{seconds:6.1f} s  {what}", highlight=False, markup=False)

    with tempfile.TemporaryDirectory(prefix="git-exchange-demo-") if keep is None else nullcontext(str(keep)) as place:
        folder = Path(place).absolute()
        begun = time.monotonic()
        with _target(folder, forge, token_file) as target:
            say(f"{'development server' if forge is None else target.kind} on {target.url}", time.monotonic() - begun)
            cycle = Cycle(target, folder, students, say)
            try:
                cast = cycle.run()
                with cycle.step("checks: scores, feedback, times, break-ins"):
                    rows = check(cycle, cast)
            except DemoFailed as error:
                console.print(f"The demo failed. {error}", style="red", markup=False, highlight=False)
                raise click.exceptions.Exit(1) from error
        console.print(_table(rows))
        console.print(f"All checked in {time.monotonic() - started:.0f} s.", highlight=False)
        if keep is not None or forge is not None:
            _explore(console, folder, target, kept=keep is not None, own=forge is None)


@contextmanager
def _target(folder: Path, forge: str | None, token_file: Path | None) -> Iterator[Target]:
    from git_exchange.demo.cycle import NAMESPACE, Target

    if forge is None or token_file is None:
        with RunningServer(folder / "server") as server:
            yield Target(server.url, Token(server.admin_token, "the development server"), "gitlab")
        return
    settings = Settings(url=forge, namespace=NAMESPACE)
    try:
        token = Token(token_file.read_text(encoding="utf-8").strip(), f"the file {token_file.name!r}")
    except ValueError as error:
        raise ConfigurationError(f"{error}.".capitalize()) from error
    yield Target(settings.url, token, detect(settings), f"-{secrets.token_hex(3)}")


def _table(rows: list[Row]) -> Table:
    from git_exchange.demo.cycle import COURSE

    table = Table("student", "attempts", title=COURSE)
    table.add_column("commit", no_wrap=True)
    table.add_column("server time (UTC)", no_wrap=True)
    table.add_column("score", no_wrap=True)
    table.add_column("feedback", no_wrap=True)
    for row in rows:
        score = "-" if row.score is None else f"{row.score:g} of {row.max_score:g}"
        moment = row.time.removesuffix("000 UTC") or "-"
        table.add_row(row.student, str(row.attempts), row.commit or "-", moment, score, row.feedback)
    return table


def _explore(console: Console, folder: Path, target: Target, *, kept: bool, own: bool) -> None:
    from git_exchange.demo.cycle import COURSE

    lines = []
    if kept:
        lines += [
            f"Everything is in {folder}:",
            f"  people/ada/work/{COURSE}   the instructor's course directory",
            "  people/<student>/work      each student's folder, with the feedback",
        ]
    if kept and own:
        lines += [
            f"  server/repositories        the git repositories, {target.namespace}/{COURSE}/... on the server",
            "Start the server on it again:",
            f"  git-exchange devserver --port {urlsplit(target.url).port} --state {folder / 'server'}",
        ]
    if not own:
        lines.append(f"The course is {target.namespace}/{COURSE} on {target.url}; it and the accounts stay there.")
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
