"""Protected branches and tags of projects."""

from __future__ import annotations

import sqlite3

from git_exchange.devserver.access import BranchRule, TagRule
from git_exchange.devserver.store.database import Database
from git_exchange.devserver.values import ProtectedBranch, ProtectedTag


class Protection:
    """The tables of rules."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def branches(self, project_id: int) -> list[ProtectedBranch]:
        """Return a project's branch rules in the order in which they were made."""
        rows = self._database.rows("SELECT * FROM protected_branches WHERE project_id = ? ORDER BY id", (project_id,))
        return [_branch(row) for row in rows]

    def branch(self, project_id: int, name: str) -> ProtectedBranch | None:
        """Return the rule of exactly this name or wildcard."""
        row = self._database.row(
            "SELECT * FROM protected_branches WHERE project_id = ? AND name = ?", (project_id, name)
        )
        return None if row is None else _branch(row)

    def set_branch(
        self, project_id: int, name: str, *, push: int, merge: int, unprotect: int, allow_force_push: bool
    ) -> ProtectedBranch:
        """Create or change a branch rule."""
        self._database.run(
            "INSERT INTO protected_branches (project_id, name, push_level, merge_level, unprotect_level,"
            " allow_force_push) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (project_id, name) DO UPDATE SET"
            " push_level = excluded.push_level, merge_level = excluded.merge_level,"
            " unprotect_level = excluded.unprotect_level, allow_force_push = excluded.allow_force_push",
            (project_id, name, push, merge, unprotect, int(allow_force_push)),
        )
        rule = self.branch(project_id, name)
        if rule is None:
            raise KeyError(name)
        return rule

    def remove_branch(self, project_id: int, name: str) -> None:
        """Remove a branch rule."""
        self._database.run("DELETE FROM protected_branches WHERE project_id = ? AND name = ?", (project_id, name))

    def branch_rules(self, project_id: int) -> tuple[BranchRule, ...]:
        """Return the branch rules as they are decided by."""
        return tuple(
            BranchRule(rule.name, rule.push_level, rule.merge_level, rule.allow_force_push)
            for rule in self.branches(project_id)
        )

    def tags(self, project_id: int) -> list[ProtectedTag]:
        """Return a project's tag rules."""
        rows = self._database.rows("SELECT * FROM protected_tags WHERE project_id = ? ORDER BY name", (project_id,))
        return [ProtectedTag(row["project_id"], row["name"], row["create_level"]) for row in rows]

    def add_tag(self, project_id: int, name: str, create: int) -> ProtectedTag:
        """Create a tag rule, which must not exist."""
        self._database.insert(
            "INSERT INTO protected_tags (project_id, name, create_level) VALUES (?, ?, ?)", (project_id, name, create)
        )
        return ProtectedTag(project_id, name, create)

    def remove_tag(self, project_id: int, name: str) -> None:
        """Remove a tag rule."""
        self._database.run("DELETE FROM protected_tags WHERE project_id = ? AND name = ?", (project_id, name))

    def tag_rules(self, project_id: int) -> tuple[TagRule, ...]:
        """Return the tag rules as they are decided by."""
        return tuple(TagRule(rule.name, rule.create_level) for rule in self.tags(project_id))


def _branch(row: sqlite3.Row) -> ProtectedBranch:
    return ProtectedBranch(
        row["id"],
        row["project_id"],
        row["name"],
        row["push_level"],
        row["merge_level"],
        row["unprotect_level"],
        bool(row["allow_force_push"]),
    )
