"""What is on record and not in the course directory: recorded by another machine, or before a failure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from git_exchange.collector.config import CollectRule
from git_exchange.collector.on_submission.arguments import Submission
from git_exchange.course.course import Course
from git_exchange.course.receipts import read_ledgers
from git_exchange.course.register import read_register
from git_exchange.course.releases import releases
from git_exchange.operations import sidecar
from git_exchange.rules import layout
from git_exchange.rules.receipt import Ledger


def recorded_since(course: Course, rule: CollectRule, since: datetime) -> Iterator[tuple[Submission, str]]:
    """Yield each student's newest attempt (its commit) at the rule's assignments, if it was pinned after ``since``.

    What lies where nbgrader puts it by default is left out; collect itself knows of every other place.
    """
    names = [one.assignment_id for one in releases(course) if rule.names(one.assignment_id)]
    students = {entry.project_id: entry.student_id for entry in read_register(course).values()}
    for assignment_id, ledger in read_ledgers(course, names).items():
        for project_id, student_id in students.items():
            commit = _newest(ledger, project_id, assignment_id, since)
            there = sidecar.read(rule.course_dir / "submitted" / student_id / assignment_id)
            if commit and (there is None or there.commit != commit):
                yield Submission(course.course_id, assignment_id, student_id), commit


def _newest(ledger: Ledger, project_id: int, assignment_id: str, since: datetime) -> str:
    ref = layout.submit_ref(assignment_id)
    pins = [
        pin
        for pin in ledger.pins(project_id, ref)
        if pin.read_at > since and not ledger.removed(project_id, ref, pin.commit)
    ]
    return max(pins, key=lambda pin: pin.time).commit if pins else ""
