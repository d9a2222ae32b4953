"""Release feedback: per student a commit on ``feedback/<assignment>``, keyed by the attempt it is about."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TypeVar

from git_exchange.course.course import Course, same_person
from git_exchange.course.feedback import Feedback, read_feedback
from git_exchange.course.register import read_register
from git_exchange.course.seats import Identities, seat_of
from git_exchange.errors import CourseError, GitExchangeError, Incomplete, PushRace, PushRefused, RefMissing
from git_exchange.events import Event, Listener, ignore
from git_exchange.files.paths import display
from git_exchange.operations.feedback_pages import Marked, Prepared, prepare
from git_exchange.report import Outcome, Report
from git_exchange.rules import layout, times, trailers
from git_exchange.rules.schedule import Scheduled
from git_exchange.transport.cache import Repository
from git_exchange.transport.fetch import fetch
from git_exchange.transport.objects import CommitInfo, TreeFile, commit_tree, read_blob, read_commit
from git_exchange.transport.push import push

__all__ = ["MAX_PAGE", "Marked", "for_each", "release_feedback", "send"]

MAX_PAGE = 200_000_000
RACES = 4

_Item = TypeVar("_Item", Marked, Prepared)


def release_feedback(
    course: Course,
    assignment_id: str,
    marked: Collection[Marked],
    *,
    force: bool = False,
    deadline: float | None = None,
    listener: Listener = ignore,
) -> Report:
    """Push each student's feedback into the student's own project.

    The outcomes are "released", "unchanged", "waiting" (``deadline``, monotonic seconds, came first) and "failed".
    Feedback that somebody else released for the same attempt is not replaced without ``force``. Raise NotStaff,
    CourseArchived.
    """
    course.staff()
    course.check_open()
    identities = Identities(read_register(course))

    def one(item: Marked) -> Outcome:
        if deadline is not None and time.monotonic() > deadline:
            return Outcome(item.student_id, "waiting", "the deadline came first; release again")
        prepared = prepare(course, assignment_id, item, identities)
        return send(course, assignment_id, prepared, identities, force=force, listener=listener)

    return for_each(course, marked, one, listener)


def for_each(
    course: Course, items: Collection[_Item], action: Callable[[_Item], Outcome], listener: Listener
) -> Report:
    """Return what became of each student's feedback: one that fails stops no other."""

    def one(item: _Item) -> Outcome:
        try:
            return action(item)
        except (GitExchangeError, OSError) as error:
            why = str(error) if isinstance(error, GitExchangeError) else f"{type(error).__name__}: {error}"
            listener(Event(f"Could not release feedback to {display(item.student_id)}: {why}", "error"))
            return Outcome(item.student_id, "failed", why)

    return Report.of(course.in_parallel(one, list(items)))


def send(
    course: Course,
    assignment_id: str,
    item: Prepared,
    identities: Identities,
    *,
    force: bool,
    scheduled: Scheduled | None = None,
    check: Callable[[Repository, str | None], None] = lambda repository, head: None,
    listener: Listener = ignore,
) -> Outcome:
    """Push one student's feedback: "released" or "unchanged".

    With ``scheduled`` it is sent for who asked for that, once. ``check`` sees the head that it goes on top of, and
    raises what speaks against it. Raise CourseError, Incomplete if somebody else released other feedback.
    """
    seat = seat_of(course, item.student_id)
    identities.check(seat)
    if seat.project.id != item.project_id:
        raise CourseError(
            f"The project of {display(item.student_id)} is another one than when the feedback was staged.",
            hint="Look at the student's project on the forge; release the feedback again if it is right.",
        )
    ref = layout.feedback_ref(assignment_id)
    url = course.forge.git_url(seat.project)

    def build_and_push(repository: Repository) -> bool:
        try:
            head: str | None = fetch(repository, url, [ref])[ref]
        except RefMissing:
            head = None
        before = read_feedback(repository, head) if head else Feedback((), {}, {})
        if scheduled is not None and scheduled.mark in before.schedules:
            return False
        commit = _commit(course, repository, head, before, item, assignment_id, scheduled)
        if head is not None and _tree(repository, head) == _tree(repository, commit):
            return False
        check(repository, head)
        _check_author(course, before.author.get(item.attempt), scheduled, force=force)
        push(repository, url, commit, ref)
        return True

    for race in range(RACES):
        try:
            changed = course.in_repository(lambda cache: cache.seat(seat.project.id), build_and_push)
            break
        except PushRace:
            if race == RACES - 1:
                raise
        except PushRefused as error:
            raise CourseError(
                f"The forge did not let {course.account().username} push feedback:"
                f" {error.server_says or error.message}",
                hint="On GitLab an instructor (Maintainer) releases feedback; graders cannot.",
            ) from error
    for page in item.pages:
        moment = times.timestamp(item.submitted) if item.submitted else item.attempt[:8]
        listener(
            Event(
                f"{'Releasing feedback' if changed else 'Feedback was released before'} for student"
                f" '{display(item.student_id)}' on assignment"
                f" '{course.course_id}/{assignment_id}/{PurePosixPath(page.path).stem}' ({moment})",
                "info" if changed else "debug",
            )
        )
    return Outcome(item.student_id, "released" if changed else "unchanged", item.attempt)


def _commit(
    course: Course,
    repository: Repository,
    head: str | None,
    before: Feedback,
    item: Prepared,
    assignment_id: str,
    scheduled: Scheduled | None,
) -> str:
    """Return a commit that holds the pages in place of earlier ones about the same attempt."""
    name, email = course.identity()
    files = [
        _blob(f"{file.attempt}/{file.notebook_id}.html", read_blob(repository, file.oid, MAX_PAGE))
        for file in before.files
        if file.attempt != item.attempt
    ]
    files += [replace(page, path=f"{item.attempt}/{page.path}") for page in item.pages]
    said = [
        (trailers.ASSIGNMENT, assignment_id),
        (trailers.COURSE, course.course_id),
        (trailers.STUDENT, item.student_id),
        (trailers.FEEDBACK_FOR, item.attempt),
    ]
    if item.submitted is not None:
        said.append((trailers.SUBMITTED, times.isoformat(item.submitted)))
    if scheduled is not None:
        said += [(trailers.SCHEDULE, scheduled.mark), (trailers.SCHEDULED_BY, scheduled.asked_by)]
    return commit_tree(
        repository,
        parents=[head] if head else [],
        files=sorted(files, key=lambda file: file.path),
        message=trailers.message(f"Feedback on {assignment_id}", said),
        name=name,
        email=email,
        at=course.now(),
    )


def _check_author(course: Course, other: str | None, scheduled: Scheduled | None, *, force: bool) -> None:
    """Raise Incomplete if somebody else released the feedback that would be replaced."""
    if other is None or force:
        return
    mine = course.is_mine(other) if scheduled is None else same_person(other, scheduled.asked_by)
    if not mine:
        raise Incomplete(
            f"Feedback for this attempt was released by {display(other)} and is different.",
            hint="Agree with them, then set c.ExchangeReleaseFeedback.force = True to replace it.",
        )


def _tree(repository: Repository, commit: str) -> str:
    info: CommitInfo = read_commit(repository, commit)
    return info.tree


def _blob(path: str, content: bytes) -> TreeFile:
    return TreeFile(path=path, executable=False, open=lambda: io.BytesIO(content), size=len(content))
