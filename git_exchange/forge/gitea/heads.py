"""The heads of the same branches in many projects: all branches of a project in one request, by a bounded pool.

There is no request for many projects, and the organisation's activity, which would tell what changed, leaves out people
who hide theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any

from git_exchange.errors import Conflict, NotFound
from git_exchange.forge.answers import text
from git_exchange.forge.gitea.session import Session
from git_exchange.forge.one_by_one import ask_each
from git_exchange.forge.ports import HeadsAt, Project


def read(
    session: Session,
    path_of: Callable[[Project], str],
    projects: Collection[Project],
    refs: Collection[str],
    *,
    pool: int,
) -> HeadsAt:
    """Return the heads of ``refs``. ``at`` is the server's last answer, one second on the safe side."""
    wanted = {project.id: project for project in projects}
    heads: dict[tuple[int, str], str] = {}
    unreadable: dict[int, str] = {}
    moments: list[datetime] = []
    for one in ask_each(
        lambda project: all_heads(session, path_of(project)), list(wanted.values()) if refs else [], pool
    ):
        heads |= {(one.project_id, ref): commit for ref, commit in one.heads.items() if ref in refs}
        if one.failure is None:
            moments.append(one.at)
        else:
            unreadable[one.project_id] = one.failure.message
    if not moments:
        moments.append(session.answer("get", "/version").moment())
    return HeadsAt(heads, max(moments) + timedelta(seconds=1), unreadable)


def all_heads(session: Session, path: str) -> tuple[dict[str, str], datetime]:
    """Return every branch of the project at ``path`` with its head, and when the server said so. Raise NotFound."""
    try:
        answer = session.answer("get", f"{path}/git/refs/heads")
    except (NotFound, Conflict):
        # Also the answer for a project without any branch; if it is absent or hidden, this raises NotFound.
        return {}, session.answer("get", path).moment()
    return session.understood(_heads, answer.document, path), answer.moment()


def _heads(raw: Any) -> dict[str, str]:
    if isinstance(raw, dict):
        raw = [raw]
    return {text(one["ref"]): text(one["object"]["sha"]) for one in raw}
