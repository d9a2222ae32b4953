"""The seats of a course: who has which project. A seat is (who, project), never just a project."""

from __future__ import annotations

from dataclasses import dataclass

from git_exchange.course.course import Course
from git_exchange.errors import NotAMember
from git_exchange.forge.ports import Project
from git_exchange.rules import layout


@dataclass(frozen=True)
class Seat:
    """One student's place in one course."""

    student_id: str
    project: Project


def seats(course: Course) -> list[Seat]:
    """Return the seats of the course that this account sees, sorted by student id."""
    found = [
        Seat(student_id, project)
        for project in course.projects()
        if not project.archived and (student_id := layout.student_in(project.path, project.description)) is not None
    ]
    return sorted(found, key=lambda seat: seat.student_id)


def seat_of(course: Course, student_id: str) -> Seat:
    """Return the seat of the student. Raise NotAMember."""
    return Seat(student_id, course.seat_project(student_id))


def seat_for(course: Course, student_id: str | None) -> Seat:
    """Return one's own seat, or for staff the one that is named. Raise NotAMember, NotAStudent."""
    if student_id is None:
        return my_seat(course)
    if course.is_staff():
        return seat_of(course, student_id)
    mine = my_seat(course)
    if mine.student_id != student_id:
        raise NotAMember(
            f"You do not have access to this course as {student_id}: your seat is {mine.student_id}'s.",
            hint="Leave out --student.",
        )
    return mine


def my_seat(course: Course) -> Seat:
    """Return this account's own seat. Raise NotAStudent."""
    project = course.my_seat_project()
    student_id = layout.student_in(project.path, project.description)
    assert student_id is not None  # noqa: S101 - my_seat_project returns only projects for which this holds
    return Seat(student_id, project)
