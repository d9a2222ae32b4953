"""Invitations by e-mail to groups and projects that nobody has accepted yet."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from git_exchange.devserver.clock import Clock, read, written
from git_exchange.devserver.store.database import Database

LASTS = timedelta(days=90)


@dataclass(frozen=True)
class Invitation:
    """An address that may become a member of ``source`` and ``source_id`` with this level."""

    source: str
    source_id: int
    email: str
    level: int
    created_at: datetime
    created_by: int
    expires_at: date | None


class Invitations:
    """The table of invitations. Those that nobody accepted in time are gone for every question."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def set(self, source: str, source_id: int, email: str, level: int, *, by: int, expires_at: date | None) -> None:
        """Invite an address, or change the level of its invitation."""
        self._forget_old()
        self._database.run(
            "INSERT INTO invitations (source, source_id, email, level, created_at, created_by, expires_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (source, source_id, email)"
            " DO UPDATE SET level = excluded.level, expires_at = excluded.expires_at",
            (
                *(source, source_id, email.lower(), level, written(self._clock.now()), by),
                expires_at.isoformat() if expires_at else None,
            ),
        )

    def find(self, source: str, source_id: int, email: str) -> Invitation | None:
        """Return the open invitation of an address, case ignored."""
        return next((one for one in self.of(source, source_id) if one.email == email.lower()), None)

    def of(self, source: str, source_id: int) -> list[Invitation]:
        """Return the open invitations, oldest first."""
        self._forget_old()
        rows = self._database.rows(
            "SELECT * FROM invitations WHERE source = ? AND source_id = ? ORDER BY id", (source, source_id)
        )
        return [_invitation(row) for row in rows]

    def to(self, email: str) -> list[Invitation]:
        """Return the open invitations of an address to whatever."""
        self._forget_old()
        return [_invitation(row) for row in self._database.rows("SELECT * FROM invitations WHERE email = ?", (email,))]

    def remove(self, invitation: Invitation) -> None:
        """Take an invitation back, or away because it was accepted."""
        self._database.run(
            "DELETE FROM invitations WHERE source = ? AND source_id = ? AND email = ?",
            (invitation.source, invitation.source_id, invitation.email),
        )

    def _forget_old(self) -> None:
        self._database.run("DELETE FROM invitations WHERE created_at < ?", (written(self._clock.now() - LASTS),))


def _invitation(row: sqlite3.Row) -> Invitation:
    return Invitation(
        row["source"],
        row["source_id"],
        row["email"],
        row["level"],
        read(row["created_at"]),
        row["created_by"],
        date.fromisoformat(row["expires_at"]) if row["expires_at"] else None,
    )
