"""Keeping the local copies small: repack what has many packs, drop what was not used for longest. For idle times."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from git_exchange.errors import GitError
from git_exchange.transport.cache import Cache, Repository, repack


def tidy(cache: Cache, *, max_bytes: int) -> int:
    """Repack the course's copies and drop the seats used least recently until all fit; return the bytes then in use.

    Releases and records stay, whatever their size. What another program is using at the moment is left as it is.
    """
    seats, others = cache.seats_here(), (cache.releases(), cache.staff())
    for repository in (*others, *seats):
        with suppress(GitError), repository.locked(0):
            repack(repository)
    sizes = {repository: _size(repository.git_dir) for repository in seats}
    used = sum(sizes.values()) + sum(_size(one.git_dir) for one in others)
    for repository in sorted(seats, key=_last_used):
        if used <= max_bytes:
            break
        with suppress(GitError):
            cache.drop(repository)
            used -= sizes[repository]
    return used


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            total += path.lstat().st_size
    return total


def _last_used(repository: Repository) -> float:
    """Return when something was last brought into the copy (seconds since the epoch)."""
    times = [0.0]
    for part in (".", "objects/pack", "refs", "packed-refs"):
        with suppress(OSError):
            times.append((repository.git_dir / part).stat().st_mtime)
    return max(times)
