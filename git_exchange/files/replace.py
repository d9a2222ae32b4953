"""Writing files and folders so that nothing is destroyed before its replacement is complete.

Everything in between lies in the work area, ``.git-exchange`` in the root given (a course directory, say)::

    locks/    one file per lock, and per group of targets that are being swapped
    new/      folders that are being written
    journal/  one file per swap under way: where the old folder belongs, and where it is meanwhile
    aside/    old folders whose replacement is not in place yet
    trash/    old folders that have been replaced
    NAME/     what belongs to one user of ``own_folder``

A swap: write the journal, target -> aside, new -> target, aside -> trash, remove the journal, empty the trash. Whoever
dies in between leaves the whole old folder or the whole new one, and ``recover`` puts it where it belongs.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import stat
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from git_exchange.errors import FilesError, UnsafePath
from git_exchange.files.beneath import open_beneath
from git_exchange.files.paths import display, problem

_log = logging.getLogger(__name__)

LOCK_TIMEOUT = 60.0
# No run writes to a new folder for longer; what is older was left by one that died.
_ABANDONED_AFTER = 24 * 3600.0
_SWAP_LOCKS = 256


def work_area(root: Path) -> Path:
    """Return where everything in between lies."""
    return root / ".git-exchange"


def lock(root: Path, *key: str, timeout: float = LOCK_TIMEOUT) -> AbstractContextManager[None]:
    """Hold the lock that all processes and threads share for this key, for example a student and an assignment.

    Not to be taken twice by one thread. Raise FilesError if it is not free within ``timeout`` seconds.
    """
    name = hashlib.sha256("\0".join(key).encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return _held(root, f"key-{name}", " ".join(display(part) for part in key), timeout)


def own_folder(root: Path, name: str) -> Path:
    """Return the work area's folder of that name, for what its user alone knows and tidies. Raise FilesError."""
    with _reporting(f"make the folder {display(name)}"):
        return _area(root, name)


def new_directory(root: Path) -> Path:
    """Return a fresh, empty folder on the same file system as ``root``. Raise FilesError."""
    name = uuid.uuid4().hex
    with _reporting("make a folder for what is being written"):
        try:
            folder = _area(root, "new") / name
            folder.mkdir(mode=0o755)
        except FileNotFoundError:  # somebody tidied the empty work area away at this very moment
            folder = _area(root, "new") / name
            folder.mkdir(mode=0o755)
        return folder


@contextmanager
def staging(root: Path) -> Iterator[Path]:
    """Give a fresh folder to be moved elsewhere; whatever is still there afterwards is removed, the work area too."""
    folder = new_directory(root)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        for left in (folder.parent, work_area(root)):
            with suppress(OSError):  # in use, or with something in it
                left.rmdir()


def replace_directory(root: Path, new: Path, target: Path) -> None:
    """Put the complete folder ``new`` in the place of ``target``, which may not exist yet. Raise FilesError.

    All three on one file system. What an earlier run left half done for this target is settled first.
    """
    with _reporting(f"replace the folder {display(target.name)}"), _swap_lock(root, target, LOCK_TIMEOUT):
        _flush(new)
        journal = _area(root, "journal") / f"{_target_key(root, target)}.json"
        _settle(root, journal)
        if os.path.lexists(target):
            _swap(root, new, target, journal)
        else:
            new.rename(target)
            _flush_folder(target.parent)


def recover(root: Path) -> None:
    """Finish or undo what interrupted runs left, and tidy up. What living processes are doing is left alone."""
    area = work_area(root)
    with _reporting("tidy up after an interrupted run"):
        for journal in sorted(area.glob("journal/*.json")):
            target = _read_journal(root, journal)
            if target is not None:
                with suppress(_Busy), _swap_lock(root, target[0], 0):
                    _settle(root, journal)
        for left in area.glob("trash/*"):
            _remove(left)
        for left in (*area.glob("new/*"), *area.glob("journal/*.part")):
            with suppress(FileNotFoundError):
                if time.time() - left.stat().st_mtime > _ABANDONED_AFTER:
                    _remove(left)


def make_folder(folder: Path) -> None:
    """Make the folder and what is missing above it. Raise FilesError."""
    with _reporting(f"make the folder {display(folder.name)}"):
        folder.mkdir(parents=True, exist_ok=True)


def place(new: Path, target: Path) -> None:
    """Move a complete folder to where nothing is, or an empty folder. Raise FilesError if something is there."""
    with _reporting(f"put the folder {display(target.name)} in its place"):
        new.rename(target)


def write_file(path: Path, chunks: Iterable[bytes]) -> None:
    """Write a file, replacing an old one as a whole or not at all; the old one's mode is kept. Raise FilesError."""
    beside = path.with_name(f".{uuid.uuid4().hex}.part")  # not named after it: names may be as long as allowed
    with _reporting(f"write {display(path.name)}"):
        try:
            descriptor = os.open(beside, _CREATE, _mode_of(path))
            with os.fdopen(descriptor, "wb") as file:
                file.writelines(chunks)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        except BaseException:
            with suppress(OSError):
                beside.unlink()
            raise
        _flush_folder(path.parent)


