"""nbgrader's database, as values."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from nbgrader.api import Assignment as Assigned
from nbgrader.api import Comment, Grade, Gradebook, MissingEntry, Student, SubmittedAssignment, SubmittedNotebook

from git_exchange.errors import FilesError
from git_exchange.rules.grades import GRADED, MISSING, UNGRADED, Score
from git_exchange.rules.people import FIELDS, Names


@dataclass(frozen=True)
class Assignment:
    """An assignment in the gradebook: ``due`` aware UTC or None, the names of its ``notebooks`` without ending."""

    due: datetime | None
    notebooks: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Extended:
    """What the gradebook says after ``write_extensions``: student id -> extension.

    ``ours`` are those that we wrote, now or before; ``theirs`` those that somebody else wrote and that stay.
    """

    ours: Mapping[str, timedelta]
    theirs: Mapping[str, timedelta]


def find_assignment(db_url: str, course_id: str, assignment_id: str) -> Assignment | None:
    """Return the assignment as the gradebook has it, None if it has none. Raise FilesError if it cannot be read.

    A SQLite database that does not exist is not created by looking.
    """
    if not exists(db_url):
        return None
    with _reading(), Gradebook(db_url, course_id) as gradebook:
        try:
            found = gradebook.find_assignment(assignment_id)
        except MissingEntry:
            return None
        due: datetime | None = found.duedate
        notebooks = frozenset(str(notebook.name) for notebook in found.notebooks)
    return Assignment(due.replace(tzinfo=timezone.utc) if due is not None else None, notebooks)


def write_extensions(
    db_url: str,
    course_id: str,
    assignment_id: str,
    wanted: Mapping[str, timedelta],
    ours: Mapping[str, timedelta],
    collected: Collection[str],
) -> Extended:
    """Make the gradebook's extensions those that are ``wanted`` (student id -> beyond the due date).

    ``ours`` is what we wrote before: that is replaced or taken away, any other value stays. Rows of students and of
    submissions are made for those of ``collected`` who need one. Raise FilesError if the gradebook cannot be used.
    """
    mine, theirs = dict[str, timedelta](), dict[str, timedelta]()
    with _reading(), Gradebook(db_url, course_id) as gradebook:
        for student_id in sorted(wanted.keys() | ours.keys()):
            want = wanted.get(student_id)
            try:
                submission = gradebook.find_submission(assignment_id, student_id)
            except MissingEntry:
                if want is None or student_id not in collected:
                    continue
                gradebook.update_or_create_student(student_id)
                with gradebook.db.no_autoflush:  # nbgrader looks things up while the new row is half made
                    submission = gradebook.add_submission(assignment_id, student_id)
            there: timedelta | None = submission.extension
            if there is not None and there != ours.get(student_id):
                if there != want:
                    theirs[student_id] = there
                continue
            if there != want:
                submission.extension = want
                gradebook.db.commit()
            if want is not None:
                mine[student_id] = want
    return Extended(mine, theirs)


def hand_graded(db_url: str, course_id: str, assignment_id: str) -> frozenset[str]:
    """Return the students on whose work somebody gave marks, extra credit or comments by hand. Raise FilesError.

    nbgrader's formgrader also stores empty comments; those count for nothing.
    """
    if not exists(db_url):
        return frozenset()
    with _reading(), Gradebook(db_url, course_id) as gradebook:
        asked = (
            gradebook.db.query(SubmittedAssignment.student_id)
            .join(Assigned, SubmittedAssignment.assignment_id == Assigned.id)
            .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
            .filter(Assigned.name == assignment_id)
        )
        marks = asked.join(Grade, Grade.notebook_id == SubmittedNotebook.id).filter(
            Grade.manual_score.isnot(None) | (Grade.extra_credit != 0)
        )
        comments = asked.join(Comment, Comment.notebook_id == SubmittedNotebook.id).filter(
            Comment.manual_comment.isnot(None), Comment.manual_comment != ""
        )
        return frozenset(student_id for query in (marks, comments) for (student_id,) in query.distinct())


def scores(db_url: str, course_id: str, assignment_id: str) -> dict[str, Score] | None:
    """Return student id -> result of every student of the gradebook, None if it lacks the assignment. Raise FilesError.

    The score is nbgrader's own total less its late penalty, never below 0. A row that nothing was handed in for (an
    extension, say) is no submission; one with a cell that waits for a person is not graded.
    """
    if not exists(db_url):
        return None
    with _reading(), Gradebook(db_url, course_id) as gradebook:
        try:
            assignment = gradebook.find_assignment(assignment_id)
        except MissingEntry:
            return None
        maximum = float(assignment.max_score)
        row = SubmittedAssignment
        asked = gradebook.db.query(row.id, row.student_id, row.timestamp, row.score, row.late_submission_penalty)
        rows = asked.filter(row.assignment_id == assignment.id).all()
        cells = gradebook.db.query(SubmittedNotebook.assignment_id).join(
            Grade, Grade.notebook_id == SubmittedNotebook.id
        )
        touched = {key for (key,) in cells.filter(Grade.auto_score.isnot(None) | Grade.manual_score.isnot(None))}
        touched |= {key for (key,) in cells.filter(Grade.needs_manual_grade.is_(False))}
        waiting = {key for (key,) in cells.filter(Grade.needs_manual_grade)}
        found = {student.id: Score(student.id, MISSING, 0.0, maximum) for student in gradebook.students}
        for key, student_id, handed_in, score, penalty in rows:
            if key in touched and key not in waiting:
                found[student_id] = Score(student_id, GRADED, max(0.0, float(score) - float(penalty)), maximum)
            elif key in touched or handed_in is not None:
                found[student_id] = Score(student_id, UNGRADED, 0.0, maximum)
    return found


def students(db_url: str, course_id: str) -> dict[str, Names]:
    """Return student id -> names as the gradebook has them, {} without a gradebook. Raise FilesError."""
    if not exists(db_url):
        return {}
    with _reading(), Gradebook(db_url, course_id) as gradebook:
        return {
            student.id: Names(student.id, **{field: getattr(student, field) or "" for field in FIELDS})
            for student in gradebook.students
        }


def put_students(db_url: str, course_id: str, people: Iterable[Names]) -> None:
    """Add the students that are missing, and write the fields that are not "" in one transaction. Raise FilesError.

    No auth plugin hears of it. A database that does not exist is made.
    """
    with _reading(), Gradebook(db_url, course_id) as gradebook:
        known = {student.id: student for student in gradebook.students}
        for names in people:
            student = known.get(names.student_id)
            if student is None:
                student = Student(id=names.student_id)
                gradebook.db.add(student)
            for field in FIELDS:
                if value := getattr(names, field):
                    setattr(student, field, value)
        gradebook.db.commit()


def exists(db_url: str) -> bool:
    """Return whether there is a database to look into; one that is a file would be made by looking."""
    return not db_url.startswith("sqlite:///") or Path(db_url.removeprefix("sqlite:///")).exists()


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except Exception as error:  # whatever the database and its driver raise
        raise FilesError(
            f"nbgrader's gradebook could not be read or written ({type(error).__name__}).",
            hint="Look whether `nbgrader db assignment list` works; after an upgrade of nbgrader run"
            " `nbgrader db upgrade`.",
        ) from error
