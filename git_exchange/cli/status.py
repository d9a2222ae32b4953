"""``git-exchange status``: what is released, due, handed in and returned."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

import click
from rich.console import Console

from git_exchange.cli.printing import shown
from git_exchange.cli.settings import Asked, configured, forge_options
from git_exchange.course.course import Course, connected
from git_exchange.errors import CourseError, NotFound
from git_exchange.events import Event, Listener
from git_exchange.files.paths import display
from git_exchange.operations.listing import my_courses
from git_exchange.operations.status import Counts, Own, counts, own_status
from git_exchange.rules import times
from git_exchange.rules.until import in_zone

VERDICTS = {"on-time": "on time", "late": "late", "undecided": "at the due date, which the staff decide"}
COPIES = {"none": "not fetched", "fetched": "fetched", "older version": "there is a newer version"}
FEEDBACK = {"none": "none yet", "ready": "ready to be fetched", "fetched": "fetched"}


@click.command()
@click.option("--course", default="", help="Only this course; all of yours if not given.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, times in UTC.")
@forge_options
def status(course: str, as_json: bool, url: str | None, namespace: str | None, kind: str | None) -> None:
    """Show your assignments: released, due, handed in (with the receipt) and returned.

    Staff see how many students have done what. Exit status 1 if a course could not be read.
    """
    from git_exchange.plugin.exchange import Exchange  # nbgrader takes seconds to import

    exchange = configured(Exchange, Asked(url, namespace, kind), None, course)
    settings = exchange.settings()
    forge, token = connected(settings)
    found: list[Own | Counts] = []
    failed = False
    with shown(Console(stderr=True)) as listener:
        for course_id in [course] if course else my_courses(settings, forge):
            try:
                found += _of_course(exchange, Course(settings, course_id, forge, token))
            except (CourseError, NotFound) as error:
                if course:
                    raise
                failed = True
                _say(listener, course_id, error)
    if as_json:
        click.echo(json.dumps([_record(one) for one in found], indent=2))
    else:
        _print(found, exchange.coursedir)
    if failed:
        raise click.exceptions.Exit(1)


def _of_course(exchange: Any, course: Course) -> list[Own] | list[Counts]:
    if course.is_staff():
        return counts(course)
    patterns = tuple(exchange.coursedir.ignore)
    course_id = course.course_id
    return own_status(course, lambda name: exchange.assignment_path(name, course_id), ignore_patterns=patterns)


def _say(listener: Listener, course_id: str, error: Exception) -> None:
    listener(Event(f"{display(course_id)}: {error}", "error"))


def _print(found: list[Own | Counts], coursedir: Any) -> None:
    console = Console()
    for one in found:
        gone = " (taken back)" if one.withdrawn else ""
        console.print(
            f"{display(one.course_id)} {display(one.assignment_id)}{gone}", style="bold", markup=False, highlight=False
        )
        for name, text in _own_lines(one) if isinstance(one, Own) else _staff_lines(one, coursedir):
            console.print(f"  {name:<11}{text}", soft_wrap=True, markup=False, highlight=False)
    if not found:
        console.print("Nothing is released.")
    elif any(isinstance(one, Own) and one.due is not None for one in found):
        console.print("An extension of yours is recorded by the staff and does not show here: ask them.")


def _own_lines(own: Own) -> Iterator[tuple[str, str]]:
    yield "due", _due(own.due)
    yield "your copy", COPIES[own.copy]
    handed_in = own.submission
    if handed_in is None:
        yield "submitted", "no"
    else:
        verdict = f", {VERDICTS[handed_in.verdict]}" if handed_in.verdict is not None else ""
        yield "submitted", f"attempt {handed_in.attempt}, {in_zone(handed_in.at)}{verdict}"
        yield "receipt", handed_in.url
    yield "feedback", FEEDBACK[own.feedback]


def _staff_lines(told: Counts, coursedir: Any) -> Iterator[tuple[str, str]]:
    yield "due", _due(told.due)
    known = None
    if coursedir.course_id == told.course_id and not told.withdrawn:
        from git_exchange import gradebook  # nbgrader takes seconds to import

        known = gradebook.find_assignment(coursedir.db_url, told.course_id, told.assignment_id)
    if known is not None and known.due != told.due:
        yield "", f"{_due(known.due)} in the gradebook, which decides; the next collect tells the students"
    yield "submitted", f"{told.submitted} of {told.students}"
    yield "feedback", f"{told.returned}"
    yield "extensions", f"{told.extensions}"


def _due(due: datetime | None) -> str:
    return in_zone(due) if due is not None else "no due date"


def _record(one: Own | Counts) -> dict[str, Any]:
    said = asdict(one)
    said["due"] = _iso(one.due)
    if isinstance(one, Own) and one.submission is not None:
        said["submission"]["at"] = _iso(one.submission.at)
    return {"as": "student" if isinstance(one, Own) else "staff", **said}


def _iso(moment: datetime | None) -> str | None:
    return times.isoformat(moment) if moment is not None else None
