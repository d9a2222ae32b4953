"""What of a commit that somebody handed in is written into a folder, and what is not.

Knows the names that are ours and nbgrader's rules of what travels, not which commit counts nor where it belongs.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from git_exchange.errors import FilesError
from git_exchange.events import Event, Listener
from git_exchange.files import replace
from git_exchange.files.paths import display
from git_exchange.files.selection import SelectionRules
from git_exchange.files.tree import Accepted, Rejected, check, lfs_pointer
from git_exchange.operations import sidecar
from git_exchange.transport.cache import Repository
from git_exchange.transport.objects import BlobReader, list_tree

MAX_NAMED = 10


def write_work(
    repository: Repository,
    commit: str,
    folder: Path,
    rules: SelectionRules,
    *,
    student_id: str,
    released: Collection[str] = (),
    shared: bool = False,
    listener: Listener,
) -> None:
    """Write the commit's files into the fresh ``folder``. What is hostile is left out and named, or refused.

    Of names that differ by case only the one in ``released`` (paths) is taken. Raise TooLarge, FilesError.
    """
    checked = check(
        list_tree(repository, commit),
        max_file_size=rules.max_file_size,
        max_total_size=rules.max_total_size,
        preferred=released,
    )
    _say(student_id, checked.rejected, listener)
    wanted = (file for file in checked.accepted if _wanted(file.path, rules))
    with BlobReader(repository) as blobs:
        replace.write_tree(folder, _contents(blobs, wanted, student_id), shared=shared)


def _say(student_id: str, rejected: Sequence[Rejected], listener: Listener) -> None:
    """Name what is left out, not all of it if somebody made thousands: they must not bury other students' lines."""
    for item in rejected[:MAX_NAMED]:
        listener(Event(f"{display(student_id)}: left out {item.path}: {item.reason}", "warning"))
    if len(rejected) > MAX_NAMED:
        more = len(rejected) - MAX_NAMED
        listener(Event(f"{display(student_id)}: left out {more} more files for such reasons", "warning"))


def _wanted(path: str, rules: SelectionRules) -> bool:
    parts = path.split("/")
    if parts[0].casefold() in sidecar.RESERVED:
        return False  # these are ours to write; a student's own would forge the time
    if any(fnmatch.fnmatch(part, pattern) for part in parts for pattern in rules.ignore):
        return False
    return not rules.include or any(fnmatch.fnmatch(parts[-1], pattern) for pattern in rules.include)


def _contents(
    blobs: BlobReader, files: Iterable[Accepted], student_id: str
) -> Iterator[tuple[str, bool, Iterator[bytes]]]:
    for file in files:
        yield file.path, file.executable, _no_pointer(blobs.chunks(file.oid), file.path, student_id)


def _no_pointer(chunks: Iterator[bytes], path: str, student_id: str) -> Iterator[bytes]:
    first = next(chunks, b"")
    if path.endswith(".ipynb") and lfs_pointer(first):
        raise FilesError(
            f"{student_id}: {display(path)} is a Git LFS pointer, not a notebook.",
            hint="The student has to submit it through nbgrader, without LFS.",
        )
    yield first
    yield from chunks
