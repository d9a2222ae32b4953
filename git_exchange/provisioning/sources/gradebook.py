"""A roster from nbgrader's gradebook: who was added in formgrader, whose "Add student" tells no auth plugin."""

from __future__ import annotations

from git_exchange import gradebook
from git_exchange.errors import ConfigurationError
from git_exchange.operations.gradebook_extensions import Book
from git_exchange.provisioning.people import Person, Roster


def read_gradebook(book: Book) -> Roster:
    """Return the gradebook's students. Raise ConfigurationError without a gradebook or students, FilesError."""
    if not gradebook.exists(book.db_url):
        raise ConfigurationError(
            "There is no gradebook here.", hint="Run this in the course directory, where nbgrader_config.py lies."
        )
    return Roster(
        tuple(
            Person(names.student_id, names.first_name, names.last_name, names.email, lms_user_id=names.lms_user_id)
            for names in gradebook.students(book.db_url, book.course_id).values()
        ),
        "in the gradebook",
        covers=frozenset({"student"}),
    )
