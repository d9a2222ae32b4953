"""Projects."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping
from typing import Any

from git_exchange.devserver.clock import Clock, read, written
from git_exchange.devserver.store.database import Database
from git_exchange.devserver.values import Namespace, Project

SELECT = (
    "SELECT projects.*, namespaces.full_path || '/' || projects.path AS full_path"
    " FROM projects JOIN namespaces ON namespaces.id = projects.namespace_id"
)


class Projects:
    """The table of projects."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def create(
        self,
        namespace: Namespace,
        *,
        path: str,
        name: str,
        description: str | None,
        visibility: str,
        creator_id: int,
        storage: str,
        settings: Mapping[str, Any],
    ) -> Project:
        """Create a project. Path and name must be free in the namespace."""
        now = written(self._clock.now())
        number = self._database.insert(
            "INSERT INTO projects (namespace_id, path, name, description, visibility, archived, creator_id, created_at,"
            " last_activity_at, storage, settings) VALUES (?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?)",
            (
                namespace.id,
                path,
                name,
                description,
                visibility,
                creator_id,
                now,
                now,
                storage,
                json.dumps(dict(settings)),
            ),
        )
        return self.get(number)

    def get(self, number: int) -> Project:
        """Return a project that exists. Raise KeyError."""
        row = self._database.row(f"{SELECT} WHERE projects.id = ?", (number,))
        if row is None:
            raise KeyError(number)
        return _project(row)

    def find(self, key: str) -> Project | None:
        """Return a project by its id in digits, or by its full path, case ignored."""
        if key.isdecimal() and len(key) < 18:
            row = self._database.row(f"{SELECT} WHERE projects.id = ?", (int(key),))
        else:
            group, _, path = key.rpartition("/")
            row = self._database.row(
                f"{SELECT} WHERE namespaces.full_path = ? AND projects.path = ?",
                (group, path),
            )
        return None if row is None else _project(row)

    def all(self) -> list[Project]:
        """Return all projects by id."""
        return [_project(row) for row in self._database.rows(f"{SELECT} ORDER BY projects.id")]

    def within(self, namespace_ids: Collection[int]) -> list[Project]:
        """Return the projects directly in any of these namespaces, by id."""
        marks = ",".join("?" * len(namespace_ids))
        rows = self._database.rows(
            f"{SELECT} WHERE projects.namespace_id IN ({marks}) ORDER BY projects.id", tuple(namespace_ids)
        )
        return [_project(row) for row in rows]

    def taken(self, namespace: Namespace, *, path: str, name: str, but: int = 0) -> list[str]:
        """Return which of "name" and "path" are taken in the namespace by another project than ``but``."""
        found = []
        if self._database.row(
            "SELECT 1 FROM projects WHERE namespace_id = ? AND name = ? AND id <> ?", (namespace.id, name, but)
        ):
            found.append("name")
        if self._database.row(
            "SELECT 1 FROM projects WHERE namespace_id = ? AND path = ? AND id <> ?", (namespace.id, path, but)
        ):
            found.append("path")
        return found

    def storage_taken(self, storage: str) -> bool:
        """Return whether a repository lies at this place."""
        return self._database.row("SELECT 1 FROM projects WHERE storage = ?", (storage,)) is not None

    def change(
        self,
        project: Project,
        *,
        path: str,
        name: str,
        description: str | None,
        visibility: str,
        settings: Mapping[str, Any],
    ) -> Project:
        """Change a project's attributes."""
        self._database.run(
            "UPDATE projects SET path = ?, name = ?, description = ?, visibility = ?, settings = ? WHERE id = ?",
            (path, name, description, visibility, json.dumps(dict(settings)), project.id),
        )
        return self.get(project.id)

    def set_default_branch(self, project_id: int, branch: str | None) -> None:
        """Record the default branch."""
        self._database.run("UPDATE projects SET default_branch = ? WHERE id = ?", (branch, project_id))

    def set_archived(self, project_id: int, archived: bool) -> None:
        """Archive or unarchive."""
        self._database.run("UPDATE projects SET archived = ? WHERE id = ?", (int(archived), project_id))

    def delete(self, project: Project) -> None:
        """Remove a project with all that belongs to it."""
        with self._database.transaction():
            self._database.run("DELETE FROM members WHERE source = 'project' AND source_id = ?", (project.id,))
            self._database.run("DELETE FROM projects WHERE id = ?", (project.id,))


def _project(row: sqlite3.Row) -> Project:
    return Project(
        row["id"],
        row["namespace_id"],
        row["path"],
        row["name"],
        row["full_path"],
        row["description"],
        row["visibility"],
        row["default_branch"],
        bool(row["archived"]),
        row["creator_id"],
        read(row["created_at"]),
        read(row["last_activity_at"]),
        row["storage"],
        json.loads(row["settings"]),
    )
