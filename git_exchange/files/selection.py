"""Which files of a folder travel: nbgrader's ``ignore``, ``include`` and size rules, and what never travels.

The rules are those of nbgrader's own exchange (``utils.ignore_patterns`` and ``Exchange.do_copy``), with one
difference: it follows symbolic links, we do not.
"""

from __future__ import annotations

import fnmatch
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from git_exchange.errors import FilesError, TooLarge
from git_exchange.files.beneath import open_beneath
from git_exchange.files.paths import caseless, display, is_dot_git, problem

# What ``replace.write_file`` writes beside a file until it is complete.
_UNFINISHED = re.compile(r"\.[0-9a-f]{32}\.part")


@dataclass(frozen=True)
class SelectionRules:
    """nbgrader's ``CourseDirectory`` options; sizes in bytes.

    ``ignore`` are globs for the names of files and folders, ``include`` for files only (none: all). Files larger than
    ``max_file_size`` (0: no limit) are left out; a folder that holds more than ``max_total_size`` is refused.
    """

    ignore: tuple[str, ...]
    include: tuple[str, ...]
    max_file_size: int
    max_total_size: int


@dataclass(frozen=True)
class File:
    """A file that travels: ``path`` relative to the folder with ``/``, ``size`` in bytes."""

    path: str
    size: int
    executable: bool


@dataclass(frozen=True)
class Skipped:
    """What does not travel. ``path`` is made for display; ``reason`` is a sentence that names it and the option."""

    path: str
    reason: str
    level: Literal["debug", "warning"]


@dataclass(frozen=True)
class Selection:
    """What travels, sorted by path.

    ``empty_directories`` are the deepest folders without a selected file; ``total_size`` is of the whole folder in
    bytes, what is left out included. ``alike`` are sentences about files that travel under names which are the same for
    many computers.
    """

    files: tuple[File, ...]
    empty_directories: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    total_size: int
    alike: tuple[str, ...] = ()


def select(root: Path, rules: SelectionRules) -> Selection:
    """Return which files below ``root`` travel. Raise TooLarge, FilesError if something cannot be read."""
    if not root.is_dir():
        raise FilesError(f"There is no folder {display(root.name)}.")
    total = _total_size(root)
    if total > rules.max_total_size:
        raise TooLarge(
            f"Directory size is too big. Size is {total}, maximum size is {rules.max_total_size}.",
            hint="Remove large files, or raise the option CourseDirectory.max_dir_size.",
        )
    files: list[File] = []
    skipped: list[Skipped] = []
    folders: list[str] = []
    left = [""]
    while left:
        folder = left.pop()
        for entry in _entries(root, folder):
            path = f"{folder}/{entry.name}" if folder else entry.name
            found = _judge(entry, path, rules)
            if isinstance(found, Skipped):
                skipped.append(found)
            elif isinstance(found, File):
                files.append(found)
            else:
                folders.append(path)
                left.append(path)
    return Selection(
        files=tuple(sorted(files, key=lambda file: file.path)),
        empty_directories=_empty(folders, files),
        skipped=tuple(sorted(skipped, key=lambda item: item.path)),
        total_size=total,
        alike=tuple(_alike(files)),
    )


def open_file(root: Path, file: File) -> BinaryIO:
    """Open a selected file for reading; no component may have become a symbolic link. Raise FilesError."""
    # O_NONBLOCK: a FIFO that took the file's place must not make us wait for a writer.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)
    try:
        descriptor = open_beneath(root, file.path.split("/"), flags)
    except OSError as error:
        raise FilesError(f"Cannot read {display(file.path)}: {error.strerror or error}.") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise FilesError(f"Cannot read {display(file.path)}: it is no longer a file.")
    return os.fdopen(descriptor, "rb")


def _alike(files: list[File]) -> Iterator[str]:
    first: dict[str, str] = {}
    for path in sorted(file.path for file in files):
        other = first.setdefault(caseless(path), path)
        if other != path:
            yield (
                f"'{display(other)}' and '{display(path)}' are the same name for many computers: only one of them will"
                " be graded. Rename the other"
            )


def _entries(root: Path, folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(root / folder) as entries:
            return list(entries)
    except OSError as error:
        name = display(folder or root.name)
        raise FilesError(f"Cannot read the folder {name}: {error.strerror or error}.") from error


def _judge(entry: os.DirEntry[str], path: str, rules: SelectionRules) -> File | Skipped | None:
    """Return a file, why it is left out, or None for a folder to look into."""
    shown = display(path)
    if is_dot_git(entry.name) or _UNFINISHED.fullmatch(entry.name):
        whose = "belongs to git" if is_dot_git(entry.name) else "an interrupted download has left"
        return Skipped(shown, f"Ignoring '{shown}', which {whose}", "debug")
    if _matches(entry.name, rules.ignore):
        reason = f"Ignoring excluded file '{shown}' (see config option CourseDirectory.ignore)"
        return Skipped(shown, reason, "debug")
    try:
        if entry.is_symlink():
            return Skipped(shown, f"Ignoring symbolic link '{shown}': links are not followed", "warning")
        state = entry.stat(follow_symlinks=False)
    except OSError as error:
        raise FilesError(f"Cannot read {shown}: {error.strerror or error}.") from error
    unfit = problem(os.fsencode(path))
    if unfit is not None:
        return Skipped(shown, f"Ignoring '{shown}': {unfit}", "warning")
    if stat.S_ISDIR(state.st_mode):
        return None
    return _judge_file(entry, path, state, rules)


def _judge_file(entry: os.DirEntry[str], path: str, state: os.stat_result, rules: SelectionRules) -> File | Skipped:
    shown = display(path)
    if not stat.S_ISREG(state.st_mode):
        return Skipped(shown, f"Ignoring '{shown}': it is neither a file nor a folder", "warning")
    if rules.include and not _matches(entry.name, rules.include):
        reason = f"Ignoring non included file '{shown}' (see config option CourseDirectory.include)"
        return Skipped(shown, reason, "debug")
    if rules.max_file_size and state.st_size > rules.max_file_size:
        reason = f"Ignoring file too large '{shown}' (see config option CourseDirectory.max_file_size)"
        return Skipped(shown, reason, "warning")
    if not os.access(entry.path, os.R_OK):
        raise FilesError(f"Cannot read {shown}: permission denied.")
    return File(path, state.st_size, bool(state.st_mode & stat.S_IXUSR))


def _matches(name: str, globs: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatch(name, glob) for glob in globs)


def _total_size(root: Path) -> int:
    """Return the size of everything below ``root`` but links, as nbgrader does: unreadable folders count 0."""
    return sum(_sizes(root))


def _sizes(root: Path) -> Iterator[int]:
    left = [os.fspath(root)]
    while left:
        try:
            with os.scandir(left.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        left.append(entry.path)
                    elif not entry.is_symlink():
                        yield entry.stat(follow_symlinks=False).st_size
        except OSError:
            continue


def _empty(folders: list[str], files: list[File]) -> tuple[str, ...]:
    filled = {parent for path in (*folders, *(file.path for file in files)) if (parent := path.rpartition("/")[0])}
    return tuple(sorted(folder for folder in folders if folder not in filled))
