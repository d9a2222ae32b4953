"""``git-exchange restore``: get one's own work back."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from git_exchange.cli.printing import shown
from git_exchange.cli.settings import Here, configured_here, course_of, course_options
from git_exchange.course.course import Course
from git_exchange.course.seats import Seat, seat_for
from git_exchange.files.paths import display
from git_exchange.operations.release import find_released
from git_exchange.operations.restore import attempts_of, lateness
from git_exchange.operations.restore import restore as bring_back
from git_exchange.rules import times


@click.command()
@click.argument("assignment_id", metavar="ASSIGNMENT")
@click.option("--attempt", "number", type=click.IntRange(1), help="Number of the attempt; the latest if not given.")
@click.option(
    "--to",
    type=click.Path(path_type=Path, file_okay=False),
    help="Empty or new folder; where `nbgrader fetch_assignment` puts the assignment if not given.",
)
@click.option("--list", "only_list", is_flag=True, help="Show the attempts and write nothing.")
@click.option("--student", help="For staff: whose work.")
@course_options
def restore(
    assignment_id: str,
    number: int | None,
    to: Path | None,
    only_list: bool,
    student: str | None,
    here: Here,
) -> None:
    """Bring back what you submitted, into an empty place: files that are there are never overwritten."""
    from git_exchange.plugin.exchange import Exchange  # nbgrader takes seconds to import

    exchange = configured_here(Exchange, here, assignment_id)
    opened = course_of(exchange)
    seat = seat_for(opened, student)
    console = Console()
    if only_list:
        _show(console, opened, seat, assignment_id)
        return
    folder = (to or exchange.assignment_path(assignment_id)).absolute()
    with shown(console) as listener:
        attempt = bring_back(opened, seat, assignment_id, folder, number=number, listener=listener)
    console.print(
        f"Attempt {attempt.number} at {assignment_id}, submitted {times.timestamp(attempt.time)}, is in"
        f" {display(str(folder))}",
        soft_wrap=True,
        markup=False,
        highlight=False,
    )


def _show(console: Console, course: Course, seat: Seat, assignment_id: str) -> None:
    released = find_released(course, assignment_id)
    due = released.due if released is not None else None
    if due is not None:
        console.print(f"Due {times.timestamp(due)}", highlight=False)
    for attempt in attempts_of(course, seat, assignment_id):
        late = lateness(attempt, due, course.settings.grace_seconds)
        link = course.forge.commit_url(seat.project, attempt.commit)
        by = f"  by {display(attempt.pushed_by)}" if attempt.pushed_by else ""
        line = f"{attempt.number:4}  {times.timestamp(attempt.time)}  {late:9}  {link}{by}"
        console.print(line, soft_wrap=True, markup=False, highlight=False)
