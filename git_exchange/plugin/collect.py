"""``nbgrader collect``: each student's attempt comes into ``submitted/<student>/<assignment>``."""

from __future__ import annotations

import fnmatch
from datetime import datetime
from pathlib import Path

from nbgrader.exchange.abc import ExchangeCollect as ABCExchangeCollect

from git_exchange import gradebook
from git_exchange.course.course import Course
from git_exchange.course.extensions import read_extensions
from git_exchange.course.seats import Seat, seats
from git_exchange.errors import Incomplete
from git_exchange.operations.collect import collect
from git_exchange.operations.gradebook_extensions import Book, carry_over
from git_exchange.operations.policy import Policy
from git_exchange.operations.release import find_released
from git_exchange.plugin.exchange import Exchange


class ExchangeCollect(Exchange, ABCExchangeCollect):
    """Collect what the students submitted."""

    def init_src(self) -> None:
        """Check that there is a course."""
        self.check_course()

    def init_dest(self) -> None:
        """Do nothing: where each student's folder goes is known when the student is."""

    def copy_files(self) -> None:
        """Collect, and fail at the end if some student's work could not be."""
        course = self.open_course()
        root = Path(self.coursedir.root).absolute()
        report = collect(
            course,
            self.coursedir.assignment_id,
            self._seats(course),
            root,
            self._place,
            Policy(
                update=self.update,
                before_duedate=self.before_duedate,
                check_owner=self.check_owner,
                due=self._due(course),
                rules=self.selection_rules(),
                shared=self.coursedir.groupshared,
                deadline=self.bulk_deadline(),
            ),
            listener=self.listen,
        )
        extensions = read_extensions(course).of(self.coursedir.assignment_id)
        carry_over(
            Book(root, self.coursedir.db_url, self.coursedir.course_id),
            self.coursedir.assignment_id,
            extensions,
            [student_id for student_id in extensions if self._place(student_id).is_dir()],
            listener=self.listen,
        )
        self.log.info("Collect: %s", report.summary())
        waiting = report.counts.get("waiting", 0)
        if report.failed or waiting:
            names = ", ".join(outcome.subject for outcome in report.failed[:10])
            raise Incomplete(
                f"Collect: {report.summary()}." + (f" Failed: {names}." if names else ""),
                hint="Collect again: it goes on with the rest."
                if waiting
                else "The lines above say why; collect again.",
            )

    def _seats(self, course: Course) -> list[Seat]:
        pattern = self.coursedir.student_id or "*"
        return [seat for seat in seats(course) if fnmatch.fnmatchcase(seat.student_id, pattern)]

    def _place(self, student_id: str) -> Path:
        return Path(
            self.coursedir.format_path(self.coursedir.submitted_directory, student_id, self.coursedir.assignment_id)
        ).absolute()

    def _due(self, course: Course) -> datetime | None:
        """Return the due date of nbgrader's gradebook; that of the release if the gradebook lacks the assignment."""
        known = gradebook.find_assignment(self.coursedir.db_url, self.coursedir.course_id, self.coursedir.assignment_id)
        if known is not None:
            return known.due
        released = find_released(course, self.coursedir.assignment_id)
        return released.due if released is not None else None
