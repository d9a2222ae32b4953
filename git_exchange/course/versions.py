"""Every version of a released assignment: the different trees on ``release/<assignment>``, newest first.

A commit that changes only the due date is no version, nor is a withdrawal.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from git_exchange.course.course import Course
from git_exchange.course.releases import Release, ensure_fetched
from git_exchange.rules import trailers
from git_exchange.transport.cache import Repository
from git_exchange.transport.objects import CommitInfo, history

MAX_RELEASES = 5_000


@dataclass(frozen=True)
class Version:
    """One tree. ``commits`` are all that hold it, ``released`` is when the newest release of it was made.

    That time is what its maker's machine said: good for names and messages, no evidence.
    """

    tree: str
    commits: frozenset[str]
    released: datetime


def versions(course: Course, release: Release) -> tuple[Version, ...]:
    """Return the versions of a release that is not withdrawn, its own first. Raise AssignmentNotFound if it is gone."""
    ensure_fetched(course, release)

    def look(repository: Repository) -> list[CommitInfo]:
        return history(repository, release.commit, limit=MAX_RELEASES)

    by_tree: dict[str, Version] = {}
    previous = ""
    for commit in course.in_repository(lambda cache: cache.releases(), look):  # oldest first
        if trailers.parse(commit.message).first(trailers.WITHDRAWN) == "yes":
            previous = ""
            continue
        known = by_tree.pop(commit.tree, None)
        commits = (known.commits if known else frozenset()) | {commit.oid}
        released = known.released if known and previous == commit.tree else commit.committed_at
        by_tree[commit.tree] = Version(commit.tree, commits, released)
        previous = commit.tree
    return tuple(reversed(by_tree.values()))
