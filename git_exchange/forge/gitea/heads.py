"""The heads of the same branches in many projects: all branches of a project in one request, by a bounded pool.

There is no request for many projects, and the organisation's activity, which would tell what changed, leaves out people
who hide theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from git_exchange.errors import Conflict, ForgeError, ForgeUnreachable, NotFound, Throttled
from git_exchange.forge.answers import text
from git_exchange.forge.gitea.session import Session
from git_exchange.forge.ports import HeadsAt, Project

# If so many projects in a row fail as the forge's own fault, it is down, and asking the rest is no use.
ENOUGH = 5

_NEVER = datetime.min.replace(tzinfo=timezone.utc)


@dataclass(frozen=True)
class _One:
    project_id: int
    heads: dict[str, str]
    at: datetime
    failure: ForgeError | None = None


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
    for one in _each(session, path_of, list(wanted.values()) if refs else [], pool):
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


def _each(
    session: Session, path_of: Callable[[Project], str], projects: Sequence[Project], pool: int
) -> Iterator[_One]:
    """Yield what each project answers. Raise ForgeUnreachable if the first few all say that it is the forge."""

    def one(project: Project) -> _One:
        try:
            found, at = all_heads(session, path_of(project))
        except Throttled:
            raise
        except ForgeError as error:
            return _One(project.id, {}, _NEVER, error)
        return _One(project.id, found, at)

    threads = ThreadPoolExecutor(pool, "git-exchange-heads")
    try:
        down = 0
        for found in threads.map(one, projects):
            down = down + 1 if isinstance(found.failure, ForgeUnreachable) else 0
            if found.failure is not None and down >= min(ENOUGH, len(projects)):
                raise found.failure
            yield found
    finally:
        threads.shutdown(cancel_futures=True)
