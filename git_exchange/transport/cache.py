"""The local copies of a course's repositories, for one account on one forge.

Knows folders: ``releases.git``, ``staff.git`` and ``seats/<project id>.git``, the seats with ``releases.git`` as their
alternate, and ``notes``. Nothing lives only here: whatever is damaged or vanishes is made again.
"""

from __future__ import annotations

import atexit
import logging
import os
import re
import shutil
import tempfile
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from git_exchange.errors import CacheCorrupt, FilesError, GitError, GitTimeout
from git_exchange.transport.command import Git

MAX_PACKS = 40
LOCK_TIMEOUT = 60.0
# A damaged copy is often a full disk: with less than this to spare the copies move to a temporary folder.
ROOM = 32_000_000

_log = logging.getLogger(__name__)
_temporary: dict[Path, Path] = {}
_temporary_lock = threading.Lock()


@dataclass(frozen=True)
class Repository:
    """A bare repository of ours and the git that works in it. Callers hold its lock around what they do with it."""

    git_dir: Path
    git: Git

    @contextmanager
    def locked(self, timeout: float = LOCK_TIMEOUT) -> Iterator[None]:
        """Keep other threads and processes out of the repository. Raise GitTimeout after ``timeout`` seconds."""
        with _lock(self.git_dir, timeout):
            yield

    def remove_leftovers(self) -> None:
        """Remove what a git that was ended in the middle has left. Only under the lock."""
        for pattern in ("objects/pack/tmp_*", "objects/pack/.tmp-*", "objects/??/tmp_obj_*", "fast_import_crash_*"):
            for path in self.git_dir.glob(pattern):
                with suppress(OSError):
                    path.unlink()


class Cache:
    """The copies of one course. ``root`` comes from ``cache_root``; it need not exist."""

    def __init__(self, root: Path, git: Git) -> None:
        self._wanted = root
        self._git = git

    def releases(self) -> Repository:
        """Return the copy of the project that holds the releases."""
        return self._repository("releases.git", alternate=None)

    def staff(self) -> Repository:
        """Return the copy of the staff's project."""
        return self._repository("staff.git", alternate=None)

    def seat(self, project_id: int) -> Repository:
        """Return the copy of a student's project; it borrows objects from the releases."""
        self.releases()
        return self._repository(f"seats/{int(project_id)}.git", alternate="../../../releases.git/objects")

    def notes(self) -> Path:
        """Return the folder for small notes about this machine. It need not exist."""
        return self._root() / "notes"

    def seats_here(self) -> list[Repository]:
        """Return the copies of students' projects that there are; makes none."""
        return [Repository(path, self._git) for path in sorted(self._root().glob("seats/*.git"))]

    def drop(self, repository: Repository) -> None:
        """Remove a copy that nobody is using; the next call that asks for it gets an empty one. Raise GitTimeout."""
        with repository.locked(0):
            _remove(repository.git_dir)

    def rebuild(self, repository: Repository) -> None:
        """Throw a damaged copy away; the next call that asks for it gets an empty one. Not under its lock.

        A seat's damage may lie in the releases that it borrows from: then they go as well. If the disk is full, the
        copies of this process move to a temporary folder.
        """
        with repository.locked():
            _remove(repository.git_dir)
        releases = repository.git_dir.parent.parent / "releases.git"
        if repository.git_dir.parent.name == "seats" and releases.is_dir() and not self._whole(releases):
            with _lock(releases, LOCK_TIMEOUT):
                _remove(releases)
        root = self._root()
        if root == self._wanted and not _has_room(root):
            _use_temporary(self._wanted, "there is no room left")

    def _whole(self, git_dir: Path) -> bool:
        try:
            self._git.run(["fsck", "--full", "--no-dangling", "--no-progress"], git_dir=git_dir)
        except GitTimeout:
            return True
        except GitError:
            return False
        return True

    def _repository(self, name: str, alternate: str | None) -> Repository:
        root = self._root()
        try:
            return self._made(root / name, alternate)
        except (FilesError, CacheCorrupt):
            if root != self._wanted or _has_room(root):
                raise
        root = _use_temporary(self._wanted, "there is no room left")
        if alternate is not None:
            self.releases()
        return self._made(root / name, alternate)

    def _made(self, git_dir: Path, alternate: str | None) -> Repository:
        repository = Repository(git_dir, self._git)
        if not _is_made(repository.git_dir):
            with repository.locked():
                if not _is_made(repository.git_dir):
                    self._make(repository.git_dir, alternate)
        return repository

    def _make(self, git_dir: Path, alternate: str | None) -> None:
        """Build the repository aside and move it into place, so that it is there complete or not at all."""
        aside = git_dir.with_name(f".{git_dir.name}.{uuid.uuid4().hex}")
        try:
            self._git.run(["init", "--quiet", "--bare", "--template="], git_dir=aside)
            if alternate is not None:
                information = aside / "objects" / "info"
                information.mkdir(exist_ok=True)
                # Relative, so that the cache may be moved as a whole.
                (information / "alternates").write_text(f"{alternate}\n", encoding="utf-8")
            _remove(git_dir)
            aside.rename(git_dir)
        except OSError as error:
            raise FilesError(f"The local copy could not be made: {error.strerror}.") from error
        finally:
            shutil.rmtree(aside, ignore_errors=True)

    def _root(self) -> Path:
        with _temporary_lock:
            if self._wanted in _temporary:
                return _temporary[self._wanted]
        try:
            _make_private(self._wanted / "seats")
            if os.access(self._wanted, os.W_OK | os.X_OK):
                return self._wanted
            reason = "it is read-only"
        except OSError as error:
            reason = error.strerror or "it cannot be made"
        return _use_temporary(self._wanted, reason)


