"""Groups and personal namespaces."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from git_exchange.devserver.clock import Clock, read, written
from git_exchange.devserver.store.database import Database
from git_exchange.devserver.values import Namespace


class Namespaces:
    """The table of namespaces, a forest."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def create(
        self,
        parent: Namespace | None,
        *,
        path: str,
        name: str,
        visibility: str,
        description: str,
        settings: Mapping[str, Any],
    ) -> Namespace:
        """Create a group. The path must be free."""
        number = self._database.insert(
            "INSERT INTO namespaces (kind, parent_id, path, name, full_path, full_name, visibility, description,"
            " created_at, settings) VALUES ('group', ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                parent.id if parent else None,
                path,
                name,
                f"{parent.full_path}/{path}" if parent else path,
                f"{parent.full_name} / {name}" if parent else name,
                visibility,
                description,
                written(self._clock.now()),
                json.dumps(dict(settings)),
            ),
        )
        return self.get(number)

    def get(self, number: int) -> Namespace:
        """Return a namespace that exists. Raise KeyError."""
        row = self._database.row("SELECT * FROM namespaces WHERE id = ?", (number,))
        if row is None:
            raise KeyError(number)
        return _namespace(row)

    def find(self, key: str) -> Namespace | None:
        """Return a namespace by its id in digits, or by its full path, case ignored."""
        if key.isdecimal() and len(key) < 18:
            row = self._database.row("SELECT * FROM namespaces WHERE id = ?", (int(key),))
        else:
            row = self._database.row("SELECT * FROM namespaces WHERE full_path = ?", (key,))
        return None if row is None else _namespace(row)

    def personal(self, user_id: int) -> Namespace:
        """Return a user's own namespace. Raise KeyError."""
        row = self._database.row("SELECT * FROM namespaces WHERE kind = 'user' AND owner_id = ?", (user_id,))
        if row is None:
            raise KeyError(user_id)
        return _namespace(row)

    def groups(self) -> list[Namespace]:
        """Return all groups by name."""
        rows = self._database.rows("SELECT * FROM namespaces WHERE kind = 'group' ORDER BY name COLLATE NOCASE, id")
        return [_namespace(row) for row in rows]

    def parents(self) -> dict[int, int | None]:
        """Return the parent's id of every namespace."""
        return {row["id"]: row["parent_id"] for row in self._database.rows("SELECT id, parent_id FROM namespaces")}

    def ancestors(self, namespace: Namespace) -> list[Namespace]:
        """Return the namespace itself, then its parent and so on to the top."""
        chain = [namespace]
        while (parent := chain[-1].parent_id) is not None:
            chain.append(self.get(parent))
        return chain

    def descendants(self, namespace: Namespace) -> list[Namespace]:
        """Return all groups below, not the namespace itself."""
        found = []
        level = [namespace.id]
        while level:
            marks = ",".join("?" * len(level))
            rows = self._database.rows(f"SELECT * FROM namespaces WHERE parent_id IN ({marks})", level)  # noqa: S608
            found += [_namespace(row) for row in rows]
            level = [row["id"] for row in rows]
        return found

    def path_taken(self, full_path: str) -> bool:
        """Return whether a group or user has this full path, case ignored."""
        return self._database.row("SELECT 1 FROM namespaces WHERE full_path = ?", (full_path,)) is not None

    def change(
        self,
        namespace: Namespace,
        *,
        path: str,
        name: str,
        visibility: str,
        description: str,
        settings: Mapping[str, Any],
    ) -> Namespace:
        """Change a group; the full paths of all below follow."""
        with self._database.transaction():
            self._database.run(
                "UPDATE namespaces SET path = ?, name = ?, visibility = ?, description = ?, settings = ? WHERE id = ?",
                (path, name, visibility, description, json.dumps(dict(settings)), namespace.id),
            )
            self._rename(namespace.id)
        return self.get(namespace.id)

    def delete(self, namespace: Namespace) -> None:
        """Remove a group with everything below it."""
        self._database.run("DELETE FROM namespaces WHERE id = ?", (namespace.id,))

    def _rename(self, number: int) -> None:
        namespace = self.get(number)
        parent = None if namespace.parent_id is None else self.get(namespace.parent_id)
        self._database.run(
            "UPDATE namespaces SET full_path = ?, full_name = ? WHERE id = ?",
            (
                f"{parent.full_path}/{namespace.path}" if parent else namespace.path,
                f"{parent.full_name} / {namespace.name}" if parent else namespace.name,
                number,
            ),
        )
        for child in self._database.rows("SELECT id FROM namespaces WHERE parent_id = ?", (number,)):
            self._rename(child["id"])


def _namespace(row: sqlite3.Row) -> Namespace:
    return Namespace(
        row["id"],
        row["kind"],
        row["parent_id"],
        row["path"],
        row["name"],
        row["full_path"],
        row["full_name"],
        row["owner_id"],
        row["visibility"],
        row["description"],
        read(row["created_at"]),
        json.loads(row["settings"]),
    )
