"""A student of the staff's own, to try the course with: a seat that is nobody's account, into which staff submit.

It needs no account, so any instructor can have it on any forge. No roster knows it, so none drops it.
"""

from __future__ import annotations

from git_exchange.course.course import Course
from git_exchange.course.protection import SEAT_RULES
from git_exchange.course.register import read_register
from git_exchange.errors import Conflict
from git_exchange.events import Event, Listener, ignore
from git_exchange.forge.ports import ForgeAdmin, Project, Visibility
from git_exchange.rules import layout

TEST_STUDENT = "test-student"


def make_test_student(course: Course, forge: ForgeAdmin, *, listener: Listener = ignore) -> Project:
    """Return the test student's project, made or completed. Raise Conflict if a person has this id in the course."""
    entry = read_register(course).get(TEST_STUDENT)
    if entry is not None:
        raise Conflict(
            f"The id {TEST_STUDENT} is {entry.username}'s in this course.", hint="The course is open all the same."
        )
    project = forge.ensure_project(
        course.group(),
        layout.seat_name(TEST_STUDENT),
        description=layout.describe_seat(TEST_STUDENT),
        visibility=Visibility.PRIVATE,
        issues=True,
    )
    forge.ensure_rules(project.id, SEAT_RULES)
    listener(Event(f"Project {project.group_path}/{project.path} of the test student, protected"))
    return project
