"""The SQLite file: its schema, and transactions."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

SCHEMA_VERSION = 3

SCHEMA = """
CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT, username TEXT NOT NULL COLLATE NOCASE UNIQUE, name TEXT NOT NULL,
    email TEXT NOT NULL COLLATE NOCASE UNIQUE, state TEXT NOT NULL, is_admin INTEGER NOT NULL, created_at TEXT NOT NULL
);
CREATE TABLE identities (
    user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE, provider TEXT NOT NULL,
    extern_uid TEXT NOT NULL COLLATE NOCASE, UNIQUE (provider, extern_uid), UNIQUE (user_id, provider)
);
CREATE TABLE tokens (
    id INTEGER PRIMARY KEY AUTOINCREMENT, user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    name TEXT NOT NULL, digest TEXT NOT NULL UNIQUE, scopes TEXT NOT NULL, expires_at TEXT, revoked INTEGER NOT NULL,
    impersonation INTEGER NOT NULL, created_at TEXT NOT NULL, last_used_at TEXT
);
CREATE TABLE namespaces (
    id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, parent_id INTEGER REFERENCES namespaces ON DELETE CASCADE,
    path TEXT NOT NULL COLLATE NOCASE, name TEXT NOT NULL, full_path TEXT NOT NULL COLLATE NOCASE UNIQUE,
    full_name TEXT NOT NULL, owner_id INTEGER REFERENCES users ON DELETE CASCADE, visibility TEXT NOT NULL,
    description TEXT NOT NULL, created_at TEXT NOT NULL, settings TEXT NOT NULL
);
CREATE INDEX namespaces_by_parent ON namespaces (parent_id);
CREATE TABLE projects (
    id INTEGER PRIMARY KEY AUTOINCREMENT, namespace_id INTEGER NOT NULL REFERENCES namespaces ON DELETE CASCADE,
    path TEXT NOT NULL COLLATE NOCASE, name TEXT NOT NULL COLLATE NOCASE, description TEXT, visibility TEXT NOT NULL,
    default_branch TEXT, archived INTEGER NOT NULL, creator_id INTEGER NOT NULL, created_at TEXT NOT NULL,
    last_activity_at TEXT NOT NULL, storage TEXT NOT NULL UNIQUE, settings TEXT NOT NULL,
    UNIQUE (namespace_id, path), UNIQUE (namespace_id, name)
);
CREATE TABLE members (
    source TEXT NOT NULL, source_id INTEGER NOT NULL, user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    level INTEGER NOT NULL, created_at TEXT NOT NULL, created_by INTEGER, expires_at TEXT,
    PRIMARY KEY (source, source_id, user_id)
);
CREATE INDEX members_by_user ON members (user_id);
CREATE TABLE invitations (
    id INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, source_id INTEGER NOT NULL,
    email TEXT NOT NULL COLLATE NOCASE, level INTEGER NOT NULL, created_at TEXT NOT NULL, created_by INTEGER NOT NULL,
    expires_at TEXT, UNIQUE (source, source_id, email)
);
CREATE TABLE protected_branches (
    id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
    name TEXT NOT NULL, push_level INTEGER NOT NULL, merge_level INTEGER NOT NULL, unprotect_level INTEGER NOT NULL,
    allow_force_push INTEGER NOT NULL, UNIQUE (project_id, name)
);
CREATE TABLE protected_tags (
    project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE, name TEXT NOT NULL,
    create_level INTEGER NOT NULL, PRIMARY KEY (project_id, name)
);
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
    author_id INTEGER NOT NULL, created_at TEXT NOT NULL, action TEXT NOT NULL, ref_type TEXT NOT NULL, ref TEXT,
    commit_from TEXT, commit_to TEXT, commit_title TEXT, commit_count INTEGER NOT NULL, ref_count INTEGER
);
CREATE INDEX events_by_project ON events (project_id, id);
CREATE TABLE waiting_events (
    number INTEGER PRIMARY KEY AUTOINCREMENT, due TEXT,
    project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE, author_id INTEGER NOT NULL,
    action TEXT NOT NULL, ref_type TEXT NOT NULL, ref TEXT, commit_from TEXT,
    commit_to TEXT, commit_title TEXT, commit_count INTEGER NOT NULL, ref_count INTEGER
);
CREATE TABLE hooks (
    id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
    url TEXT NOT NULL, token TEXT NOT NULL, signing_token TEXT NOT NULL, custom_headers TEXT NOT NULL,
    settings TEXT NOT NULL, created_at TEXT NOT NULL
);
CREATE INDEX hooks_by_project ON hooks (project_id);
CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT, hook_id INTEGER NOT NULL REFERENCES hooks ON DELETE CASCADE,
    url TEXT NOT NULL, "trigger" TEXT NOT NULL, status TEXT NOT NULL, duration REAL NOT NULL,
    request_headers TEXT NOT NULL, request_data TEXT NOT NULL, response_headers TEXT NOT NULL,
    response_body TEXT NOT NULL, created_at TEXT NOT NULL
);
CREATE INDEX deliveries_by_hook ON deliveries (hook_id, id);
CREATE TABLE statuses (
    id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
    author_id INTEGER NOT NULL, sha TEXT NOT NULL, ref TEXT, state TEXT NOT NULL, name TEXT NOT NULL, target_url TEXT,
    description TEXT, coverage REAL, created_at TEXT NOT NULL
);
CREATE INDEX statuses_by_commit ON statuses (project_id, sha);
"""

Value = str | int | float | None


class Database:
    """One connection; every statement outside ``transaction`` is a transaction of its own."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        # With WAL, committed transactions survive the death of this process; only a power cut could lose the last ones.
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute("PRAGMA foreign_keys = ON")
        self._depth = 0
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            with self.transaction():
                for statement in SCHEMA.split(";\n"):
                    self._connection.execute(statement)
                self._connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        elif version != SCHEMA_VERSION:
            raise ValueError(f"{path} was written by another version of the development server; use a new folder")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; nested ones are part of the outermost. Nothing may be awaited inside."""
        if self._depth:
            yield
            return
        self._connection.execute("BEGIN IMMEDIATE")
        self._depth = 1
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        else:
            self._connection.execute("COMMIT")
        finally:
            self._depth = 0

    def rows(self, statement: str, arguments: Sequence[Value] = ()) -> list[sqlite3.Row]:
        """Return all rows of a query."""
        return self._connection.execute(statement, arguments).fetchall()

    def row(self, statement: str, arguments: Sequence[Value] = ()) -> sqlite3.Row | None:
        """Return the first row of a query, None if there is none."""
        found: sqlite3.Row | None = self._connection.execute(statement, arguments).fetchone()
        return found

    def run(self, statement: str, arguments: Sequence[Value] = ()) -> int:
        """Run a statement and return how many rows it changed."""
        return self._connection.execute(statement, arguments).rowcount

    def insert(self, statement: str, arguments: Sequence[Value] = ()) -> int:
        """Run an INSERT and return the new row's id."""
        return self._connection.execute(statement, arguments).lastrowid or 0
