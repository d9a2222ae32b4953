"""What feedback has been released to a student: ``<attempt's commit>/<notebook>.html`` on ``feedback/<assignment>``.

Work that the staff got by another way (by mail, from another exchange, with ``zip_collect``) has no commit; its time,
as the instructor's ``timestamp.txt`` tells it, stands in the commit's place.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import PurePosixPath

from git_exchange.files.tree import TreeEntry
from git_exchange.rules import times, trailers
from git_exchange.rules.trailers import Trailers
from git_exchange.transport.cache import Repository
from git_exchange.transport.objects import history, list_tree

MAX_RELEASES = 5_000
_RECEIVED = "received-%Y%m%dT%H%M%S.%fZ"


@dataclass(frozen=True)
class FeedbackFile:
    """One page of feedback: which attempt (commit, or ``received``), which notebook, and the git blob that holds it."""

    attempt: str
    notebook_id: str
    oid: str
    size: int


@dataclass(frozen=True)
class Feedback:
    """All feedback of one student for one assignment.

    ``submitted`` maps an attempt's commit to the time that ``timestamp.txt`` said when its feedback was made;
    ``author`` says who released the newest feedback of an attempt (name and address), or asked the collector to.
    ``schedules`` has the marks of what was released at a time.
    """

    files: tuple[FeedbackFile, ...]
    submitted: dict[str, datetime]
    author: dict[str, str]
    schedules: frozenset[str] = frozenset()


def received(at: datetime) -> str:
    """Return what stands for work that came by another way at this time (aware)."""
    return at.astimezone(timezone.utc).strftime(_RECEIVED)


def received_at(attempt: str) -> datetime | None:
    """Return the time (UTC) if this stands for work that came by another way, None if it is a commit."""
    try:
        return datetime.strptime(attempt, _RECEIVED).replace(tzinfo=timezone.utc)
    except ValueError:
        return None


def read_feedback(repository: Repository, head: str) -> Feedback:
    """Return what the fetched commit ``head`` of a feedback branch holds."""
    submitted: dict[str, datetime] = {}
    author: dict[str, str] = {}
    schedules: set[str] = set()
    for commit in history(repository, head, limit=MAX_RELEASES):  # oldest first: newer ones overwrite
        said = trailers.parse(commit.message)
        schedules.update(said.all(trailers.SCHEDULE))
        for attempt in said.all(trailers.FEEDBACK_FOR):
            author[attempt] = said.first(trailers.SCHEDULED_BY) or commit.author
            moment = _submitted(said)
            if moment is not None:
                submitted[attempt] = moment
    entries = [file for entry in list_tree(repository, head) if (file := _file(entry)) is not None]
    return Feedback(tuple(entries), submitted, author, frozenset(schedules))


def _submitted(said: Trailers) -> datetime | None:
    text = said.first(trailers.SUBMITTED)
    try:
        return times.parse_iso(text) if text else None
    except ValueError:
        return None


def _file(entry: TreeEntry) -> FeedbackFile | None:
    if entry.kind != "blob" or entry.mode == "120000":
        return None
    try:
        path = PurePosixPath(entry.path.decode("utf-8"))
    except UnicodeDecodeError:
        return None
    if len(path.parts) != 2 or path.suffix != ".html":
        return None
    return FeedbackFile(path.parts[0], path.stem, entry.oid, entry.size or 0)
