"""``git-exchange collect``: nbgrader's collect, with a choice of attempts and of students."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from git_exchange.cli.printing import print_report, shown
from git_exchange.cli.settings import Here, configured_here, course_of, course_options
from git_exchange.operations.pin_attempts import pin_attempts
from git_exchange.report import Report
from git_exchange.rules.collect_pins import is_reference


@click.command()
@click.argument("assignment_id", metavar="ASSIGNMENT")
@click.option("--student", default="", help="Only this student; * and ? stand for anything.")
@click.option(
    "--students-from",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Only the students in this file: one id a line, or CSV with a column student_id.",
)
@click.option("--update", is_flag=True, help="Replace what was collected by a newer attempt.")
@click.option("--before-duedate", is_flag=True, help="The last attempt before the due date, else the last one.")
@click.option(
    "--attempt",
    "wanted",
    multiple=True,
    metavar="STUDENT=N|COMMIT",
    help="Collect this attempt of the student, from now on and on every machine. Can be repeated.",
)
@click.option(
    "--unpin", multiple=True, metavar="STUDENT", help="Collect this student's latest attempt again. Can be repeated."
)
@click.option("--replace-graded", is_flag=True, help="Replace work that was graded by hand, too.")
@click.option("--include-dropped", is_flag=True, help="The work of students who have left the course, too.")
@course_options
def collect(
    assignment_id: str,
    student: str,
    students_from: Path | None,
    update: bool,
    before_duedate: bool,
    wanted: Sequence[str],
    unpin: Sequence[str],
    replace_graded: bool,
    include_dropped: bool,
    here: Here,
) -> None:
    """Collect as `nbgrader collect` does, with nbgrader's configuration of the course directory.

    Exit status 1 if somebody's work could not be collected; everybody else's is.
    """
    attempts = dict(_parsed(text) for text in wanted)
    if both := sorted(attempts.keys() & set(unpin)):
        raise click.UsageError(f"--attempt and --unpin contradict each other: {', '.join(both)}")
    from git_exchange.plugin.collect import ExchangeCollect  # nbgrader takes seconds to import

    exchange = configured_here(ExchangeCollect, here, assignment_id)
    if student:
        exchange.coursedir.student_id = student
    if students_from is not None:
        exchange.students_from = str(students_from.absolute())
    exchange.update = exchange.update or update
    exchange.before_duedate = exchange.before_duedate or before_duedate
    exchange.replace_graded = exchange.replace_graded or replace_graded
    exchange.include_dropped = exchange.include_dropped or include_dropped
    console = Console()
    opened = course_of(exchange)
    if attempts or unpin:
        pin_attempts(opened, assignment_id, attempts, unpin)
    with shown(console) as listener:
        report = exchange.collect(opened, listener)
    # The notes have been shown as they came.
    print_report(console, Report.of(report.outcomes), f"Collected: {assignment_id}")
    if report.failed:
        raise click.exceptions.Exit(1)


def _parsed(text: str) -> tuple[str, str]:
    student_id, _, reference = text.rpartition("=")
    if not student_id or not is_reference(reference):
        raise click.BadParameter(
            f"{text!r} is not STUDENT=N or STUDENT=COMMIT (seven or more digits).", param_hint="--attempt"
        )
    return student_id, reference
