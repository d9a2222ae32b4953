"""Users and their tokens."""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
from collections.abc import Collection
from datetime import date

from git_exchange.devserver.clock import Clock, read, written
from git_exchange.devserver.store.database import Database
from git_exchange.devserver.values import AccessToken, User

PREFIX = "glpat-"


def digest(secret: str) -> str:
    """Return what is stored of a token: enough to recognise it."""
    return hashlib.sha256(secret.encode()).hexdigest()


class Accounts:
    """The tables of users and tokens."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def create(self, username: str, *, name: str, email: str, is_admin: bool = False) -> User:
        """Create a user and the personal namespace. The names must be free."""
        now = written(self._clock.now())
        with self._database.transaction():
            number = self._database.insert(
                "INSERT INTO users (username, name, email, state, is_admin, created_at)"
                " VALUES (?, ?, ?, 'active', ?, ?)",
                (username, name, email, int(is_admin), now),
            )
            self._database.insert(
                "INSERT INTO namespaces (kind, path, name, full_path, full_name, owner_id, visibility, description,"
                " created_at, settings) VALUES ('user', ?, ?, ?, ?, ?, 'public', '', ?, '{}')",
                (username, name, username, name, number, now),
            )
        return self.get(number)

    def get(self, number: int) -> User:
        """Return a user that exists. Raise KeyError."""
        user = self.find(number)
        if user is None:
            raise KeyError(number)
        return user

    def find(self, number: int) -> User | None:
        """Return a user by id."""
        return _user(self._database.row("SELECT * FROM users WHERE id = ?", (number,)))

    def find_by_username(self, username: str) -> User | None:
        """Return a user by name, case ignored."""
        return _user(self._database.row("SELECT * FROM users WHERE username = ?", (username,)))

    def find_by_email(self, email: str) -> User | None:
        """Return a user by address, case ignored."""
        return _user(self._database.row("SELECT * FROM users WHERE email = ?", (email,)))

    def email_taken(self, email: str) -> bool:
        """Return whether an address belongs to somebody."""
        return self.find_by_email(email) is not None

    def all(self) -> list[User]:
        """Return everybody, newest first as GitLab lists them."""
        return [_present(row) for row in self._database.rows("SELECT * FROM users ORDER BY id DESC")]

    def add_identity(self, user_id: int, provider: str, extern_uid: str) -> None:
        """Note that a user signs in as ``extern_uid`` with this provider. It must not be somebody else's."""
        self._database.run(
            "INSERT INTO identities (user_id, provider, extern_uid) VALUES (?, ?, ?)", (user_id, provider, extern_uid)
        )

    def identities(self, user_id: int) -> list[tuple[str, str]]:
        """Return provider and external id of each way in which a user signs in."""
        rows = self._database.rows(
            "SELECT provider, extern_uid FROM identities WHERE user_id = ? ORDER BY provider", (user_id,)
        )
        return [(row["provider"], row["extern_uid"]) for row in rows]

    def find_by_identity(self, provider: str, extern_uid: str) -> User | None:
        """Return who signs in as this, case of the external id ignored."""
        return _user(
            self._database.row(
                "SELECT users.* FROM users JOIN identities ON identities.user_id = users.id"
                " WHERE provider = ? AND extern_uid = ?",
                (provider, extern_uid),
            )
        )

    def set_state(self, user_id: int, state: str) -> None:
        """Block or unblock a user."""
        self._database.run("UPDATE users SET state = ? WHERE id = ?", (state, user_id))

    def create_token(
        self,
        user_id: int,
        *,
        name: str,
        scopes: Collection[str],
        expires_at: date | None,
        impersonation: bool = False,
    ) -> tuple[AccessToken, str]:
        """Create a token and return it with its secret, which cannot be had again."""
        secret = PREFIX + secrets.token_urlsafe(24)
        number = self._database.insert(
            "INSERT INTO tokens (user_id, name, digest, scopes, expires_at, revoked, impersonation, created_at)"
            " VALUES (?, ?, ?, ?, ?, 0, ?, ?)",
            (
                user_id,
                name,
                digest(secret),
                " ".join(scopes),
                expires_at.isoformat() if expires_at else None,
                int(impersonation),
                written(self._clock.now()),
            ),
        )
        row = self._database.row("SELECT * FROM tokens WHERE id = ?", (number,))
        if row is None:
            raise KeyError(number)
        return _token(row), secret

    def find_token(self, secret: str) -> AccessToken | None:
        """Return the token with this secret, also if it is revoked or expired."""
        row = self._database.row("SELECT * FROM tokens WHERE digest = ?", (digest(secret),))
        return None if row is None else _token(row)

    def tokens(self, user_id: int, *, impersonation: bool) -> list[AccessToken]:
        """Return a user's tokens of one of both sorts, newest first."""
        rows = self._database.rows(
            "SELECT * FROM tokens WHERE user_id = ? AND impersonation = ? ORDER BY id DESC",
            (user_id, int(impersonation)),
        )
        return [_token(row) for row in rows]

    def used(self, token: AccessToken) -> None:
        """Note that a token was used, at most every minute."""
        now = self._clock.now()
        if token.last_used_at is None or (now - token.last_used_at).total_seconds() >= 60:
            self._database.run("UPDATE tokens SET last_used_at = ? WHERE id = ?", (written(now), token.id))

    def revoke(self, token_id: int) -> None:
        """Make a token useless."""
        self._database.run("UPDATE tokens SET revoked = 1 WHERE id = ?", (token_id,))


def _user(row: sqlite3.Row | None) -> User | None:
    return None if row is None else _present(row)


def _present(row: sqlite3.Row) -> User:
    return User(
        row["id"],
        row["username"],
        row["name"],
        row["email"],
        row["state"],
        bool(row["is_admin"]),
        read(row["created_at"]),
    )


def _token(row: sqlite3.Row) -> AccessToken:
    return AccessToken(
        row["id"],
        row["user_id"],
        row["name"],
        tuple(row["scopes"].split()),
        date.fromisoformat(row["expires_at"]) if row["expires_at"] else None,
        bool(row["revoked"]),
        bool(row["impersonation"]),
        read(row["created_at"]),
        read(row["last_used_at"]) if row["last_used_at"] else None,
    )