def cache_root(base: Path, origin: str, account_id: int, group_id: int) -> Path:
    """Return where the copies of a course (a group) on a forge (``origin`` with port) belong for an account."""
    return base / re.sub(r"[^A-Za-z0-9.-]+", "_", origin) / str(int(account_id)) / str(int(group_id))


def repack(repository: Repository) -> bool:
    """Put the packs of a repository into one if they have become many; True if that was done.

    Takes seconds: for idle times. Nothing is dropped, not even what no branch holds any more (it may be evidence).
    Only under the repository's lock.
    """
    repository.remove_leftovers()
    if sum(1 for _ in repository.git_dir.glob("objects/pack/*.pack")) <= MAX_PACKS:
        return False
    repository.git.run(["repack", "-a", "-d", "-k", "-l", "--quiet"], git_dir=repository.git_dir, timeout=600)
    return True


@contextmanager
def _lock(git_dir: Path, timeout: float) -> Iterator[None]:
    file = git_dir.with_suffix(".lock")
    try:
        _make_private(file.parent)
        lock = FileLock(file, timeout=timeout)
        lock.acquire()
    except Timeout as error:
        raise GitTimeout("Another program has been using the local copy of the repository for too long.") from error
    except OSError as error:
        raise CacheCorrupt(f"The local copy cannot be locked: {error.strerror}.") from error
    try:
        yield
    finally:
        lock.release()


def _make_private(folder: Path) -> None:
    """Make the folder and what is missing above it, for nobody but us: other people's work will lie in it."""
    for part in reversed([folder, *folder.parents]):
        if not part.is_dir():
            part.mkdir(mode=0o700, exist_ok=True)


def _is_made(git_dir: Path) -> bool:
    return (git_dir / "HEAD").is_file() and (git_dir / "objects").is_dir()


def _remove(git_dir: Path) -> None:
    """Remove a repository at once for everybody who looks, then its files."""
    aside = git_dir.with_name(f".{git_dir.name}.{uuid.uuid4().hex}")
    try:
        git_dir.rename(aside)
    except FileNotFoundError:
        return
    except OSError as error:
        raise FilesError(f"A damaged local copy cannot be removed: {error.strerror}.") from error
    shutil.rmtree(aside, ignore_errors=True)


def _has_room(root: Path) -> bool:
    """Return whether something can be written; free space alone does not tell of quotas."""
    try:
        with tempfile.TemporaryFile(dir=root) as file:
            for _ in range(ROOM // 1_000_000):
                file.write(bytes(1_000_000))
            file.flush()
    except OSError:
        return False
    return True


def _use_temporary(wanted: Path, reason: str) -> Path:
    with _temporary_lock:
        if wanted not in _temporary:
            folder = Path(tempfile.mkdtemp(prefix="git-exchange-"))
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
            (folder / "seats").mkdir()
            _log.warning("The cache folder %s cannot be used (%s); using a temporary one.", wanted, reason)
            _temporary[wanted] = folder
        return _temporary[wanted]
