"""Pushes from the activity feed of one project: evidence of time.

A push of a branch is a row "commit_repo" whose ``content`` is JSON with the new head; a new branch makes a second row
with empty content, and so does a branch that got its name by renaming, which is no push. The server writes rows from a
queue: whole seconds, never early. Rows of people who hide their activity are shown to them and to site administrators
only, so that a missing row proves nothing. (services/feed, services/repository/push.go)
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from git_exchange.forge.answers import number, text
from git_exchange.forge.gitea import values
from git_exchange.forge.gitea.session import Session
from git_exchange.forge.ports import Account, Push
from git_exchange.rules.times import parse_iso


@dataclass(frozen=True)
class Row:
    """A row of the feed. ``head`` is None for a row without content, ``before`` the commit it is compared with."""

    id: int
    kind: str
    project_id: int
    ref: str
    head: str | None
    before: str | None
    at: datetime
    account: Account


def read(session: Session, path: str, project_id: int, *, since_id: int, after: date | None) -> list[Push]:
    """Return the pushes of the project at ``path`` ("/repos/owner/name"), oldest first. Raise NotFound."""
    rows: dict[int, Row] = {}
    for page in session.pages(f"{path}/activities/feeds", row):
        # Rows that arrive while we read move the pages on: the same row can come twice.
        rows |= {found.id: found for found in page.items if found.project_id == project_id}
        # Newest first, but within a second in any order: only a page that is old as a whole ends it.
        if page.items and all(
            found.id <= since_id or (after is not None and found.at.date() <= after) for found in page.items
        ):
            break
    wanted = pushes(rows.values())
    return [push for push in wanted if push.id > since_id and (after is None or push.at.date() > after)]


def row(raw: dict[str, Any]) -> Row:
    """Return the row."""
    ref = raw.get("ref_name") or ""
    content = json.loads(raw["content"]) if raw["op_type"] == "commit_repo" and raw.get("content") else {}
    compared = (content.get("CompareURL") or "").rpartition("/")[2].partition("...")[0]
    return Row(
        id=number(raw["id"]),
        kind=text(raw["op_type"]),
        project_id=number(raw["repo_id"]),
        ref=ref if not ref or ref.startswith("refs/") else values.HEADS + ref,
        head=text(content["HeadCommit"]["Sha1"]) if content.get("HeadCommit") else None,
        before=compared if compared.strip("0") else None,
        at=parse_iso(text(raw["created"])),
        account=values.account(raw["act_user"]),
    )


def pushes(rows: Iterable[Row]) -> list[Push]:
    """Return what the rows say of branches. Sorted by id, which is the order in which the server wrote them."""
    found: list[Push] = []
    new: set[str] = set()
    last: dict[str, str] = {}
    for one in sorted(rows, key=lambda one: one.id):
        if not one.ref.startswith(values.HEADS):
            continue
        if one.kind == "delete_branch":
            # The row does not say what was removed; what was pushed before it does.
            found.append(Push(one.id, one.project_id, one.ref, last.pop(one.ref, None), None, one.at, one.account))
        elif one.kind == "commit_repo" and one.head is None:
            new.add(one.ref)
        elif one.kind == "commit_repo" and one.head is not None:
            before = None if one.ref in new else one.before
            new.discard(one.ref)
            last[one.ref] = one.head
            found.append(Push(one.id, one.project_id, one.ref, before, one.head, one.at, one.account))
    return found
