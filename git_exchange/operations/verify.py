"""Verify an archive: no network, no token, only the folder and git."""

from __future__ import annotations

import hashlib
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from git_exchange.errors import FilesError, GitExchangeError
from git_exchange.events import Listener, Progress, ignore
from git_exchange.files.paths import display
from git_exchange.operations.export import LOCK, sha256_of
from git_exchange.report import Outcome, Report
from git_exchange.rules import archive
from git_exchange.rules.archive import Archived, Index
from git_exchange.transport.bundle import check_bundle
from git_exchange.transport.command import Git

POOL = 2
# Checking a gigabyte takes minutes on a slow disk.
TIMEOUT = 3600.0


@dataclass(frozen=True)
class Verified:
    """What an archive holds according to its index, and whether that is so."""

    index: Index
    report: Report
    checksum: str


def verify(folder: Path, *, expected: str = "", listener: Listener = ignore) -> Verified:
    """Check every bundle: checksum, branches, and every object after unpacking it elsewhere.

    The outcomes are "ok", "empty" and "failed"; a file that the index does not know is a failed outcome, too.
    ``expected`` is the SHA-256 of ``index.json`` as the export told it: only with it is a forged index found out.
    Raise FilesError if there is no index, or it was changed.
    """
    content = _content(folder / archive.INDEX)
    checksum = hashlib.sha256(content).hexdigest()
    if expected and checksum != expected.strip().lower():
        raise FilesError(
            f"index.json is not the one that was expected: its SHA-256 is {checksum}.",
            hint="Somebody changed or replaced it, or the checksum belongs to another export.",
        )
    try:
        index = archive.load(content.decode("utf-8"))
    except ValueError as error:
        raise FilesError(
            f"index.json cannot be trusted: {error}.", hint="Take this folder from another copy of the archive."
        ) from error
    git, done, lock = Git(), [0], threading.Lock()

    def one(archived: Archived) -> Outcome:
        try:
            outcome = _check(git, folder, archived)
        except (GitExchangeError, OSError) as error:
            why = error.message if isinstance(error, GitExchangeError) else f"it cannot be read: {error.strerror}"
            outcome = Outcome(archived.path, "failed", why)
        with lock:
            done[0] += 1
            listener(Progress("verifying bundles", done[0], len(index.projects)))
        return outcome

    with ThreadPoolExecutor(POOL, "git-exchange") as pool:
        outcomes = list(pool.map(one, index.projects))
    outcomes += [Outcome(name, "failed", "a file that is not in the index") for name in _extra(folder, index)]
    return Verified(index, Report.of(outcomes), checksum)


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise FilesError(
            f"There is no archive here: {file.name} cannot be read ({error.strerror}).",
            hint="Name the folder that git-exchange export wrote.",
        ) from error


def _check(git: Git, folder: Path, archived: Archived) -> Outcome:
    if not archived.refs:
        return Outcome(archived.path, "empty", "the project had no branch")
    file = folder / archived.file
    if file.is_symlink() or not file.is_file():
        return Outcome(archived.path, "failed", f"{archived.file} is missing")
    if file.stat().st_size != archived.size or sha256_of(file) != archived.sha256:
        return Outcome(archived.path, "failed", f"{archived.file} is damaged or was changed: its SHA-256 differs")
    with tempfile.TemporaryDirectory(prefix="git-exchange-") as place:
        found = check_bundle(git, file, Path(place) / "bundle.git", timeout=TIMEOUT)
    if found != dict(archived.refs):
        wrong = sorted(ref for ref in found.keys() | archived.refs.keys() if found.get(ref) != archived.refs.get(ref))
        return Outcome(archived.path, "failed", f"other branches than in the index: {display(', '.join(wrong))}")
    return Outcome(archived.path, "ok", f"{len(found)} branches")


def _extra(folder: Path, index: Index) -> list[str]:
    known = {archive.INDEX, archive.README, LOCK, *(one.file for one in index.projects)}
    names = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_symlink() or path.is_file())
    return sorted(display(name) for name in names if name not in known)
