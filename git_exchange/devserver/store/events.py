"""Push events. GitLab makes the rows in a queue, some time after the push: a test may make that time long."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from git_exchange.devserver.clock import Clock, read, written
from git_exchange.devserver.store.database import Database
from git_exchange.devserver.values import PushEvent

# GitLab moves a project's last_activity_at at most this often (app/models/event.rb).
ACTIVITY_INTERVAL = timedelta(hours=1)

COLUMNS = "project_id, author_id, action, ref_type, ref, commit_from, commit_to, commit_title, commit_count, ref_count"


@dataclass(frozen=True)
class PushData:
    """What becomes an event: all but its id and time."""

    project_id: int
    author_id: int
    action: str
    ref_type: str
    ref: str | None
    commit_from: str | None
    commit_to: str | None
    commit_title: str | None
    commit_count: int
    ref_count: int | None

    def values(self) -> tuple[str | int | None, ...]:
        """Return the values in the order of COLUMNS."""
        return (
            self.project_id,
            self.author_id,
            self.action,
            self.ref_type,
            self.ref,
            self.commit_from,
            self.commit_to,
            self.commit_title,
            self.commit_count,
            self.ref_count,
        )


class Events:
    """The tables of events and of those that still wait in the queue.

    ``lag`` is the delay in seconds of rows to come; with ``held`` they wait until ``release``.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self.lag = 0.0
        self.held = False

    def add(self, pushes: Iterable[PushData]) -> None:
        """Record pushes, now or when the queue lets them through."""
        with self._database.transaction():
            for push in pushes:
                if self.held or self.lag:
                    due = None if self.held else written(self._clock.now() + timedelta(seconds=self.lag))
                    self._database.insert(
                        f"INSERT INTO waiting_events ({COLUMNS}, due) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
                        (*push.values(), due),
                    )
                else:
                    self._insert(push, self._clock.now())

    def release(self) -> None:
        """Let everything through that waits without a time of its own, as of now."""
        self.held = False
        self._pass("due IS NULL")

    def of(
        self, project_id: int, *, after: date | None = None, before: date | None = None, newest_first: bool = True
    ) -> list[PushEvent]:
        """Return a project's events between two days, both excluded."""
        self.settle()
        order = "DESC" if newest_first else "ASC"
        rows = self._database.rows(
            "SELECT * FROM events WHERE project_id = ? AND created_at >= ? AND created_at < ?"  # noqa: S608
            f" ORDER BY id {order}",
            (
                project_id,
                "" if after is None else (after + timedelta(days=1)).isoformat(),
                "9999" if before is None else before.isoformat(),
            ),
        )
        return [_event(row) for row in rows]

    def settle(self) -> None:
        """Let everything through whose time has come."""
        self._pass("due <= ?", written(self._clock.now()))

    def delete(self, event_id: int) -> bool:
        """Remove an event as if it had never been written; False if there is none."""
        return self._database.run("DELETE FROM events WHERE id = ?", (event_id,)) > 0

    def _pass(self, which: str, *arguments: str) -> None:
        waiting = self._database.rows(f"SELECT * FROM waiting_events WHERE {which} ORDER BY number", arguments)  # noqa: S608
        if not waiting:
            return
        with self._database.transaction():
            for row in waiting:
                push = PushData(*(row[name] for name in COLUMNS.split(", ")))
                self._insert(push, read(row["due"]) if row["due"] else self._clock.now())
                self._database.run("DELETE FROM waiting_events WHERE number = ?", (row["number"],))

    def _insert(self, push: PushData, at: datetime) -> None:
        self._database.insert(
            f"INSERT INTO events ({COLUMNS}, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
            (*push.values(), written(at)),
        )
        self._database.run(
            "UPDATE projects SET last_activity_at = ? WHERE id = ? AND last_activity_at <= ?",
            (written(at), push.project_id, written(at - ACTIVITY_INTERVAL)),
        )


def _event(row: sqlite3.Row) -> PushEvent:
    return PushEvent(
        row["id"],
        row["project_id"],
        row["author_id"],
        read(row["created_at"]),
        row["action"],
        row["ref_type"],
        row["ref"],
        row["commit_from"],
        row["commit_to"],
        row["commit_title"],
        row["commit_count"],
        row["ref_count"],
    )
