"""The collector's courses: connected as its own account, and the seats that deliveries are about."""

from __future__ import annotations

import threading
from collections.abc import Collection

from git_exchange.course.course import Course
from git_exchange.course.register import read_register
from git_exchange.course.releases import Release, releases
from git_exchange.course.seats import Seat, seats
from git_exchange.errors import GitExchangeError
from git_exchange.rules import layout
from git_exchange.settings import Settings


class Courses:
    """One sign-in for all courses. Each ``course`` is new: what it has read is never older than the job it is for."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._signed_in: Course | None = None
        self._lock = threading.Lock()

    def course(self, course_id: str) -> Course:
        """Return the course. Raise NoToken, TokenRefused, ForgeUnreachable."""
        with self._lock:
            if self._signed_in is None:
                self._signed_in = Course.open(self._settings, course_id)
            return self._signed_in.another(course_id)

    def sign_out(self) -> None:
        """Look for a token anew with the next course: the present one is refused."""
        with self._lock:
            self._signed_in = None


def release_of(course: Course, ref: str) -> Release | None:
    """Return the release that a ``submit/*`` branch answers, None if no such assignment was ever released."""
    return next((one for one in releases(course) if layout.submit_ref(one.assignment_id) == ref), None)


def seats_of(course: Course, project_ids: Collection[int]) -> dict[int, Seat | GitExchangeError]:
    """Return project id -> seat, or why that one cannot be had; what is no seat of the course is left out.

    The staff's list of seats spares asking for all projects of the course; who is not on it yet is looked for there.
    """
    student = {entry.project_id: entry.student_id for entry in read_register(course).values()}

    def find(number: int) -> Seat | GitExchangeError:
        try:
            return Seat(student[number], course.seat_project(student[number]))
        except GitExchangeError as error:
            return error  # one project's trouble is not the others'

    known = [number for number in project_ids if number in student]
    seated = dict(zip(known, course.in_parallel(find, known), strict=True))
    others = set(project_ids) - student.keys()
    if others:
        seated |= {seat.project.id: seat for seat in seats(course) if seat.project.id in others}
    return seated
