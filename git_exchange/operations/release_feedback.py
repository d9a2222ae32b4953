"""Release feedback: per student a commit on ``feedback/<assignment>``, keyed by the attempt it is about."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from git_exchange.course.attempts import read_attempts, read_heads
from git_exchange.course.course import Course
from git_exchange.course.feedback import Feedback, read_feedback, received
from git_exchange.course.receipts import read_ledger
from git_exchange.course.register import read_register
from git_exchange.course.seats import Identities, Seat, seat_of
from git_exchange.errors import CourseError, FilesError, GitExchangeError, Incomplete, PushRace, PushRefused, RefMissing
from git_exchange.events import Event, Listener, ignore
from git_exchange.files.paths import display, problem
from git_exchange.operations import sidecar
from git_exchange.report import Outcome, Report
from git_exchange.rules import layout, times, trailers
from git_exchange.transport.cache import Repository
from git_exchange.transport.fetch import fetch
from git_exchange.transport.objects import CommitInfo, TreeFile, commit_tree, read_blob, read_commit
from git_exchange.transport.push import push

MAX_PAGE = 200_000_000
RACES = 4


@dataclass(frozen=True)
class Marked:
    """A folder of feedback that nbgrader made: ``folder`` holds ``<notebook>.html`` for one student."""

    student_id: str
    folder: Path
    pages: tuple[Path, ...]


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
        try:
            return _release(course, assignment_id, item, identities, force=force, listener=listener)
        except (GitExchangeError, OSError) as error:
            why = str(error) if isinstance(error, GitExchangeError) else f"{type(error).__name__}: {error}"
            listener(Event(f"Could not release feedback to {display(item.student_id)}: {why}", "error"))
            return Outcome(item.student_id, "failed", why)

    return Report.of(course.in_parallel(one, list(marked)))


def _release(
    course: Course,
    assignment_id: str,
    item: Marked,
    identities: Identities,
    *,
    force: bool,
    listener: Listener,
) -> Outcome:
    for page in item.pages:
        reason = problem(os.fsencode(page.name))
        if reason is not None:
            raise FilesError(
                f"The page {display(os.fsencode(page.name))} cannot be released: {reason}.",
                hint="Rename the notebook in submitted/, then autograde it and generate the feedback again.",
            )
    seat = seat_of(course, item.student_id)
    identities.check(seat)
    attempt, submitted = _attempt(course, seat, assignment_id, item)
    ref = layout.feedback_ref(assignment_id)
    url = course.forge.git_url(seat.project)

    def build_and_push(repository: Repository) -> bool:
        try:
            head: str | None = fetch(repository, url, [ref])[ref]
        except RefMissing:
            head = None
        before = read_feedback(repository, head) if head else Feedback((), {}, {})
        commit = _commit(course, repository, head, before, attempt, submitted, assignment_id, item, force=force)
        if commit is None:
            return False
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
        moment = times.timestamp(submitted) if submitted else attempt[:8]
        listener(
            Event(
                f"{'Releasing feedback' if changed else 'Feedback was released before'} for student"
                f" '{display(item.student_id)}' on assignment"
                f" '{course.course_id}/{assignment_id}/{page.stem}' ({moment})",
                "info" if changed else "debug",
            )
        )
    return Outcome(item.student_id, "released" if changed else "unchanged", attempt)


def _commit(
    course: Course,
    repository: Repository,
    head: str | None,
    before: Feedback,
    attempt: str,
    submitted: datetime | None,
    assignment_id: str,
    item: Marked,
    *,
    force: bool,
) -> str | None:
    """Return the commit to push, None if the branch holds exactly this already."""
    name, email = course.identity()
    other = before.author.get(attempt)
    kept = [file for file in before.files if file.attempt != attempt]
    files = [
        _blob(f"{file.attempt}/{file.notebook_id}.html", read_blob(repository, file.oid, MAX_PAGE)) for file in kept
    ]
    files += [_page(f"{attempt}/{page.name}", page) for page in item.pages]
    said = [
        (trailers.ASSIGNMENT, assignment_id),
        (trailers.COURSE, course.course_id),
        (trailers.STUDENT, item.student_id),
        (trailers.FEEDBACK_FOR, attempt),
    ]
    if submitted is not None:
        said.append((trailers.SUBMITTED, times.isoformat(submitted)))
    commit = commit_tree(
        repository,
        parents=[head] if head else [],
        files=sorted(files, key=lambda file: file.path),
        message=trailers.message(f"Feedback on {assignment_id}", said),
        name=name,
        email=email,
        at=course.now(),
    )
    if head is not None and _tree(repository, head) == _tree(repository, commit):
        return None
    if other is not None and not course.is_mine(other) and not force:
        raise Incomplete(
            f"Feedback for this attempt was released by {display(other)} and is different.",
            hint="Agree with them, then set c.ExchangeReleaseFeedback.force = True to replace it.",
        )
    return commit


def _tree(repository: Repository, commit: str) -> str:
    info: CommitInfo = read_commit(repository, commit)
    return info.tree


def _attempt(course: Course, seat: Seat, assignment_id: str, item: Marked) -> tuple[str, datetime | None]:
    """Return the commit that the feedback is about (or what stands for it), and the time of it that nbgrader knows."""
    submitted = _timestamp(item.folder)
    said = sidecar.read(item.folder)
    if said is not None:
        if said.project_id != seat.project.id or said.ref != layout.submit_ref(assignment_id):
            raise FilesError(
                f"The feedback in {item.folder.name!r} of {display(item.student_id)} belongs to another submission.",
                hint="Collect, autograde and generate the feedback again.",
            )
        return said.commit, submitted
    reading = read_attempts(
        course,
        seat,
        assignment_id,
        read_heads(course, [seat], [assignment_id]),
        None,
        read_ledger(course, assignment_id),
    )
    if reading.failure is not None:
        raise reading.failure
    for attempt in reversed(reading.attempts):
        if submitted is None or attempt.time == submitted:
            return attempt.commit, attempt.time
    if submitted is not None:
        return received(submitted), submitted
    raise FilesError(
        f"It is not known which submission of {display(item.student_id)} this feedback is about.",
        hint="Collect it through the exchange, autograde and generate the feedback again; or, if the work came by"
        " another way, write its time into timestamp.txt in the folder of the feedback.",
    )


def _timestamp(folder: Path) -> datetime | None:
    try:
        return times.parse_timestamp((folder / "timestamp.txt").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _page(path: str, page: Path) -> TreeFile:
    return TreeFile(path=path, executable=False, open=lambda: page.open("rb"), size=page.stat().st_size)


def _blob(path: str, content: bytes) -> TreeFile:
    return TreeFile(path=path, executable=False, open=lambda: io.BytesIO(content), size=len(content))
