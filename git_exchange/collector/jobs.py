"""What workers do with the rows of the inbox: lease some, and say how it went.

A job is a branch of a seat with everything that is waiting for it: one look at the branch answers all of it. One seat
is never worked on twice at once. Jobs of one assignment are leased together, so that one push records many.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timezone

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from git_exchange.collector.database import ARRIVALS, LEASES, TOLD
from git_exchange.collector.inbox import Inbox

BATCH = 20
_FIRST_PAUSE, _LONGEST_PAUSE = 10.0, 900.0
_REASON = 500


@dataclass(frozen=True)
class Job:
    """One branch of one project to look at. ``deliveries`` and the ``commits`` they announced are newest first."""

    project_id: int
    deliveries: tuple[str, ...]
    commits: tuple[str, ...]
    received: datetime
    tries: int
    looks: int


@dataclass(frozen=True)
class Batch:
    """Jobs of one course and branch name, leased until finished or until the lease, ``token``, ends."""

    token: str
    course_id: str
    ref: str
    jobs: tuple[Job, ...]


class Jobs:
    """The workers' side of an inbox. All methods may raise InboxUnavailable."""

    def __init__(self, inbox: Inbox, *, lease_seconds: float, max_tries: int) -> None:
        self._inbox, self._database = inbox, inbox.database
        self._lease_seconds, self._max_tries = lease_seconds, max_tries

    def claim(self) -> Batch | None:
        """Lease what is due of one assignment; None if nothing is."""
        now = self._inbox.clock()
        with self._database.writing() as connection:
            self._one_at_a_time(connection)
            self._take_back(connection, now)
            waiting = ARRIVALS.c.state == "waiting"
            busy = sa.select(ARRIVALS.c.project_id).where(ARRIVALS.c.state == "leased")
            due = waiting & (ARRIVALS.c.due <= now) & ARRIVALS.c.project_id.not_in(busy)
            first = connection.execute(
                sa.select(ARRIVALS).where(due).order_by(ARRIVALS.c.due, ARRIVALS.c.received).limit(1)
            ).first()
            if first is None:
                return None
            group = waiting & (ARRIVALS.c.course_id == first.course_id) & (ARRIVALS.c.ref == first.ref)
            alone = sa.select(ARRIVALS.c.project_id).where(group, ARRIVALS.c.alone)
            projects = {first.project_id}
            if connection.execute(alone.where(ARRIVALS.c.project_id == first.project_id)).first() is None:
                by_age = (
                    sa.select(ARRIVALS.c.project_id)
                    .where(group, due, ARRIVALS.c.project_id.not_in(alone))
                    .group_by(ARRIVALS.c.project_id)
                    .order_by(sa.func.min(ARRIVALS.c.due))
                    .limit(BATCH)
                )
                projects |= set(connection.execute(by_age).scalars())
            token = uuid.uuid4().hex
            mine = group & ARRIVALS.c.project_id.in_(projects)
            connection.execute(
                sa.update(ARRIVALS).where(mine).values(state="leased", owner=token, until=now + self._lease_seconds)
            )
            newest_first = (ARRIVALS.c.received.desc(), ARRIVALS.c.delivery.desc())
            rows = connection.execute(
                sa.select(ARRIVALS).where(ARRIVALS.c.owner == token).order_by(*newest_first)
            ).all()
        by_project: dict[int, list[sa.Row[tuple[object, ...]]]] = {}
        for row in rows:
            by_project.setdefault(row.project_id, []).append(row)
        return Batch(token, first.course_id, first.ref, tuple(_job(rows) for rows in by_project.values()))

    def finish(self, batch: Batch, job: Job, outcome: str) -> bool:
        """Say that the job is done; False if the lease had ended and somebody else has it.

        The newest delivery is done, the older ones and dead ones of the same branch are superseded.
        """
        now = self._inbox.clock()
        with self._database.writing() as connection:
            ended = {"outcome": outcome, "ended": now, "owner": ""}
            newest = self._leased(batch, job) & (ARRIVALS.c.delivery == job.deliveries[0])
            if not connection.execute(sa.update(ARRIVALS).where(newest).values(state="done", **ended)).rowcount:
                return False
            mine = (ARRIVALS.c.project_id == job.project_id) & (ARRIVALS.c.ref == batch.ref)
            dead = mine & (ARRIVALS.c.state == "dead") & (ARRIVALS.c.received <= job.received.timestamp())
            older = self._leased(batch, job) | dead
            connection.execute(sa.update(ARRIVALS).where(older).values(state="superseded", **ended))
            return True

    def again(self, batch: Batch, job: Job, seconds: float, reason: str, *, looked: bool) -> bool:
        """Put the job back to be done later, which is no failure; ``looked`` counts as a look at it."""
        values = {"due": self._inbox.clock() + seconds, "outcome": reason[:_REASON]}
        if looked:
            values["looks"] = job.looks + 1
        return self._put_back(self._leased(batch, job), **values)

    def fail(self, batch: Batch, job: Job, reason: str) -> bool:
        """Say that the job failed: it is tried again later, and after ``max_tries`` failures it is dead."""
        tries = job.tries + 1
        due = self._inbox.clock() + min(_FIRST_PAUSE * 3**job.tries, _LONGEST_PAUSE)
        state = "dead" if tries >= self._max_tries else "waiting"
        return self._put_back(
            self._leased(batch, job), state=state, tries=tries, due=due, outcome=reason[:_REASON], alone=True
        )

    def one_by_one(self, batch: Batch) -> None:
        """Put a batch that failed as a whole back, each job to be done for itself at once: one of them is the cause."""
        self._put_back(self._held(batch), alone=True)

    def give_back(self, batch: Batch) -> None:
        """Put back what of the batch is not finished, as if it had never been leased."""
        self._put_back(self._held(batch))

    def told(self, project_id: int, ref: str, commits: Collection[str]) -> frozenset[str]:
        """Return those commits that are on record and of which the student was told."""
        mine = (TOLD.c.project_id == project_id) & (TOLD.c.ref == ref) & TOLD.c.commit_id.in_(commits)
        with self._database.reading() as connection:
            return frozenset(connection.execute(sa.select(TOLD.c.commit_id).where(mine)).scalars())

    def tell(self, course_id: str, project_id: int, ref: str, commit: str) -> None:
        """Note that the commit is on record and the student was told."""
        values = {"course_id": course_id, "project_id": project_id, "ref": ref, "commit_id": commit}
        with self._database.writing() as connection:
            self._database.add(connection, TOLD, at=self._inbox.clock(), **values)

    def _one_at_a_time(self, connection: Connection) -> None:
        """Let no other claim happen until this transaction ends (SQLite has one writer anyway)."""
        row = sa.select(LEASES.c.name).where(LEASES.c.name == "claim").with_for_update()
        if connection.execute(row).first() is None:
            self._database.add(connection, LEASES, name="claim", owner="", until=0.0)
            connection.execute(row)

    def _take_back(self, connection: Connection, now: float) -> None:
        """Count what a worker did not finish within its lease as a failure: it may be what ended the worker."""
        dead = ARRIVALS.c.tries + 1 >= self._max_tries
        connection.execute(
            sa.update(ARRIVALS)
            .where(ARRIVALS.c.state == "leased", ARRIVALS.c.until <= now)
            .values(
                state=sa.case((dead, "dead"), else_="waiting"),
                tries=ARRIVALS.c.tries + 1,
                alone=True,
                due=now,
                owner="",
                outcome="The worker that had it ended, or took longer than its lease.",
            )
        )

    def _put_back(self, which: sa.ColumnElement[bool], **values: object) -> bool:
        with self._database.writing() as connection:
            changed = connection.execute(
                sa.update(ARRIVALS).where(which).values({"state": "waiting", "owner": "", **values})
            )
            return bool(changed.rowcount)

    @staticmethod
    def _held(batch: Batch) -> sa.ColumnElement[bool]:
        return (ARRIVALS.c.owner == batch.token) & (ARRIVALS.c.state == "leased")

    def _leased(self, batch: Batch, job: Job) -> sa.ColumnElement[bool]:
        return self._held(batch) & (ARRIVALS.c.project_id == job.project_id)


def _job(rows: list[sa.Row[tuple[object, ...]]]) -> Job:
    """Return the job of a project's rows, newest first."""
    newest = rows[0]
    return Job(
        project_id=newest.project_id,
        deliveries=tuple(row.delivery for row in rows),
        commits=tuple(dict.fromkeys(row.commit_id for row in rows)),
        received=datetime.fromtimestamp(newest.received, tz=timezone.utc),
        tries=max(row.tries for row in rows),
        looks=newest.looks,
    )
