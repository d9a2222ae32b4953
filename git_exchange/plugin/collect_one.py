"""Collect one student's work as ``nbgrader collect`` would in this course directory, without anybody asking for it."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from git_exchange.course.course import Course
from git_exchange.course.enrolments import dropped_and_waiting
from git_exchange.course.seats import Seat
from git_exchange.errors import FilesError
from git_exchange.events import Listener
from git_exchange.operations.collect import collect
from git_exchange.operations.gradebook_extensions import Book
from git_exchange.plugin.collect import ExchangeCollect
from git_exchange.report import Outcome

# A student's fetch and a few requests; beyond it something hangs, and the next one is waiting.
SECONDS = 300.0


class CollectOne(ExchangeCollect):
    """Collect for one seat: never what came after the deadline only, never over work that was graded by hand."""

    def collect_one(self, course: Course, seat: Seat, listener: Listener) -> Outcome:
        """Return what became of the seat's work; "dropped" is who has left the course."""
        left, _ = dropped_and_waiting(course)
        if seat.student_id in left and not self.include_dropped:
            return Outcome(seat.student_id, "dropped")
        root = Path(self.coursedir.root).absolute()
        database = Path(self.coursedir.db_url.removeprefix("sqlite:///"))
        # What runs on submissions may write there, and we may write where it may not. Its journals lie beside it.
        if database.parent.is_dir() and any(
            path.is_symlink() for path in database.parent.iterdir() if path.name.startswith(database.name)
        ):
            raise FilesError("The gradebook is a symbolic link.", hint="Put the database itself there.")
        policy = replace(
            self.policy(course),
            update=True,
            before_duedate=True,
            leave_late=True,
            replace_graded=False,
            deadline=time.monotonic() + SECONDS,
        )
        report = collect(course, self.coursedir.assignment_id, [seat], root, self._place, policy, listener=listener)
        self._agree(course, root, listener)
        self._tend_gradebook(course, Book(root, self.coursedir.db_url, self.coursedir.course_id), report)
        return report.outcomes[0]
