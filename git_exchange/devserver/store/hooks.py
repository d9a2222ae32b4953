"""Webhooks of projects, and what became of their deliveries."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from git_exchange.devserver.clock import Clock, read, written
from git_exchange.devserver.store.database import Database
from git_exchange.devserver.values import Delivery, Hook

KEPT_DELIVERIES = 200


class Hooks:
    """The tables of hooks and deliveries."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def of(self, project_id: int) -> list[Hook]:
        """Return a project's hooks."""
        rows = self._database.rows("SELECT * FROM hooks WHERE project_id = ? ORDER BY id", (project_id,))
        return [_hook(row) for row in rows]

    def find(self, project_id: int, hook_id: int) -> Hook | None:
        """Return a hook of this project."""
        row = self._database.row("SELECT * FROM hooks WHERE project_id = ? AND id = ?", (project_id, hook_id))
        return None if row is None else _hook(row)

    def create(self, project_id: int, url: str) -> Hook:
        """Create a hook without secrets and settings."""
        number = self._database.insert(
            "INSERT INTO hooks (project_id, url, token, signing_token, custom_headers, settings, created_at)"
            " VALUES (?, ?, '', '', '[]', '{}', ?)",
            (project_id, url, written(self._clock.now())),
        )
        row = self._database.row("SELECT * FROM hooks WHERE id = ?", (number,))
        if row is None:
            raise KeyError(number)
        return _hook(row)

    def change(self, hook: Hook) -> None:
        """Store a hook as it is given."""
        self._database.run(
            "UPDATE hooks SET url = ?, token = ?, signing_token = ?, custom_headers = ?, settings = ? WHERE id = ?",
            (
                hook.url,
                hook.token,
                hook.signing_token,
                json.dumps([list(header) for header in hook.custom_headers]),
                json.dumps(dict(hook.settings)),
                hook.id,
            ),
        )

    def delete(self, hook_id: int) -> None:
        """Remove a hook with its deliveries."""
        self._database.run("DELETE FROM hooks WHERE id = ?", (hook_id,))

    def exists(self, hook_id: int) -> bool:
        """Return whether a hook is still there."""
        return self._database.row("SELECT 1 FROM hooks WHERE id = ?", (hook_id,)) is not None

    def delivered(
        self,
        hook: Hook,
        *,
        trigger: str,
        status: str,
        duration: float,
        request_headers: Mapping[str, str],
        request_data: str,
        response_headers: Mapping[str, str],
        response_body: str,
    ) -> None:
        """Keep what became of a delivery; the oldest beyond a number are dropped."""
        with self._database.transaction():
            if not self.exists(hook.id):
                return
            self._database.insert(
                'INSERT INTO deliveries (hook_id, url, "trigger", status, duration, request_headers, request_data,'
                " response_headers, response_body, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    hook.id,
                    hook.url,
                    trigger,
                    status,
                    duration,
                    json.dumps(dict(request_headers)),
                    request_data,
                    json.dumps(dict(response_headers)),
                    response_body,
                    written(self._clock.now()),
                ),
            )
            self._database.run(
                "DELETE FROM deliveries WHERE hook_id = ? AND id <="
                " (SELECT id FROM deliveries WHERE hook_id = ? ORDER BY id DESC LIMIT 1 OFFSET ?)",
                (hook.id, hook.id, KEPT_DELIVERIES),
            )

    def deliveries(self, hook_id: int) -> list[Delivery]:
        """Return a hook's deliveries, newest first."""
        rows = self._database.rows("SELECT * FROM deliveries WHERE hook_id = ? ORDER BY id DESC", (hook_id,))
        return [_delivery(row) for row in rows]


def _hook(row: sqlite3.Row) -> Hook:
    settings: dict[str, Any] = json.loads(row["settings"])
    return Hook(
        row["id"],
        row["project_id"],
        row["url"],
        row["token"],
        row["signing_token"],
        tuple((key, value) for key, value in json.loads(row["custom_headers"])),
        settings,
        read(row["created_at"]),
    )


def _delivery(row: sqlite3.Row) -> Delivery:
    return Delivery(
        row["id"],
        row["hook_id"],
        row["url"],
        row["trigger"],
        row["status"],
        row["duration"],
        json.loads(row["request_headers"]),
        row["request_data"],
        json.loads(row["response_headers"]),
        row["response_body"],
        read(row["created_at"]),
    )
