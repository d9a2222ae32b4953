"""How operations look on a terminal: events as lines, progress as a bar, reports as a table."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress as Bar
from rich.progress import TaskID
from rich.table import Table

from git_exchange.events import Event, Listener, Progress
from git_exchange.report import Report

STYLES = {"warning": "yellow", "error": "red", "debug": "dim"}


@contextmanager
def shown(console: Console, *, debug: bool = False) -> Iterator[Listener]:
    """Give a listener that prints events and, on a terminal, shows progress."""
    tasks: dict[str, TaskID] = {}
    with Bar(console=console, transient=True, disable=not console.is_terminal) as bar:

        def listen(event: Event | Progress) -> None:
            if isinstance(event, Progress):
                if event.what not in tasks:
                    tasks[event.what] = bar.add_task(event.what, total=event.total)
                bar.update(tasks[event.what], completed=event.done)
            elif debug or event.level != "debug":
                console.print(escape(event.message), style=STYLES.get(event.level, ""), soft_wrap=True, highlight=False)

        yield listen


def print_report(console: Console, report: Report, title: str, *, expected: Collection[str] = ()) -> None:
    """Print everybody who is not "unchanged" nor as ``expected`` (statuses), the notes and the counts."""
    rows = [outcome for outcome in report.outcomes if outcome.status not in ("unchanged", *expected)]
    if rows:
        table = Table("who", "what", "detail", title=title, title_justify="left")
        for outcome in rows:
            table.add_row(escape(outcome.subject), outcome.status, escape(outcome.detail))
        console.print(table)
    for note in report.notes:
        console.print(escape(note), style="yellow", soft_wrap=True, highlight=False)
    console.print(report.summary(), soft_wrap=True, highlight=False)
