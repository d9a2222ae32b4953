"""Put students and their names into nbgrader's gradebook; what somebody typed there stays.

What we wrote is remembered in the course directory, so that a name that changes in the roster changes in the gradebook.
Without that memory (it can be deleted) only empty fields are filled.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from git_exchange import gradebook
from git_exchange.course.course import Course
from git_exchange.course.seats import seats
from git_exchange.files import replace
from git_exchange.operations.gradebook_extensions import Book
from git_exchange.rules import people
from git_exchange.rules.people import FIELDS, Names

MEMORY = "names-written.csv"


def name_students(book: Book, student_ids: Collection[str], known: Mapping[str, Names]) -> int:
    """Add the students that the gradebook lacks and bring names up to date; return how many rows were touched.

    ``known`` are the names of the roster by student id. Raise FilesError.
    """
    with replace.lock(book.root, "gradebook", "names"):
        memory = replace.work_area(book.root) / MEMORY
        written = _remembered(memory)
        present = gradebook.students(book.db_url, book.course_id)
        news = []
        for student_id in sorted(student_ids):
            nobody = Names(student_id)
            change = people.to_write(
                known.get(student_id, nobody), present.get(student_id, nobody), written.get(student_id, nobody)
            )
            if student_id not in present or any(getattr(change, field) for field in FIELDS):
                news.append(change)
        if not news:
            return 0
        gradebook.put_students(book.db_url, book.course_id, news)
        for change in news:
            written[change.student_id] = people.merged(written.get(change.student_id, change), change)
        replace.write_file(memory, [people.dump(written.values())])
        return len(news)


def without_seat(course: Course, book: Book) -> list[str]:
    """Return the students of the gradebook who have no project in the course, sorted. Raise FilesError."""
    return sorted(gradebook.students(book.db_url, book.course_id).keys() - {seat.student_id for seat in seats(course)})


def _remembered(memory: Path) -> dict[str, Names]:
    try:
        return people.load(memory.read_bytes())
    except (OSError, ValueError):
        return {}
