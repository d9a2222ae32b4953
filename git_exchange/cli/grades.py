"""``git-exchange grades``: nbgrader's scores into the LMS's gradebook, or a CSV file."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from git_exchange.cli.printing import print_report
from git_exchange.cli.settings import Here, configured_here, course_of, course_options
from git_exchange.course.course import Course
from git_exchange.course.enrolments import dropped_and_waiting
from git_exchange.course.grades_sent import read_sent
from git_exchange.course.people import read_people
from git_exchange.errors import AssignmentNotFound
from git_exchange.files import replace
from git_exchange.files.paths import display
from git_exchange.provisioning.grade_columns import open_column, target_of
from git_exchange.provisioning.grades import Plan, plan_grades
from git_exchange.provisioning.push_grades import push_grades
from git_exchange.provisioning.sources.lms_file import read_lms_file
from git_exchange.report import Outcome, Report
from git_exchange.rules import grades as rules
from git_exchange.rules.people import Names, merged

COLUMNS = ("student_id", "lms_user_id", "last_name", "first_name", "email", "assignment", "score", "max_score", "why")


@click.group()
def grades() -> None:
    """Bring grades from nbgrader's gradebook to the LMS."""


@grades.command()
@click.argument("assignment_id", metavar="ASSIGNMENT")
@click.option(
    "--to",
    "to",
    required=True,
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="TOML file that names the LMS (as for rosters), or a file *.csv to be written.",
)
@click.option("--column", metavar="LABEL", help="Title of a new column in the LMS; the assignment's name.")
@click.option("--overwrite", is_flag=True, help="Replace what was changed in the LMS after a grade was first sent.")
@click.option("--dry-run", is_flag=True, help="Print who would get which grade, and send nothing.")
@course_options
def push(
    assignment_id: str,
    to: Path,
    column: str | None,
    overwrite: bool,
    dry_run: bool,
    here: Here,
) -> None:
    """Send the scores of graded submissions, late penalty taken off. Running it again sends only what changed.

    Who has no submission, or one that is not fully graded, is named and gets nothing. Exit status 1 if the LMS does not
    show somebody's grade, or somebody graded is not known there; everybody else's is sent.
    """
    from git_exchange import gradebook  # nbgrader takes seconds to import
    from git_exchange.plugin.exchange import Exchange

    to_csv = to.suffix.casefold() == ".csv"
    file = None if to_csv else read_lms_file(to)
    target = target_of(file, assignment_id) if file is not None else ""
    exchange = configured_here(Exchange, here, assignment_id)
    opened = course_of(exchange)
    db_url = exchange.coursedir.db_url
    scores = gradebook.scores(db_url, opened.course_id, assignment_id)
    if scores is None:
        raise AssignmentNotFound(
            f"The gradebook here has no assignment {display(assignment_id)}.",
            hint="Run this in the course directory, after `nbgrader generate_assignment` and `nbgrader autograde`.",
        )
    people = _people(opened, gradebook.students(db_url, opened.course_id))
    gone, _ = dropped_and_waiting(opened)
    identities = {student_id: names.lms_user_id for student_id, names in people.items() if student_id not in gone}
    console = Console()
    if file is None:
        why = {score.student_id: "" if score.state == rules.GRADED else score.state for score in scores.values()}
        if not dry_run:
            replace.write_file(to, [_csv(assignment_id, scores, people)])
        states = [Outcome(display(name), reason or "written") for name, reason in sorted(why.items())]
        print_report(console, Report.of(states), f"Grades: {display(assignment_id)}", expected=("written",))
        return
    plan = plan_grades(scores, identities, gone)
    if dry_run:
        _preview(console, opened, plan, target, assignment_id, overwrite)
        return
    report = push_grades(
        opened,
        assignment_id,
        plan,
        target,
        lambda maximum: open_column(file, assignment_id, column or assignment_id, maximum),
        again=overwrite,
    )
    print_report(console, report, f"Grades: {escape(display(assignment_id))}", expected=("sent",))
    if report.failed or report.counts.get("unmatched"):
        raise click.exceptions.Exit(1)


def _people(course: Course, in_gradebook: Mapping[str, Names]) -> dict[str, Names]:
    """Return what the roster knows of the gradebook's students; the gradebook fills what it does not."""
    rostered = read_people(course)
    return {
        student_id: merged(names, rostered.get(student_id, Names(student_id)))
        for student_id, names in in_gradebook.items()
    }


def _preview(console: Console, course: Course, plan: Plan, target: str, assignment_id: str, overwrite: bool) -> None:
    lines = rules.reserve(read_sent(course), target, assignment_id, plan.due, course.now(), again=overwrite)
    table = Table("who", "in the LMS", "score", "what", title=f"Grades: {escape(display(assignment_id))}")
    for line in lines:
        texts = (line.student_id, line.lms_user_id, f"{line.score:g} of {line.maximum:g}")
        table.add_row(*(escape(display(text)) for text in texts), "unchanged" if line.confirmed else "send")
    if lines:
        console.print(table)
    states = [Outcome(display(line.student_id), "unchanged" if line.confirmed else "to send") for line in lines]
    print_report(console, Report.of([*states, *plan.held]), "Held back", expected=("to send",))
    console.print("Nothing was sent.")


def _csv(assignment_id: str, scores: Mapping[str, rules.Score], people: Mapping[str, Names]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for student_id, score in sorted(scores.items()):
        who = people.get(student_id, Names(student_id))
        graded = score.state == rules.GRADED
        writer.writerow(
            (
                *(student_id, who.lms_user_id, who.last_name, who.first_name, who.email, assignment_id),
                f"{score.score:.10g}" if graded else "",
                f"{score.maximum:.10g}",
                "" if graded else score.state,
            )
        )
    return text.getvalue().encode()
