"""List: what is released, what I handed in, what everybody handed in. Values only; local folders are the caller's."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from git_exchange.course.attempts import Reading, read_attempts, read_heads
from git_exchange.course.course import Course
from git_exchange.course.feedback import FeedbackFile, read_feedback
from git_exchange.course.own import OwnAttempt, own_attempts, top_notebooks
from git_exchange.course.receipts import append_receipts, read_ledger
from git_exchange.course.register import read_register
from git_exchange.course.releases import Release, ensure_fetched, releases
from git_exchange.course.seats import Identities, Seat, seat_for, seats
from git_exchange.errors import CourseError, GitExchangeError, NotAStudent, NotFound
from git_exchange.events import Event, Listener, ignore
from git_exchange.forge.ports import Forge, Project
from git_exchange.rules import layout
from git_exchange.rules.receipt import Receipt
from git_exchange.settings import Settings
from git_exchange.transport.cache import Repository
from git_exchange.transport.fetch import fetch
from git_exchange.transport.objects import has_commit


@dataclass(frozen=True)
class Inbound:
    """One attempt of one student as the staff see it. ``project_id``, ``ref`` and ``commit`` identify it."""

    course_id: str
    student_id: str
    assignment_id: str
    time: datetime
    commit: str
    tree: str
    project_id: int
    ref: str
    notebooks: tuple[str, ...]
    feedback: tuple[FeedbackFile, ...]


def my_courses(settings: Settings, forge: Forge) -> list[str]:
    """Return the ids of the courses below the namespace in which this account has a seat or is staff, sorted."""
    found = set()
    for search in ("student-", layout.ASSIGNMENTS):
        for project in forge.my_projects(search):
            is_seat = layout.student_in(project.path, project.description) is not None
            if project.archived or not (is_seat or project.path == layout.ASSIGNMENTS):
                continue
            course_id = course_of(settings, forge, project)
            if course_id is not None:
                found.add(course_id)
    return sorted(found)


def course_of(settings: Settings, forge: Forge, project: Project) -> str | None:
    """Return the course that the project lies in, None if that is not below the namespace."""
    path = project.group_path
    if path.rpartition("/")[0] != settings.namespace:
        return None
    course_id = layout.course_in(path, "")
    if course_id is not None:
        return course_id
    try:  # a name that was too long for a path: the group's description holds it
        return layout.course_in(path, forge.find_group(path).description)
    except NotFound:
        return None


def every_release(course: Course) -> list[Release]:
    """Return what was ever released, withdrawn assignments too: submissions outlive a withdrawal."""
    return releases(course)


def released(course: Course) -> list[Release]:
    """Return what is released and not withdrawn, sorted by assignment id."""
    return [release for release in releases(course) if not release.withdrawn]


def submitted(course: Course, student_id: str | None = None) -> list[OwnAttempt]:
    """Return this account's attempts in the course (staff: those of ``student_id``), [] for staff without a seat."""
    try:
        return own_attempts(course, seat_for(course, student_id))
    except NotAStudent:
        if course.is_staff():
            return []
        raise


def inbound(
    course: Course,
    assignment_ids: Collection[str],
    student_ids: Collection[str] | None = None,
    *,
    listener: Listener = ignore,
) -> list[Inbound]:
    """Return every attempt of the assignments that was not removed, by the staff's record. Raise NotStaff.

    ``student_ids`` None means all seats. What of a student cannot be read is reported as an error event.
    """
    course.staff()
    chosen = [seat for seat in seats(course) if student_ids is None or seat.student_id in student_ids]
    wanted = _identified(course, chosen, listener)
    known = {release.assignment_id: release for release in releases(course)}
    heads = read_heads(course, wanted, assignment_ids, feedback=True)
    found: list[Inbound] = []
    for assignment_id in assignment_ids:
        release = known.get(assignment_id)
        if release is not None:
            ensure_fetched(course, release)
        ledger = read_ledger(course, assignment_id)
        base = release.commit if release is not None else None

        def look(seat: Seat) -> list[Inbound] | GitExchangeError:
            reading = read_attempts(course, seat, assignment_id, heads, base, ledger)  # noqa: B023 - run at once
            head = heads.heads.heads.get((seat.project.id, layout.feedback_ref(assignment_id)))  # noqa: B023
            try:
                return reading.failure or _with_feedback(course, reading, assignment_id, head)  # noqa: B023
            except GitExchangeError as error:
                return error

        for seat, answer in zip(wanted, course.in_parallel(look, wanted), strict=True):
            if isinstance(answer, GitExchangeError):
                listener(Event(f"{seat.student_id} {assignment_id}: {answer}", "error"))
            else:
                found += answer
    return found


def _identified(course: Course, found: list[Seat], listener: Listener) -> list[Seat]:
    """Return the seats that are what the staff's record says; the others are reported."""
    identities = Identities(read_register(course))
    good = []
    for seat in found:
        try:
            identities.check(seat)
        except CourseError as error:
            listener(Event(f"{seat.student_id}: {error}", "error"))
        else:
            good.append(seat)
    return good


def remove(course: Course, attempts: Iterable[Inbound]) -> None:
    """Mark attempts as removed in the staff's record: they are no longer listed or collected; their commits stay."""
    by_assignment: dict[str, list[Inbound]] = {}
    for attempt in attempts:
        by_assignment.setdefault(attempt.assignment_id, []).append(attempt)
    me = course.account().username
    now = course.forge.server().date
    for assignment_id, removed in by_assignment.items():
        append_receipts(
            course,
            assignment_id,
            [
                Receipt(
                    kind="removed",
                    project_id=attempt.project_id,
                    student_id=attempt.student_id,
                    ref=attempt.ref,
                    commit=attempt.commit,
                    tree=attempt.tree,
                    time=attempt.time,
                    evidence="staff",
                    event_id=None,
                    pushed_by="",
                    read_at=now,
                    recorded_by=me,
                )
                for attempt in removed
            ],
        )


def _with_feedback(course: Course, reading: Reading, assignment_id: str, head: str | None) -> list[Inbound]:
    """Return the attempts of one seat with what ``head`` of its feedback branch returns on them."""
    if not reading.attempts:
        return []
    project = reading.seat.project

    def look(repository: Repository) -> list[Inbound]:
        returned: tuple[FeedbackFile, ...] = ()
        if head is not None:
            if not has_commit(repository, head):
                fetch(repository, course.forge.git_url(project), [layout.feedback_ref(assignment_id)])
            returned = read_feedback(repository, head).files
        return [
            Inbound(
                course.course_id,
                reading.seat.student_id,
                assignment_id,
                attempt.time,
                attempt.commit,
                attempt.tree,
                project.id,
                reading.ref,
                top_notebooks(repository, attempt.commit),
                tuple(file for file in returned if file.attempt == attempt.commit),
            )
            for attempt in reading.attempts
        ]

    return course.in_repository(lambda cache: cache.seat(project.id), look)
