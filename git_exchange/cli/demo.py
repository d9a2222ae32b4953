"""``git-exchange demo``: the whole cycle on a development server, checked."""

from __future__ import annotations

import tempfile
import time
from contextlib import nullcontext
from pathlib import Path
from urllib.parse import urlsplit

import click
from rich.console import Console
from rich.table import Table

from git_exchange.demo.checks import Row, check
from git_exchange.demo.cycle import COURSE, NAMESPACE, Cycle, Target
from git_exchange.demo.people import DemoFailed
from git_exchange.devserver import RunningServer
from git_exchange.secret import Token


@click.command()
@click.option(
    "--students", type=click.IntRange(3, 50), default=3, show_default=True, help="How many students take part."
)
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    help="Empty or new folder in which everything is left to explore.",
)
def demo(students: int, keep: Path | None) -> None:
    """Run the whole cycle as separate people on a development server, and check what it claims.

    Exit status 0 only if everything was checked: scores, feedback, times, and that nobody could read another's work.
    """
    console = Console()
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
        with RunningServer(folder / "server") as server:
            say(f"development server on {server.url}", time.monotonic() - begun)
            cycle = Cycle(Target(server.url, Token(server.admin_token)), folder, students, say)
            try:
                cast = cycle.run()
                with cycle.step("checks: scores, feedback, times, break-ins"):
                    rows = check(cycle, cast)
            except DemoFailed as error:
                console.print(f"The demo failed. {error}", style="red", markup=False, highlight=False)
                raise click.exceptions.Exit(1) from error
        console.print(_table(rows))
        console.print(f"All checked in {time.monotonic() - started:.0f} s.", highlight=False)
        if keep is not None:
            _explore(console, folder, server.url)


def _table(rows: list[Row]) -> Table:
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


def _explore(console: Console, folder: Path, url: str) -> None:
    lines = (
        f"Everything is in {folder}:",
        f"  people/ada/work/{COURSE}   the instructor's course directory",
        "  people/<student>/work      each student's folder, with the feedback",
        f"  server/repositories        the git repositories, as {NAMESPACE}/{COURSE}/... on the server",
        "Start the server on it again:",
        f"  git-exchange devserver --port {urlsplit(url).port} --state {folder / 'server'}",
    )
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
