"""Fetch a released assignment into a folder. Files that the student touched are never overwritten."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from git_exchange.course.copies import note
from git_exchange.course.course import Course
from git_exchange.course.releases import Release, ensure_fetched
from git_exchange.events import Event, Listener, ignore
from git_exchange.files import replace
from git_exchange.files.paths import display, problem
from git_exchange.files.tree import Accepted, TreeEntry, check
from git_exchange.transport.cache import Repository
from git_exchange.transport.objects import BlobReader, list_tree

# What staff release is bounded like everything else that is written here, only generously.
MAX_FILE = 2_000_000_000
MAX_TOTAL = 20_000_000_000


@dataclass(frozen=True)
class Fetched:
    """What was written: the paths relative to the folder."""

    release: Release
    written: tuple[str, ...]


def fetch(
    course: Course,
    release: Release,
    folder: Path,
    *,
    ignore_patterns: Sequence[str] = (),
    missing_only: bool = False,
    listener: Listener = ignore,
) -> Fetched:
    """Write the release to ``folder``: whole if it does not exist, else (``missing_only``) only what is missing.

    Raise AssignmentNotFound if it was taken back meanwhile. Run again after an interruption it starts over: the folder
    appears complete or not at all.
    """
    ensure_fetched(course, release)
    whole = not (missing_only and folder.is_dir())

    def write(repository: Repository) -> tuple[str, ...]:
        wanted = wanted_files(list_tree(repository, release.commit), ignore_patterns, listener=listener)
        directories = empty_directories(release, ignore_patterns, listener)
        if whole:
            return _write_all(repository, folder, wanted, directories)
        return _write_missing(repository, folder, wanted, directories, listener)

    written = course.in_repository(lambda cache: cache.releases(), write)
    if whole:
        note(course, folder, release.commit)
    return Fetched(release, written)


def wanted_files(
    entries: Iterable[TreeEntry], ignore_patterns: Sequence[str], *, listener: Listener = ignore
) -> list[Accepted]:
    """Return what of a release's tree belongs on this machine; what must not be written is named."""
    checked = check(entries, max_file_size=MAX_FILE, max_total_size=MAX_TOTAL)
    for rejected in checked.rejected:
        listener(Event(f"Not fetched: {rejected.path}: {rejected.reason}", "warning"))
    return [file for file in checked.accepted if not _ignored(file.path, ignore_patterns)]


def empty_directories(release: Release, patterns: Sequence[str], listener: Listener) -> list[str]:
    """Return the empty folders to make: their names come out of a commit's message and are as hostile as any other."""
    safe = []
    for path in release.empty_directories:
        reason = problem(path.encode("utf-8", "surrogateescape"))
        if reason is not None:
            listener(Event(f"Not fetched: {display(path)}: {reason}", "warning"))
        elif not _ignored(path, patterns):
            safe.append(path)
    return safe


def _ignored(path: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatch(part, pattern) for part in PurePosixPath(path).parts for pattern in patterns)


def _write_all(repository: Repository, folder: Path, wanted: list[Accepted], directories: list[str]) -> tuple[str, ...]:
    replace.make_folder(folder.parent)
    with BlobReader(repository) as blobs, replace.staging(folder.parent) as new:
        replace.write_tree(new, ((file.path, file.executable, blobs.chunks(file.oid)) for file in wanted))
        for path in directories:
            replace.make_folder(new / path)
        replace.place(new, folder)
    return tuple(file.path for file in wanted)


def _write_missing(
    repository: Repository, folder: Path, wanted: list[Accepted], directories: list[str], listener: Listener
) -> tuple[str, ...]:
    written = []
    with BlobReader(repository) as blobs:
        for file in wanted:
            target = folder / file.path
            if os.path.lexists(target):
                continue
            if not safe_parents(folder, file.path):
                listener(Event(f"Not replaced: '{file.path}', as something else is where its folder was", "warning"))
                continue
            for parent in _missing_parents(folder, file.path):
                listener(Event(f"Creating missing directory '{parent}'", "warning"))
            listener(Event(f"Replacing missing file '{file.path}'", "warning"))
            replace.make_folder(target.parent)
            replace.write_file(target, blobs.chunks(file.oid))
            if file.executable:
                target.chmod(target.stat().st_mode | 0o111)
            written.append(file.path)
    for path in directories:
        if safe_parents(folder, path + "/x") and not (folder / path).exists():
            listener(Event(f"Creating missing directory '{path}'", "warning"))
            replace.make_folder(folder / path)
    return tuple(written)


def _missing_parents(folder: Path, path: str) -> Iterator[str]:
    for parent in reversed(PurePosixPath(path).parents):
        if parent.parts and not (folder / parent).exists():
            yield str(parent)


def safe_parents(folder: Path, path: str) -> bool:
    """Return whether every folder on the way is a true folder or missing: what else is there is the student's own."""
    for parent in PurePosixPath(path).parents:
        place = folder / parent
        if parent.parts and (place.is_symlink() or (place.exists() and not place.is_dir())):
            return False
    return True
