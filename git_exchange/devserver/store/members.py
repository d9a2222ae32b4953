"""Direct memberships in groups and projects; what is inherited is computed from them."""

from __future__ import annotations

import sqlite3
from datetime import date

from git_exchange.devserver.clock import Clock, read, written
from git_exchange.devserver.store.database import Database
from git_exchange.devserver.values import Member


class Members:
    """The table of memberships. Expired ones are gone for every question."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def set(
        self, source: str, source_id: int, user_id: int, level: int, *, by: int | None, expires_at: date | None
    ) -> Member:
        """Create or change a membership."""
        self._database.run(
            "INSERT INTO members (source, source_id, user_id, level, created_at, created_by, expires_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (source, source_id, user_id)"
            " DO UPDATE SET level = excluded.level, expires_at = excluded.expires_at",
            (
                source,
                source_id,
                user_id,
                level,
                written(self._clock.now()),
                by,
                expires_at.isoformat() if expires_at else None,
            ),
        )
        member = self.find(source, source_id, user_id)
        if member is None:
            raise ValueError("this membership has already expired")
        return member

    def find(self, source: str, source_id: int, user_id: int) -> Member | None:
        """Return somebody's direct membership."""
        row = self._database.row(
            "SELECT * FROM members WHERE source = ? AND source_id = ? AND user_id = ?"
            " AND (expires_at IS NULL OR expires_at > ?)",
            (source, source_id, user_id, self._today()),
        )
        return None if row is None else _member(row)

    def of(self, source: str, source_id: int) -> list[Member]:
        """Return the direct members, by user id."""
        rows = self._database.rows(
            "SELECT * FROM members WHERE source = ? AND source_id = ? AND (expires_at IS NULL OR expires_at > ?)"
            " ORDER BY user_id",
            (source, source_id, self._today()),
        )
        return [_member(row) for row in rows]

    def of_user(self, user_id: int) -> list[Member]:
        """Return all direct memberships of a user."""
        rows = self._database.rows(
            "SELECT * FROM members WHERE user_id = ? AND (expires_at IS NULL OR expires_at > ?)",
            (user_id, self._today()),
        )
        return [_member(row) for row in rows]

    def remove(self, source: str, source_id: int, user_id: int) -> bool:
        """Remove a direct membership; False if there was none."""
        return (
            self._database.run(
                "DELETE FROM members WHERE source = ? AND source_id = ? AND user_id = ?", (source, source_id, user_id)
            )
            > 0
        )

    def remove_all(self, source: str, source_id: int) -> None:
        """Remove everybody from a group or project that is going away."""
        self._database.run("DELETE FROM members WHERE source = ? AND source_id = ?", (source, source_id))

    def _today(self) -> str:
        return self._clock.now().date().isoformat()


def _member(row: sqlite3.Row) -> Member:
    return Member(
        row["source"],
        row["source_id"],
        row["user_id"],
        row["level"],
        read(row["created_at"]),
        row["created_by"],
        date.fromisoformat(row["expires_at"]) if row["expires_at"] else None,
    )
