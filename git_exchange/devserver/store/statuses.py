"""Commit statuses."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from git_exchange.devserver.clock import Clock, read, written
from git_exchange.devserver.store.database import Database

STATES = ("pending", "running", "success", "failed", "canceled", "skipped")


@dataclass(frozen=True)
class Status:
    """What somebody said about a commit."""

    id: int
    author_id: int
    sha: str
    ref: str | None
    state: str
    name: str
    target_url: str | None
    description: str | None
    coverage: float | None
    created_at: datetime


class Statuses:
    """The table of statuses."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def add(
        self,
        project_id: int,
        author_id: int,
        sha: str,
        *,
        ref: str | None,
        state: str,
        name: str,
        target_url: str | None,
        description: str | None,
        coverage: float | None,
    ) -> Status:
        """Record a status."""
        number = self._database.insert(
            "INSERT INTO statuses (project_id, author_id, sha, ref, state, name, target_url, description, coverage,"
            " created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                project_id,
                author_id,
                sha,
                ref,
                state,
                name,
                target_url,
                description,
                coverage,
                written(self._clock.now()),
            ),
        )
        row = self._database.row("SELECT * FROM statuses WHERE id = ?", (number,))
        if row is None:
            raise KeyError(number)
        return _status(row)

    def of(self, project_id: int, sha: str) -> list[Status]:
        """Return the latest status of each name and ref of a commit, oldest first."""
        rows = self._database.rows(
            "SELECT * FROM statuses WHERE project_id = ? AND sha = ? AND id IN"
            " (SELECT max(id) FROM statuses WHERE project_id = ? AND sha = ? GROUP BY name, ref) ORDER BY id",
            (project_id, sha, project_id, sha),
        )
        return [_status(row) for row in rows]


def _status(row: sqlite3.Row) -> Status:
    return Status(
        row["id"],
        row["author_id"],
        row["sha"],
        row["ref"],
        row["state"],
        row["name"],
        row["target_url"],
        row["description"],
        row["coverage"],
        read(row["created_at"]),
    )
