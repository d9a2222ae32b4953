"""What waits for its time: branches ``scheduled/...`` of the staff's project, which no student can read.

Nobody deletes a branch there, nor pushes by force: what is over ends with a commit without files that says how.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from git_exchange.course.course import Course
from git_exchange.course.staff_files import only_by_writers
from git_exchange.errors import PushRace, RefMissing
from git_exchange.files.paths import display
from git_exchange.rules import layout, schedule, trailers
from git_exchange.rules.schedule import Scheduled
from git_exchange.transport.cache import Repository
from git_exchange.transport.fetch import fetch
from git_exchange.transport.objects import TreeFile, commit_tree, read_commit
from git_exchange.transport.push import push

RACES = 4

# Makes the commit to stage: gets the copy of ``staff``, the parents and the message.
Build = Callable[[Repository, list[str], str], str]


def read_schedules(course: Course) -> list[Scheduled]:
    """Return what waits, the soonest first: one request. Raise NotStaff."""
    branches = course.forge.branches(course.staff().id, layout.SCHEDULED)
    found = [one for branch in branches if (one := schedule.read(branch.ref, branch.message)) is not None]
    return sorted(found, key=lambda one: (one.at, one.kind, one.assignment_id))


def find_schedule(course: Course, kind: layout.Planned, assignment_id: str) -> Scheduled | None:
    """Return what waits of an assignment, None if nothing does. Raise NotStaff."""
    found = read_schedules(course)
    return next((one for one in found if (one.kind, one.assignment_id) == (kind, assignment_id)), None)


def stage(course: Course, scheduled: Scheduled, content: Sequence[tuple[str, str]], build: Build) -> None:
    """Put it on its branch, in place of what was there. ``content`` are trailers. Raise NotStaff, CourseArchived."""
    subject = f"Schedule the {scheduled.kind} of {display(scheduled.assignment_id)}"
    message = trailers.message(subject, [*content, *schedule.said(scheduled)])
    _change(course, scheduled.ref, lambda repository, _, parents: build(repository, parents, message))


def end(course: Course, scheduled: Scheduled, how: str) -> bool:
    """Let it wait no longer; ``how`` is for the record ("released", "cancelled"). True unless it had ended before."""

    def ending(repository: Repository, present: Scheduled | None, parents: list[str]) -> str | None:
        if present is None or present.mark != scheduled.mark:
            return None
        said = [
            (trailers.ASSIGNMENT, scheduled.assignment_id),
            (trailers.COURSE, course.course_id),
            (trailers.SCHEDULE, scheduled.mark),
            (trailers.SCHEDULE_ENDED, how),
        ]
        subject = f"No {scheduled.kind} of {display(scheduled.assignment_id)} is scheduled any more: {display(how)}"
        return _commit(course, repository, parents, [], trailers.message(subject, said))

    return _change(course, scheduled.ref, ending)


def note_failure(
    course: Course,
    scheduled: Scheduled,
    why: str,
    left: Callable[[Repository, str], list[TreeFile]] | None = None,
    students: int | None = None,
) -> bool:
    """Record why it could not go out; it goes on waiting. True if that is news.

    ``left`` gives the files that remain of it, from the copy of ``staff`` and the staged commit; None: all.
    """

    def failing(repository: Repository, present: Scheduled | None, parents: list[str]) -> str | None:
        if present is None or present.mark != scheduled.mark:
            return None
        number = present.students if students is None else students
        after = replace(present, failed=why, students=number)
        if after == present:
            return None
        content = schedule.content(read_commit(repository, parents[0]).message)
        subject = f"The scheduled {scheduled.kind} of {display(scheduled.assignment_id)} failed"
        message = trailers.message(subject, [*content, *schedule.said(after)])
        files = left(repository, parents[0]) if left is not None else None
        return _commit(course, repository, parents, files, message)

    return _change(course, scheduled.ref, failing)


def staged_head(course: Course, repository: Repository, scheduled: Scheduled) -> str | None:
    """Bring the staged commit into the copy of ``staff`` and return it; None if it has ended or been replaced."""
    try:
        head = fetch(repository, course.forge.git_url(course.staff()), [scheduled.ref])[scheduled.ref]
    except RefMissing:
        return None
    present = schedule.read(scheduled.ref, read_commit(repository, head).message)
    return head if present is not None and present.mark == scheduled.mark else None


def _change(course: Course, ref: str, change: Callable[[Repository, Scheduled | None, list[str]], str | None]) -> bool:
    """Push the commit that ``change`` makes on top of the branch, again if somebody was faster; None: nothing to do."""
    if course.staff().archived:
        raise course.archived()
    url = course.forge.git_url(course.staff())

    def once(repository: Repository) -> bool:
        try:
            head: str | None = fetch(repository, url, [ref])[ref]
        except RefMissing:
            head = None
        present = schedule.read(ref, read_commit(repository, head).message) if head else None
        commit = change(repository, present, [head] if head else [])
        if commit is None:
            return False
        push(repository, url, commit, ref)
        return True

    with only_by_writers(course):
        for _ in range(RACES - 1):
            try:
                return course.in_repository(lambda cache: cache.staff(), once)
            except PushRace:
                continue
        return course.in_repository(lambda cache: cache.staff(), once)


def _commit(
    course: Course, repository: Repository, parents: list[str], files: Sequence[TreeFile] | None, message: str
) -> str:
    name, email = course.identity()
    return commit_tree(
        repository, parents=parents, files=files, message=message, name=name, email=email, at=course.now()
    )
