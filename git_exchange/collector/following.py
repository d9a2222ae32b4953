"""What follows on recording, where another machine recorded: its workers have no course directory, this one has."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timezone

import sqlalchemy as sa

from git_exchange.collector.config import CollectorConfig
from git_exchange.collector.courses import Courses, release_of, seats_of
from git_exchange.collector.database import TOLD
from git_exchange.collector.inbox import Inbox
from git_exchange.collector.worker import Afterwards
from git_exchange.course.receipts import read_ledger
from git_exchange.errors import GitExchangeError
from git_exchange.operations.readings import read_assignment

_log = logging.getLogger(__name__)

# Older ones are left alone: who makes a rule for a course that has been running does not mean all of its past.
_SINCE_SECONDS = 86400.0
_AT_ONCE = 50


class Following:
    """Calls what follows for attempts of this machine's courses that others have recorded."""

    def __init__(
        self, config: CollectorConfig, inbox: Inbox, courses: Courses, afterwards: Sequence[Afterwards]
    ) -> None:
        self._inbox, self._courses, self._afterwards = inbox, courses, tuple(afterwards)
        self._mine = sorted({rule.course for rule in config.collect})

    def follow(self) -> int:
        """Do what is to be done now, and return for how many attempts. Raise InboxUnavailable.

        Of a student's attempts at an assignment only the newest is followed. What cannot be read now is tried again.
        """
        open_ones = TOLD.c.followed.is_(sa.false()) & TOLD.c.course_id.in_(self._mine)
        recent = TOLD.c.at >= self._inbox.clock() - _SINCE_SECONDS
        query = sa.select(TOLD).where(open_ones, recent).order_by(TOLD.c.at).limit(_AT_ONCE)
        with self._inbox.database.reading() as connection:
            rows = connection.execute(query).all()
        newest = {(row.course_id, row.project_id, row.ref): row for row in rows}
        done = 0
        for (course_id, project_id, ref), row in newest.items():
            try:
                self._one(course_id, project_id, ref, row.commit_id)
            except Exception as error:  # noqa: BLE001 - the attempt is on record, and the next one is waiting
                reason = str(error) if isinstance(error, GitExchangeError) else f"{type(error).__name__}: {error}"
                _log.error("%s, project %d: %s", course_id, project_id, reason)
                self._inbox.mark("afterwards failed", course_id, datetime.now(timezone.utc), reason)
                continue
            mine = (TOLD.c.project_id == project_id) & (TOLD.c.ref == ref) & (TOLD.c.at <= row.at)
            with self._inbox.database.writing() as connection:
                connection.execute(sa.update(TOLD).where(mine).values(followed=True))
            done += 1
        return done

    def _one(self, course_id: str, project_id: int, ref: str, commit: str) -> None:
        course = self._courses.course(course_id)
        release, seat = release_of(course, ref), seats_of(course, [project_id]).get(project_id)
        if release is None or seat is None:
            return
        if isinstance(seat, GitExchangeError):
            raise seat
        ledger = read_ledger(course, release.assignment_id)
        (reading,) = read_assignment(course, release.assignment_id, [seat], ledger)
        if reading.failure is not None:
            raise reading.failure
        for attempt in reading.attempts:
            if attempt.commit == commit:
                for follow in self._afterwards:
                    follow(course, release.assignment_id, reading, attempt)
