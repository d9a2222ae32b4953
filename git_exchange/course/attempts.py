"""The attempts of students at an assignment: what was pushed, and when the forge got it."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from git_exchange.course.course import Course
from git_exchange.course.seats import Seat
from git_exchange.errors import GitExchangeError
from git_exchange.forge.ports import HeadsAt, Push
from git_exchange.rules import layout
from git_exchange.rules.attempt import Attempt, Commit, Evidence, attempts
from git_exchange.rules.last_read import last_other_reads
from git_exchange.rules.receipt import Ledger, Receipt
from git_exchange.transport.cache import Repository
from git_exchange.transport.fetch import fetch
from git_exchange.transport.objects import graph, has_commit, is_ancestor

# A student who makes more commits than this for one assignment is not resubmitting but attacking.
MAX_COMMITS = 5_000


@dataclass(frozen=True)
class CourseHeads:
    """Heads of a course. By the forge's clock they were read not before ``begun`` and not after ``heads.at``."""

    heads: HeadsAt
    begun: datetime


@dataclass(frozen=True)
class Reading:
    """What one seat's branch held between ``begun`` and ``at`` (forge's clock).

    ``failure`` is set if it could not be read; ``alarm`` says that the branch no longer contains what was recorded
    before: history was rewritten.
    """

    seat: Seat
    ref: str
    at: datetime
    begun: datetime
    head: str | None = None
    attempts: tuple[Attempt, ...] = ()
    failure: GitExchangeError | None = None
    alarm: str = ""


def read_heads(
    course: Course, seats: Collection[Seat], assignment_ids: Collection[str], *, feedback: bool = False
) -> CourseHeads:
    """Return the heads of ``submit/*`` (and ``feedback/*``) for the seats and assignments, in few requests."""
    refs = [layout.submit_ref(assignment_id) for assignment_id in assignment_ids]
    refs += [layout.feedback_ref(assignment_id) for assignment_id in assignment_ids if feedback]
    group = course.group()
    started = time.monotonic()
    heads = course.forge.heads(group, [seat.project for seat in seats], refs)
    # The forge's clock shows whole seconds, and ``at`` is one on the safe side.
    return CourseHeads(heads, heads.at - timedelta(seconds=2 + time.monotonic() - started))


def read_attempts(
    course: Course, seat: Seat, assignment_id: str, found: CourseHeads, release: str | None, ledger: Ledger
) -> Reading:
    """Return the attempts of one seat; fetches what is missing. Never raises what concerns this seat alone.

    ``release`` is the release's commit (already in the local ``releases.git``), None if it is not known any more.
    """
    ref = layout.submit_ref(assignment_id)
    heads, begun = found.heads, found.begun
    reason = heads.unreadable.get(seat.project.id)
    head = heads.heads.get((seat.project.id, ref))
    try:
        if reason is not None:
            raise GitExchangeError(f"The forge did not show the branches of {seat.student_id}: {reason}")
        if head is None:
            return Reading(seat, ref, heads.at, begun, alarm=_vanished(seat, ref, ledger))
        return _read(course, seat, ref, found, head, release, ledger)
    except GitExchangeError as error:
        return Reading(seat, ref, heads.at, begun, head, failure=error)


def _read(
    course: Course, seat: Seat, ref: str, read: CourseHeads, head: str, release: str | None, ledger: Ledger
) -> Reading:
    project, at = seat.project, read.heads.at
    pins = {pin.commit: pin for pin in ledger.pins(project.id, ref)}
    pushes = [] if _nothing_to_come(course, pins.get(head)) else _pushes(course, project.id, ref, ledger)

    def look(repository: Repository) -> tuple[tuple[Commit, ...], str]:
        if not has_commit(repository, head):
            fetch(repository, course.forge.git_url(project), [ref], max_bytes=course.settings.limits.max_fetch)
        exclude = [release] if release and has_commit(repository, release) else []
        commits = graph(repository, head, exclude=exclude, limit=MAX_COMMITS)
        lost = [
            commit for commit in pins if not has_commit(repository, commit) or not is_ancestor(repository, commit, head)
        ]
        alarm = (
            f"{seat.student_id}: {ref.removeprefix('refs/heads/')} no longer contains {', '.join(c[:8] for c in lost)},"
            " which was recorded before; its history was rewritten"
            if lost
            else ""
        )
        return tuple(commits), alarm

    commits, alarm = course.in_repository(lambda cache: cache.seat(project.id), look)
    known = frozenset(commit.oid for commit in commits)
    found = attempts(
        commits,
        head,
        _evidence(project.id, ref, head, at, pushes, ledger, known),
        pins,
        removed=frozenset(oid for oid in known if ledger.removed(project.id, ref, oid)),
        now=at,
        grace_seconds=course.settings.grace_seconds,
        settle_seconds=course.settings.settle_seconds,
        identical=course.settings.identical_resubmission,
        last_other_read=last_other_reads(
            commits, ledger.of(project.id, ref), ledger.reads(project.id, ref), read.begun
        ),
    )
    return Reading(seat, ref, at, read.begun, head, found, alarm=alarm)


def _nothing_to_come(course: Course, pin: Receipt | None) -> bool:
    """Return whether a pinned head needs no look at push events: what came before it is on record, too.

    Forges write events from a queue and not always in order, so one of an earlier push may come after the head's.
    """
    return pin is not None and pin.read_at >= pin.time + timedelta(seconds=course.settings.grace_seconds)


def _pushes(course: Course, project_id: int, ref: str, ledger: Ledger) -> list[Push]:
    return [
        push
        for push in course.forge.pushes(project_id, since_id=ledger.last_event(project_id, ref))
        if push.ref == ref and push.after is not None
    ]


def _evidence(
    project_id: int,
    ref: str,
    head: str,
    at: datetime,
    pushes: list[Push],
    ledger: Ledger,
    known: frozenset[str],
) -> list[Evidence]:
    """Return every upper bound there is: push events of exactly this ref, our recorded and our present read."""
    found = [
        Evidence(
            commit=push.after or "",
            at=push.at,
            source="push-event",
            pushed_by=push.account.username,
            event_id=push.id,
            pushed_by_id=push.account.id,
        )
        for push in pushes
    ]
    for commit in known:
        seen = ledger.seen(project_id, ref, commit)
        if seen is not None:
            source = "push-event" if seen.evidence == "push-event" else "seen"
            found.append(Evidence(commit, seen.time, source, seen.pushed_by, seen.event_id, seen.pushed_by_id))
    found.append(Evidence(head, at, "read", "", None))
    return found


def _vanished(seat: Seat, ref: str, ledger: Ledger) -> str:
    if not ledger.pins(seat.project.id, ref):
        return ""
    return (
        f"{seat.student_id}: the branch {ref.removeprefix('refs/heads/')} is gone, though attempts were recorded on it"
    )
