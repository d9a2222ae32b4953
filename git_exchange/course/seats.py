"""The seats of a course: who has which project. A seat is (who, project), never just a project.

A project's identity is its number: one that the staff's record (``seats.csv``) knows as another student's is not used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from git_exchange.course.course import Course
from git_exchange.course.register import Registered
from git_exchange.errors import CourseError, NotAMember
from git_exchange.forge.ports import Project
from git_exchange.rules import layout


@dataclass(frozen=True)
class Seat:
    """One student's place in one course."""

    student_id: str
    project: Project


def seats(course: Course) -> list[Seat]:
    """Return the seats of the course that this account sees, sorted by student id.

    Archived ones too: who has left the course, or a course that is over, still has work in them.
    """
    found = [
        Seat(student_id, project)
        for project in course.projects()
        if (student_id := layout.student_in(project.path, project.description)) is not None
    ]
    return sorted(found, key=lambda seat: seat.student_id)


class Identities:
    """Which project is whose by the staff's record, to look seats up in."""

    def __init__(self, registered: Mapping[str, Registered]) -> None:
        self._of_student = registered
        self._of_project = {entry.project_id: entry for entry in registered.values()}

    def owner(self, seat: Seat) -> Registered | None:
        """Return who the seat's project belongs to on record, None if it is not on record (yet)."""
        return self._of_project.get(seat.project.id)

    def check(self, seat: Seat) -> None:
        """Raise CourseError if the project is on record as another student's, or another one as the student's.

        A seat that is not on record at all (yet) passes.
        """
        for entry in (self._of_student.get(seat.student_id), self._of_project.get(seat.project.id)):
            if entry is not None and (entry.student_id, entry.project_id) != (seat.student_id, seat.project.id):
                raise CourseError(
                    f"The project {seat.project.path!r} is number {seat.project.id}, but on record the seat of"
                    f" {entry.student_id} is number {entry.project_id}: projects were renamed or replaced.",
                    hint="Look at both on the forge and give them their names back, or correct seats.csv in the staff"
                    " project.",
                )


def gone(course: Course, registered: Mapping[str, Registered]) -> list[str]:
    """Return what became of registered seats that no longer have a student's name, one sentence each."""
    projects = {project.id: project for project in course.projects()}
    said = []
    for entry in registered.values():
        project = projects.get(entry.project_id)
        if project is None:
            said.append(f"The project of {entry.student_id}, number {entry.project_id}, is no longer in the course.")
        elif layout.student_in(project.path, project.description) is None:
            said.append(f"The project of {entry.student_id} was renamed to {project.path!r}; rename it back.")
    return said


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
