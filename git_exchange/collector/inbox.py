"""The inbox: every delivery that has to be looked at, kept until it was. It is the truth; the queue only wakes workers.

What workers do with its rows is in ``jobs``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timezone

import sqlalchemy as sa

from git_exchange.collector.database import ARRIVALS, LEASES, MARKS, SIGNING, TOLD, Database
from git_exchange.collector.values import Arrival
from git_exchange.errors import InboxUnavailable

__all__ = ["Counts", "DeadLetter", "Inbox", "InboxUnavailable", "Mark"]

# GitLab and Gitea keep deliveries for a week and send one again on request; older ones would be harmless, too.
KEPT_SECONDS = 14 * 86400.0
KEPT_ROWS = 500_000
TOLD_KEPT_SECONDS = 400 * 86400.0
_MARK_EVERY = 5.0
_REST_SECONDS = 3600.0
# What became of a delivery whose branch holds no attempt, but the release itself, say, or what the staff removed.
NOTHING = "nothing on the branch"


@dataclass(frozen=True)
class Counts:
    """How many deliveries are in each state; ``oldest_waiting`` in seconds, None if nothing waits or is worked on.

    ``received`` (deliveries) is of the two weeks that are kept, ``recorded`` (attempts) of a year.
    """

    waiting: int
    leased: int
    done: int
    dead: int
    oldest_waiting: float | None
    received: int
    recorded: int


@dataclass(frozen=True)
class DeadLetter:
    """A delivery that is not tried again by itself, and why."""

    delivery: str
    course_id: str
    project_id: int
    ref: str
    received: datetime
    tries: int
    reason: str


@dataclass(frozen=True)
class Mark:
    """When something last happened, and how often it did; ``note`` says how it went."""

    at: datetime
    note: str
    number: int


class Inbox:
    """Deliveries by their key. All methods may be called from several threads and processes at once.

    Each raises InboxUnavailable when the database is locked, full or gone.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self.database = database
        self.clock = clock
        self._marked: dict[str, float] = {}

    @classmethod
    def open(cls, url: str, clock: Callable[[], float] = time.time) -> Inbox:
        """Open the inbox of an SQLAlchemy URL. Raise ConfigurationError, InboxUnavailable."""
        return cls(Database.open(url), clock)

    def close(self) -> None:
        """Give the connections back."""
        self.database.close()

    def receive(self, arrival: Arrival) -> bool:
        """Keep a delivery; return False if it is known already. When this returns, it survives a power cut."""
        with self.database.writing() as connection:
            known = sa.select(ARRIVALS.c.delivery).where(ARRIVALS.c.delivery == arrival.delivery)
            if connection.execute(known).first() is not None:
                return False
            return self.database.add(connection, ARRIVALS, **_row(arrival, self.clock()))

    def open_again(self, arrival: Arrival) -> bool:
        """Keep a delivery, or put one that was done back among the waiting; return whether either was so.

        Where nothing that could be recorded was found, it rests for an hour.
        """
        if self.receive(arrival):
            return True
        rested = (ARRIVALS.c.outcome != NOTHING) | (ARRIVALS.c.ended <= self.clock() - _REST_SECONDS)
        ended = ARRIVALS.c.state.in_(("done", "superseded")) & rested
        with self.database.writing() as connection:
            changed = connection.execute(
                sa.update(ARRIVALS)
                .where(ARRIVALS.c.delivery == arrival.delivery, ended)
                .values(state="waiting", due=self.clock(), tries=0, looks=0, outcome="opened again")
            )
            return bool(changed.rowcount)

    def pending(self, course_id: str) -> frozenset[tuple[int, str]]:
        """Return the (project id, ref) of the course that wait, are worked on or are dead."""
        state = ARRIVALS.c.state.in_(("waiting", "leased", "dead"))
        query = sa.select(ARRIVALS.c.project_id, ARRIVALS.c.ref).where(ARRIVALS.c.course_id == course_id, state)
        with self.database.reading() as connection:
            return frozenset((project, ref) for project, ref in connection.execute(query))

    def hook_signs(self, project_id: int) -> bool:
        """Return whether a hook of the project has ever signed what it sent."""
        with self.database.reading() as connection:
            query = sa.select(SIGNING).where(SIGNING.c.project_id == project_id)
            return connection.execute(query).first() is not None

    def note_hook(self, course_id: str, project_id: int, at: datetime, signed: bool) -> None:
        """Note that the course's hooks work, and whether this one signs.

        The time is written every few seconds only: it tells people that hooks arrive.
        """
        moment = at.timestamp()
        if signed and not self.hook_signs(project_id):
            with self.database.writing() as connection:
                self.database.add(connection, SIGNING, project_id=project_id)
        if moment - self._marked.get(course_id, 0.0) >= _MARK_EVERY:
            self.mark("hook", course_id, at)
            self._marked[course_id] = moment

    def mark(self, name: str, course_id: str, at: datetime, note: str = "") -> None:
        """Note that something happened; a later time that was noted before stays."""
        mine = (MARKS.c.name == name) & (MARKS.c.course_id == course_id)
        moment = at.timestamp()
        later = {"at": sa.case((MARKS.c.at > moment, MARKS.c.at), else_=moment), "number": MARKS.c.number + 1}
        change = sa.update(MARKS).where(mine).values(note=note, **later)
        new = {"name": name, "course_id": course_id, "at": moment, "note": note, "number": 1}
        with self.database.writing() as connection:
            if not connection.execute(change).rowcount and not self.database.add(connection, MARKS, **new):
                connection.execute(change)

    def marks(self, name: str) -> dict[str, Mark]:
        """Return what was noted, by course id."""
        with self.database.reading() as connection:
            rows = connection.execute(sa.select(MARKS).where(MARKS.c.name == name)).all()
        return {row.course_id: Mark(_aware(row.at), row.note, row.number) for row in rows}

    def lease(self, name: str, owner: str, seconds: float) -> bool:
        """Take or renew what only one may do at a time; False if somebody else has it."""
        now = self.clock()
        with self.database.writing() as connection:
            row = connection.execute(sa.select(LEASES).where(LEASES.c.name == name).with_for_update()).first()
            if row is None:
                return self.database.add(connection, LEASES, name=name, owner=owner, until=now + seconds)
            if row.owner != owner and row.until > now:
                return False
            mine = sa.update(LEASES).where(LEASES.c.name == name)
            connection.execute(mine.values(owner=owner, until=now + seconds))
            return True

    def end_lease(self, name: str, owner: str) -> None:
        """Give back what was leased."""
        with self.database.writing() as connection:
            connection.execute(sa.delete(LEASES).where(LEASES.c.name == name, LEASES.c.owner == owner))

    def counts(self, course_id: str | None = None) -> Counts:
        """Return how many deliveries are in which state, of one course or of all."""
        mine = sa.true() if course_id is None else ARRIVALS.c.course_id == course_id
        told = sa.select(sa.func.count()).select_from(TOLD)
        if course_id is not None:
            told = told.where(TOLD.c.course_id == course_id)
        grouped = sa.select(ARRIVALS.c.state, sa.func.count(), sa.func.min(ARRIVALS.c.received))
        with self.database.reading() as connection:
            rows = connection.execute(grouped.where(mine).group_by(ARRIVALS.c.state)).all()
            recorded = connection.execute(told).scalar_one()
        number = {row[0]: int(row[1]) for row in rows}
        oldest = min((row[2] for row in rows if row[0] in ("waiting", "leased")), default=None)
        return Counts(
            waiting=number.get("waiting", 0),
            leased=number.get("leased", 0),
            done=number.get("done", 0) + number.get("superseded", 0),
            dead=number.get("dead", 0),
            oldest_waiting=None if oldest is None else max(0.0, self.clock() - oldest),
            received=sum(number.values()),
            recorded=int(recorded),
        )

    def dead(self) -> tuple[DeadLetter, ...]:
        """Return what is not tried again by itself, oldest first."""
        query = sa.select(ARRIVALS).where(ARRIVALS.c.state == "dead").order_by(ARRIVALS.c.received)
        with self.database.reading() as connection:
            rows = connection.execute(query).all()
        return tuple(
            DeadLetter(r.delivery, r.course_id, r.project_id, r.ref, _aware(r.received), r.tries, r.outcome)
            for r in rows
        )

    def revive(self, deliveries: Collection[str] | None = None) -> int:
        """Put dead letters (None: all) back among the waiting; return how many."""
        which = sa.true() if deliveries is None else ARRIVALS.c.delivery.in_(deliveries)
        with self.database.writing() as connection:
            revived = connection.execute(
                sa.update(ARRIVALS)
                .where(ARRIVALS.c.state == "dead", which)
                .values(state="waiting", due=self.clock(), tries=0, looks=0, alone=True)
            )
            return int(revived.rowcount)

    def prune(self, rows: int = KEPT_ROWS) -> int:
        """Forget what ended two weeks ago, and the oldest of more than ``rows`` that ended; return how many."""
        ended = ARRIVALS.c.state.in_(("done", "superseded"))
        newest = sa.select(ARRIVALS.c.ended).where(ended).order_by(ARRIVALS.c.ended.desc()).offset(rows).limit(1)
        with self.database.writing() as connection:
            over = connection.execute(newest).scalar()
            before = max(self.clock() - KEPT_SECONDS, over if over is not None else 0.0)
            connection.execute(sa.delete(TOLD).where(TOLD.c.at <= self.clock() - TOLD_KEPT_SECONDS))
            return int(connection.execute(sa.delete(ARRIVALS).where(ended, ARRIVALS.c.ended <= before)).rowcount)


def _row(arrival: Arrival, now: float) -> dict[str, object]:
    return {
        "delivery": arrival.delivery,
        "course_id": arrival.course_id,
        "project_id": arrival.project_id,
        "ref": arrival.ref,
        "commit_id": arrival.commit,
        "received": arrival.received.timestamp(),
        "state": "waiting",
        "due": now,
        "tries": 0,
        "looks": 0,
        "alone": False,
        "owner": "",
        "until": 0.0,
        "outcome": "",
        "ended": 0.0,
    }


def _aware(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=timezone.utc)
