"""Send the grades that the LMS lacks: recorded first, sent, read back, confirmed.

Running it again sends nothing twice, wherever it was interrupted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from git_exchange.course.course import Course
from git_exchange.course.grades_sent import confirm_grades, reserve_grades
from git_exchange.errors import ConfigurationError
from git_exchange.files.paths import display
from git_exchange.provisioning.grades import Column, Mark, Plan, outcome, points
from git_exchange.report import Outcome, Report
from git_exchange.rules.grades import agrees


def push_grades(
    course: Course,
    assignment_id: str,
    plan: Plan,
    target: str,
    open_column: Callable[[float], Column],
    *,
    again: bool = False,
) -> Report:
    """Return an outcome for every student of the plan: sent, unchanged, failed, or why the grade was held back.

    ``open_column`` finds or makes the column for a maximum, and is not called if there is nothing to send. Raise
    LmsError, ConfigurationError, NotStaff.
    """
    if any(one.maximum <= 0 for one in plan.due):
        raise ConfigurationError(f"{display(assignment_id)} is worth no points in the gradebook: there is no grade.")
    lines = reserve_grades(course, target, assignment_id, plan.due, again=again) if plan.due else []
    todo = [line for line in lines if not line.confirmed]
    found = {line.student_id: Outcome(display(line.student_id), "unchanged") for line in lines}
    notes = []
    if todo:
        column = open_column(todo[0].maximum)
        if column.maximum != todo[0].maximum:
            notes.append(
                f"The column in the LMS counts to {column.maximum:g} points, the gradebook to {todo[0].maximum:g}:"
                " grades are sent in proportion."
            )
        before = column.read()
        there = [line for line in todo if agrees(before.get(line.lms_user_id), points(line, column))]
        new = [line for line in todo if line not in there]
        refused = column.send([Mark(line.lms_user_id, points(line, column), line.time) for line in new])
        after = column.read() if new else before
        for line in new:
            found[line.student_id] = outcome(line, column, after.get(line.lms_user_id), refused.get(line.lms_user_id))
        shown = [*there, *(line for line in new if found[line.student_id].status == "sent")]
        if shown:
            confirm_grades(course, assignment_id, [replace(line, confirmed=True) for line in shown])
    return Report.of([*found.values(), *plan.held], notes)
