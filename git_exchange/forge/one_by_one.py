"""Asking many projects the same, one by one, by a bounded pool: one that cannot be read does not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timezone

from git_exchange.errors import ForgeError, ForgeUnreachable, Throttled
from git_exchange.forge.ports import Project

# If so many projects in a row fail as the forge's own fault, it is down, and asking the rest is no use.
ENOUGH = 5
NEVER = datetime.min.replace(tzinfo=timezone.utc)

Heads = dict[str, str]


@dataclass(frozen=True)
class One:
    """What one project answered at ``at``: full ref -> commit; or why it could not be read."""

    project_id: int
    heads: Heads
    at: datetime
    failure: ForgeError | None = None


def ask_each(ask: Callable[[Project], tuple[Heads, datetime]], projects: Sequence[Project], pool: int) -> Iterator[One]:
    """Yield what each project answers, in their order.

    Raise Throttled at once, and ForgeUnreachable if the first few all say that it is the forge.
    """

    def one(project: Project) -> One:
        try:
            return One(project.id, *ask(project))
        except Throttled:
            raise
        except ForgeError as error:
            return One(project.id, {}, NEVER, error)

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