def write_tree(directory: Path, files: Iterable[tuple[str, bool, Iterable[bytes]]], shared: bool = False) -> None:
    """Write new files below ``directory``: (path relative with ``/``, executable, content).

    Folders are made as needed, nothing is written outside. Modes are 644 and 755 less the umask, with ``shared``
    group-writable whatever the umask (nbgrader's ``groupshared``). Raise UnsafePath; FilesError also if a file exists.
    """
    if shared:
        with _reporting(f"share the folder {display(directory.name)}"):
            directory.chmod(0o2775)
    for path, executable, chunks in files:
        reason = problem(path.encode("utf-8", "surrogateescape"))
        if reason is not None:
            raise UnsafePath(f"Not written: {display(path)}: {reason}.")
        with _reporting(f"write {display(path)}"):
            mode = 0o755 if executable else 0o644
            parts = path.split("/")
            descriptor = open_beneath(directory, parts, _CREATE, mode, directory_mode=0o2775 if shared else 0)
            with os.fdopen(descriptor, "wb") as file:
                if shared and hasattr(os, "fchmod"):
                    os.fchmod(descriptor, mode | 0o20)
                file.writelines(chunks)


_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


class _Busy(Exception):
    """A living process holds the lock."""


def _area(root: Path, name: str) -> Path:
    """Return a folder of the work area, made if necessary; nobody gets more rights in it than in ``root``."""
    folder = work_area(root) / name
    if not folder.is_dir():
        mode = 0o700 | (stat.S_IMODE(root.stat().st_mode) & 0o2770)
        for missing in (work_area(root), folder):
            with suppress(FileExistsError):
                missing.mkdir(mode=0o700)
                missing.chmod(mode)
    return folder


@contextmanager
def _held(root: Path, name: str, what: str, timeout: float) -> Iterator[None]:
    with _reporting(f"lock {what}"):
        held = FileLock(_area(root, "locks") / name, timeout=timeout, mode=0o660)
        try:
            held.acquire()
        except Timeout as error:
            raise FilesError(
                f"Another process has been working on {what} for {timeout:.0f} seconds.",
                hint="Wait until it has finished and run this again.",
            ) from error
    try:
        yield
    finally:
        held.release()


@contextmanager
def _swap_lock(root: Path, target: Path, timeout: float) -> Iterator[None]:
    """Hold the lock of a swap, which tells the living from the dead: who died holds none. Few files serve all."""
    group = int(_target_key(root, target), 16) % _SWAP_LOCKS
    held = FileLock(_area(root, "locks") / f"swap-{group:02x}", timeout=timeout, mode=0o660)
    try:
        held.acquire()
    except Timeout as error:
        raise _Busy from error
    try:
        yield
    finally:
        held.release()


def _target_key(root: Path, target: Path) -> str:
    return hashlib.sha256(os.fsencode(_relative(root, target))).hexdigest()[:32]


def _relative(root: Path, target: Path) -> str:
    # Relative, so that a course directory may be moved; os.path.relpath resolves no link on the way.
    return os.path.relpath(target.absolute(), root.absolute())


def _swap(root: Path, new: Path, target: Path, journal: Path) -> None:
    aside = _area(root, "aside") / uuid.uuid4().hex
    write_file(journal, [json.dumps({"target": _relative(root, target), "aside": aside.name}).encode()])
    try:
        target.rename(aside)
        new.rename(target)
        _flush_folder(target.parent)
    except OSError:
        _settle(root, journal)
        raise
    _settle(root, journal)


def _settle(root: Path, journal: Path) -> None:
    """End a swap from whatever step it reached: the old folder goes back, or away if a new one is in its place."""
    found = _read_journal(root, journal)
    if found is None:
        return
    target, aside = found
    if os.path.lexists(aside):
        if os.path.lexists(target):
            trash = _area(root, "trash") / aside.name
            aside.rename(trash)
            journal.unlink()
            _remove(trash)
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        aside.rename(target)
        _flush_folder(target.parent)
    journal.unlink()


def _read_journal(root: Path, journal: Path) -> tuple[Path, Path] | None:
    """Return target and aside of a swap, None if it is over (or the journal is not ours: nothing is touched then)."""
    try:
        said = json.loads(journal.read_bytes())
        target, aside = str(said["target"]), str(said["aside"])
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError):
        _log.warning("The journal %s of an interrupted replacement cannot be read; remove it by hand.", journal)
        return None
    return root / target, work_area(root) / "aside" / Path(aside).name


def _remove(path: Path) -> None:
    """Remove a folder or a link; what cannot be removed now is tried again by the next ``recover``."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def _mode_of(path: Path) -> int:
    try:
        state = path.lstat()
    except FileNotFoundError:
        return 0o644
    return stat.S_IMODE(state.st_mode) if stat.S_ISREG(state.st_mode) else 0o644


def _flush(folder: Path) -> None:
    """Wait until the folder with all its files is on the disk: after that the old one may go."""
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            if not path.is_symlink():
                _fsync(path)
        _flush_folder(Path(parent))


def _flush_folder(folder: Path) -> None:
    with suppress(OSError):  # not every system can; it is only about a power failure
        _fsync(folder)


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _reporting(what: str) -> Iterator[None]:
    try:
        yield
    except _Busy as error:
        raise FilesError(f"Cannot {what}: another process is doing the same.", hint="Run this again.") from error
    except OSError as error:
        raise FilesError(f"Cannot {what}: {error.strerror or error}.") from error
