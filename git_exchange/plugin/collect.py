"""``nbgrader collect``: each student's attempt comes into ``submitted/<student>/<assignment>``."""

from __future__ import annotations

import fnmatch
from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path
from textwrap import dedent

from nbgrader.exchange.abc import ExchangeCollect as ABCExchangeCollect
from traitlets import Bool, Unicode

from git_exchange import gradebook
from git_exchange.course.course import Course
from git_exchange.course.enrolments import dropped_and_waiting
from git_exchange.course.extensions import read_extensions
from git_exchange.course.people import read_people
from git_exchange.course.seats import Seat, seats
from git_exchange.errors import FilesError, GitExchangeError, Incomplete
from git_exchange.events import Event, Listener
from git_exchange.files.paths import display
from git_exchange.operations.collect import collect
from git_exchange.operations.due_date import announce_due
from git_exchange.operations.gradebook_extensions import Book, carry_over
from git_exchange.operations.name_students import name_students, without_seat
from git_exchange.operations.policy import Policy
from git_exchange.operations.release import find_released
from git_exchange.plugin.exchange import Exchange
from git_exchange.plugin.listings import forget_listings
from git_exchange.report import Outcome, Report
from git_exchange.rules import student_list
from git_exchange.rules.waiting import Waiting


class ExchangeCollect(Exchange, ABCExchangeCollect):
    """Collect what the students submitted."""

    students_from = Unicode(
        "",
        help=dedent(
            """
            File that names the students whose work is collected, where several graders share it: one id a line, or a
            CSV file with a column student_id. Relative to the course directory. Who is not in the course is reported.
            """
        ),
    ).tag(config=True)

    replace_graded = Bool(
        False,
        help=dedent(
            """
            Whether collecting also replaces work on which somebody gave marks or comments by hand. By default it stays
            and a line says so: nbgrader would show the marks beside other work than they were given for.
            """
        ),
    ).tag(config=True)

    name_students = Bool(
        True,
        help=dedent(
            """
            Whether students whose work is collected come into the gradebook with the names of the roster. What
            somebody typed there is never changed.
            """
        ),
    ).tag(config=True)

    include_dropped = Bool(
        False,
        help=dedent(
            """
            Whether the work of students who have left the course is collected too. They are those whom the roster, or
            nbgrader db student remove, has taken out.
            """
        ),
    ).tag(config=True)

    def init_src(self) -> None:
        """Check that there is a course."""
        self.check_course()

    def init_dest(self) -> None:
        """Do nothing: where each student's folder goes is known when the student is."""

    def copy_files(self) -> None:
        """Collect, and fail at the end if some student's work could not be."""
        report = self.collect(self.open_course(), self.listen)
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

    def collect(self, course: Course, listener: Listener) -> Report:
        """Collect from the course and return what became of each student."""
        assignment_id, root = self.coursedir.assignment_id, Path(self.coursedir.root).absolute()
        left, waiting = dropped_and_waiting(course)
        chosen, unknown = self._seats(course, frozenset() if self.include_dropped else left)
        for outcome in unknown:
            listener(Event(f"Could not collect {display(outcome.subject)}: {outcome.detail}", "error"))
        policy = self.policy(course)
        report = collect(course, assignment_id, chosen, root, self._place, policy, listener=listener)
        self._agree(course, root, listener)
        notes = self._tend_gradebook(course, Book(root, self.coursedir.db_url, self.coursedir.course_id), report)
        if waiting and self.coursedir.student_id in ("", "*") and not self.students_from:
            notes.append(_without_account([_waits(one) for one in waiting]))
        for note in notes:
            listener(Event(note, "warning"))
        return Report.of([*report.outcomes, *unknown], [*report.notes, *notes])

    def _tend_gradebook(self, course: Course, book: Book, report: Report) -> list[str]:
        """Name the collected students, and return a note about those who cannot submit. No failure here is fatal."""
        if not gradebook.exists(book.db_url):
            return []
        done = [outcome.subject for outcome in report.outcomes if outcome.status != "failed"]
        try:
            if self.name_students and (collected := [one for one in done if self._place(one).is_dir()]):
                name_students(book, collected, read_people(course))
            missing = without_seat(course, book) if self.coursedir.student_id in ("", "*") else []
        except GitExchangeError as error:
            return [f"The gradebook's list of students was not brought up to date: {error}"]
        if not missing:
            return []
        return [
            f"{len(missing)} students of the gradebook have no project on the forge: {_few(missing)}. To give them"
            f' one, run: git-exchange roster apply "{display(course.course_id)}" --from gradebook'
        ]

    def policy(self, course: Course) -> Policy:
        """Return what to collect and how, from nbgrader's options and its gradebook."""
        return Policy(
            update=self.update,
            before_duedate=self.before_duedate,
            check_owner=self.check_owner,
            due=self._due(course),
            rules=self.selection_rules(),
            shared=self.coursedir.groupshared,
            deadline=self.bulk_until(),
            hand_graded=self._hand_graded(),
            replace_graded=self.replace_graded,
        )

    def _seats(self, course: Course, left: Collection[str]) -> tuple[list[Seat], list[Outcome]]:
        """Return the seats that are asked for, but of who has ``left``, and an outcome for each who has none."""
        pattern = self.coursedir.student_id or "*"
        every = [
            seat
            for seat in seats(course)
            if fnmatch.fnmatchcase(seat.student_id, pattern) and seat.student_id not in left
        ]
        if not self.students_from:
            return every, []
        listed = self._listed()
        there = {seat.student_id for seat in every}
        unknown = [
            Outcome(student_id, "failed", f"{self.students_from} names this student, who has no seat in the course")
            for student_id in listed
            if student_id not in there and fnmatch.fnmatchcase(student_id, pattern)
        ]
        return [seat for seat in every if seat.student_id in listed], unknown

    def _listed(self) -> tuple[str, ...]:
        path = Path(self.coursedir.root).absolute() / Path(self.students_from).expanduser()
        try:
            return student_list.parse(path.read_bytes())
        except OSError as error:
            raise FilesError(
                f"The list of students {self.students_from} cannot be read: {error.strerror}.",
                hint="Correct c.ExchangeCollect.students_from; it is relative to the course directory.",
            ) from error
        except ValueError as error:
            raise FilesError(
                f"The list of students {self.students_from} cannot be used: {error}.",
                hint="Write one student id a line, or a CSV file with a column student_id.",
            ) from error

    def _hand_graded(self) -> frozenset[str]:
        where = self.coursedir
        return gradebook.hand_graded(where.db_url, where.course_id, where.assignment_id)

    def _place(self, student_id: str) -> Path:
        return Path(
            self.coursedir.format_path(self.coursedir.submitted_directory, student_id, self.coursedir.assignment_id)
        ).absolute()

    def _agree(self, course: Course, root: Path, listener: Listener) -> None:
        """Make gradebook and release agree with what was collected: extensions there, the due date here."""
        where = self.coursedir
        extensions = read_extensions(course).of(where.assignment_id)
        collected = [student_id for student_id in extensions if self._place(student_id).is_dir()]
        book = Book(root, where.db_url, where.course_id)
        carry_over(book, where.assignment_id, extensions, collected, listener=listener)
        known = self._known()
        released = find_released(course, where.assignment_id) if known is not None else None
        if released is not None and known is not None and announce_due(course, released, known.due, listener=listener):
            forget_listings()

    def _known(self) -> gradebook.Assignment | None:
        return gradebook.find_assignment(self.coursedir.db_url, self.coursedir.course_id, self.coursedir.assignment_id)

    def _due(self, course: Course) -> datetime | None:
        """Return the due date of nbgrader's gradebook; that of the release if the gradebook lacks the assignment."""
        known = self._known()
        if known is not None:
            return known.due
        released = find_released(course, self.coursedir.assignment_id)
        return released.due if released is not None else None


def _few(names: Sequence[str]) -> str:
    return ", ".join(map(display, names[:10])) + (", ..." if len(names) > 10 else "")


def _waits(one: Waiting) -> str:
    return f"{one.who} (invited on {one.invited})" if one.invited else one.who


def _without_account(names: Sequence[str]) -> str:
    people = "1 person of the roster has" if len(names) == 1 else f"{len(names)} people of the roster have"
    return (
        f"{people} no account on the forge yet: {_few(names)}. Once they have one, the next roster apply gives them a"
        " project."
    )
