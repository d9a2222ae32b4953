"""``git-exchange feedback``: nbgrader's own release of feedback, now or at a time; a group that holds ``purge``."""

from __future__ import annotations

import click
from rich.console import Console

from git_exchange.cli.default_group import DefaultGroup
from git_exchange.cli.printing import print_report, shown
from git_exchange.cli.purge import purge_feedback
from git_exchange.cli.release import at_options, moment_of, nbgraders_words, say_scheduled
from git_exchange.cli.settings import Here, configured_here, course_of, course_options
from git_exchange.errors import CourseError
from git_exchange.files.paths import display
from git_exchange.operations.scheduled_feedback import schedule_feedback


@click.command()
@click.argument("assignment_id", metavar="ASSIGNMENT")
@at_options
@click.option("--student", default="", help="Only this student; * and ? stand for anything.")
@click.option("--force", is_flag=True, help="Replace what another member of the staff released.")
@course_options
def release_feedback(
    assignment_id: str, at: str | None, zone: str | None, student: str, force: bool, here: Here
) -> None:
    """Release feedback as `nbgrader release_feedback` does, now or with --at at a time.

    TIME is given with its zone: 2026-11-21T18:00+01:00, 2026-11-21T17:00Z or "2026-11-21 18:00 Europe/Zurich". Until
    then no student can read it. For an assignment that is called as one of the commands below: feedback -- purge
    """
    moment = moment_of(at, zone)
    from git_exchange.plugin.release_feedback import ExchangeReleaseFeedback  # nbgrader takes seconds to import

    exchange = configured_here(ExchangeReleaseFeedback, here, assignment_id)
    exchange.force = exchange.force or force
    if student:
        exchange.coursedir.student_id = student
    with nbgraders_words():
        exchange.init_src()
        exchange.init_dest()
    if not exchange.marked:
        raise CourseError(
            f"There is no feedback on {display(assignment_id)} to release.",
            hint="Make it: nbgrader generate_feedback",
        )
    if moment is None:
        exchange.copy_files()
        click.echo(f"Released: feedback on {display(assignment_id)} to {len(exchange.marked)} students")
        return
    with shown(Console(stderr=True)) as listener:
        staged = schedule_feedback(
            course_of(exchange), assignment_id, exchange.marked, at=moment, force=exchange.force, listener=listener
        )
    print_report(Console(), staged.report, f"Feedback on {assignment_id}", expected=["scheduled"])
    if "scheduled" in staged.report.counts:
        say_scheduled("feedback", assignment_id, moment, staged.earlier)
    if staged.report.failed:
        raise click.exceptions.Exit(1)


@click.group(cls=DefaultGroup, default=release_feedback)
def feedback() -> None:
    """Release feedback, now or at a time; or take feedback back that must not be seen."""


feedback.add_command(purge_feedback, "purge")
