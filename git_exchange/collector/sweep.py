"""The sweep: heads against records. Whatever a hook missed becomes a delivery; after a deadline, reads are evidence.

One machine sweeps at a time. It asks the forge for the heads of a whole course in few requests, and reads nothing else
of the students' work: workers do.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from git_exchange.collector.config import CollectorConfig
from git_exchange.collector.courses import Courses
from git_exchange.collector.inbox import Inbox
from git_exchange.collector.jobs import Jobs
from git_exchange.collector.timed import release_due
from git_exchange.collector.values import Arrival, reason
from git_exchange.course.attempts import CourseHeads, Reading, read_heads
from git_exchange.course.course import Course
from git_exchange.course.extensions import read_extensions
from git_exchange.course.receipts import read_ledgers
from git_exchange.course.register import read_register
from git_exchange.course.releases import Release, releases
from git_exchange.course.seats import Identities, Seat, seats
from git_exchange.errors import CourseError, CredentialsError, InboxUnavailable, SignInRefused
from git_exchange.operations.pinning import pin
from git_exchange.operations.policy import Policy
from git_exchange.rules import layout
from git_exchange.rules.receipt import Ledger
from git_exchange.transport.housekeeping import tidy

_log = logging.getLogger(__name__)

# Looks around a due date: what came in time is known before, and that nothing else had come by then is known after.
BEFORE, AFTER = timedelta(seconds=30), timedelta(seconds=5)
_LEASE_SECONDS = 180.0


@dataclass(frozen=True)
class Swept:
    """How many deliveries were ``found`` missing, and which courses could not be read."""

    found: int
    failed: tuple[str, ...]


class Sweeper:
    """Sweeps all courses; remembers when the next due date wants a sweep of its own."""

    def __init__(self, config: CollectorConfig, inbox: Inbox, courses: Courses) -> None:
        self._config, self._inbox, self._courses = config, inbox, courses
        self._jobs = Jobs(inbox, lease_seconds=config.work.lease_seconds, max_tries=config.work.max_tries)
        self._owner = uuid.uuid4().hex
        self._moments: dict[str, frozenset[datetime]] = {}

    def next_after(self, last: datetime) -> datetime:
        """Return when to sweep next, after a sweep that began at ``last``."""
        regular = last + timedelta(seconds=self._config.sweep.seconds)
        return min([regular, *(moment for known in self._moments.values() for moment in known if moment > last)])

    def sweep(self) -> Swept | None:
        """Sweep all courses; None if another machine does at the moment. Raise InboxUnavailable.

        A course that cannot be read is logged, noted and tried again with the next sweep.
        """
        found, failed = 0, []
        try:
            for course_id in self._config.courses:
                if not self._inbox.lease("sweep", self._owner, _LEASE_SECONDS):
                    return None
                began = _now()
                try:
                    found += self._sweep_course(course_id)
                except InboxUnavailable:
                    raise
                except Exception as error:  # noqa: BLE001 - one course's trouble must not leave the others unswept
                    failed.append(course_id)
                    self._failed(course_id, error)
                else:
                    self._inbox.mark("sweep", course_id, began)
                self._release_due(course_id)
        finally:
            self._inbox.end_lease("sweep", self._owner)
        self._inbox.prune()
        return Swept(found, tuple(failed))

    def _release_due(self, course_id: str) -> None:
        """Release what was scheduled and is due, whatever became of the rest of the sweep, and come when more is."""
        try:
            course = self._courses.course(course_id)
            soonest = release_due(course) if not course.staff().archived else None
        except Exception as error:  # noqa: BLE001 - as above
            _log.error("Timed work of %s: %s", course_id, reason(error))
            self._inbox.mark("scheduled failed", course_id, _now(), reason(error))
        else:
            if soonest is not None:
                self._moments[course_id] = self._moments.get(course_id, frozenset()) | {soonest + AFTER}

    def _failed(self, course_id: str, error: Exception) -> None:
        if isinstance(error, (CredentialsError, SignInRefused)):
            self._courses.sign_out()
        _log.error("The sweep could not read %s: %s", course_id, reason(error))
        self._inbox.mark("sweep failed", course_id, _now(), reason(error))

    def _sweep_course(self, course_id: str) -> int:
        course = self._courses.course(course_id)
        if course.staff().archived:
            return 0
        released = releases(course)
        extensions = read_extensions(course)
        policies = {
            one.assignment_id: Policy(due=one.due, extensions=extensions.of(one.assignment_id)) for one in released
        }
        self._moments[course_id] = _moments(policies.values())
        everybody = _rightful(course)
        if not released or not everybody:
            return 0
        ledgers = read_ledgers(course, [one.assignment_id for one in released])
        heads = read_heads(course, everybody, [one.assignment_id for one in released])
        for project_id, why in heads.heads.unreadable.items():
            _log.warning("%s: the branches of project %d cannot be read: %s", course_id, project_id, why)
        found = self._missed(course_id, released, ledgers, heads)
        for one in released:
            ledger, policy = ledgers[one.assignment_id], policies[one.assignment_id]
            unchanged = _unchanged(one, everybody, heads, ledger)
            pin(course, one.assignment_id, unchanged, ledger, policy)
        tidy(course.cache(), max_bytes=course.settings.limits.cache_bytes)
        return found

    def _missed(self, course_id: str, released: list[Release], ledgers: dict[str, Ledger], heads: CourseHeads) -> int:
        """Put every head that is not on record into the inbox, unless it is being worked on or given up; count them."""
        by_ref = {layout.submit_ref(one.assignment_id): ledgers[one.assignment_id] for one in released}
        pending = self._inbox.pending(course_id)
        found = 0
        for (project_id, ref), commit in heads.heads.heads.items():
            ledger = by_ref[ref]
            recorded = ledger.pin(project_id, ref, commit) is not None or ledger.removed(project_id, ref, commit)
            if recorded or (project_id, ref) in pending:
                continue
            if self._jobs.told(project_id, ref, [commit]):
                continue  # it came around its deadline: the staff decide, and nothing is pinned
            delivery = f"sweep:{project_id}:{ref}:{commit}"
            found += self._inbox.open_again(Arrival(delivery, course_id, project_id, ref, commit, _now()))
        return found


def _rightful(course: Course) -> list[Seat]:
    """Return the seats whose projects are the students' own by the record; others are for people to look at."""
    identities, found = Identities(read_register(course)), []
    for seat in seats(course):
        try:
            identities.check(seat)
        except CourseError as error:
            _log.warning("%s: %s", course.course_id, error)
        else:
            found.append(seat)
    return found


def _unchanged(release: Release, everybody: list[Seat], read: CourseHeads, ledger: Ledger) -> list[Reading]:
    """Return what is seen of the branches that hold nothing new to the record: evidence that nothing else had come."""
    ref = layout.submit_ref(release.assignment_id)
    found = []
    for seat in everybody:
        head = read.heads.heads.get((seat.project.id, ref))
        known = head is None or ledger.pin(seat.project.id, ref, head) is not None
        if known and seat.project.id not in read.heads.unreadable:
            found.append(Reading(seat, ref, read.heads.at, read.begun, head))
    return found


def _moments(policies: Iterable[Policy]) -> frozenset[datetime]:
    dues = {
        due
        for policy in policies
        if policy.due is not None
        for due in (policy.due, *(max(policy.due, until) for until in policy.extensions.values()))
    }
    return frozenset(moment for due in dues for moment in (due - BEFORE, due + AFTER))


def _now() -> datetime:
    return datetime.now(timezone.utc)
