"""What may be written of a git tree that somebody else made.

Knows git's modes and what is hostile about names and sizes; reads no repository and writes no file.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from git_exchange.errors import TooLarge
from git_exchange.files.paths import caseless, display, problem, shortened

_FILE_MODES = ("100644", "100664", "100755")
_POINTERS = (b"version https://git-lfs.github.com/spec/", b"version https://hawser.github.com/spec/")


@dataclass(frozen=True)
class TreeEntry:
    """One line of ``git ls-tree -r -l -z``: ``size`` in bytes, None where git gives none; ``path`` as it is stored."""

    mode: str
    kind: str
    oid: str
    size: int | None
    path: bytes


@dataclass(frozen=True)
class Accepted:
    """A file that may be written: ``path`` relative with ``/``, ``oid`` of its blob, ``size`` in bytes."""

    path: str
    oid: str
    size: int
    executable: bool


@dataclass(frozen=True)
class Rejected:
    """An entry that must not be written; ``path`` is made for display."""

    path: str
    reason: str


@dataclass(frozen=True)
class CheckedTree:
    """Every file of a tree, in one of two places, sorted by path."""

    accepted: tuple[Accepted, ...]
    rejected: tuple[Rejected, ...]


def check(
    entries: Iterable[TreeEntry],
    *,
    max_file_size: int,
    max_total_size: int,
    max_files: int = 10_000,
    preferred: Collection[str] = (),
) -> CheckedTree:
    """Return what may be written. Sizes in bytes; a ``max_file_size`` of 0 is no limit.

    Of names that some file system takes for the same, the one in ``preferred`` (the released ones) is accepted, else
    the first. Raise TooLarge if there are more than ``max_files`` entries, or the accepted ones exceed
    ``max_total_size``.
    """
    rejected: list[tuple[bytes, str]] = []
    fine: list[tuple[bytes, Accepted]] = []
    for count, entry in enumerate((entry for entry in entries if entry.kind != "tree"), start=1):
        if count > max_files:
            raise TooLarge(f"There are more than {max_files} files.")
        found = _judge(entry, max_file_size)
        if isinstance(found, Accepted):
            fine.append((entry.path, found))
        else:
            rejected.append((entry.path, found))
    names = _Names()
    accepted: list[Accepted] = []
    wanted = frozenset(preferred)
    for path, file in sorted(fine, key=lambda item: (item[1].path not in wanted, item[0])):
        clash = names.add(file.path)
        if clash is None:
            accepted.append(file)
        else:
            rejected.append((path, clash))
    total = sum(file.size for file in accepted)
    if total > max_total_size:
        raise TooLarge(f"The files have {total} bytes together, and {max_total_size} are allowed.")
    return CheckedTree(
        tuple(sorted(accepted, key=lambda file: file.path)),
        tuple(Rejected(shortened(path), reason) for path, reason in sorted(rejected)),
    )


def lfs_pointer(first_bytes: bytes) -> bool:
    """Return whether a file that begins like this is a Git LFS pointer instead of the content."""
    return first_bytes.startswith(_POINTERS)


def _judge(entry: TreeEntry, max_file_size: int) -> Accepted | str:
    reason = problem(entry.path)
    if entry.mode == "120000":
        reason = "it is a symbolic link, and links are not followed"
    elif entry.mode == "160000" or entry.kind == "commit":
        reason = "it is a link to another repository (a submodule), and links are not followed"
    elif reason is None and (entry.kind != "blob" or entry.mode not in _FILE_MODES):
        reason = f"its mode {display(entry.mode)} is not that of a file"
    elif reason is None and entry.size is None:
        reason = "its size is not known"
    elif reason is None and entry.size is not None and 0 < max_file_size < entry.size:
        reason = f"it has {entry.size} bytes, and {max_file_size} are allowed"
    if reason is not None:
        return reason
    return Accepted(entry.path.decode("utf-8"), entry.oid, entry.size or 0, entry.mode == "100755")


class _Names:
    """The accepted names as a tree of components, compared as a file system without regard to case and form would."""

    def __init__(self) -> None:
        self._folders: dict[tuple[int, str], tuple[int, str]] = {}
        self._files: dict[tuple[int, str], str] = {}

    def add(self, path: str) -> str | None:
        """Remember the path of a file, or return what it clashes with and remember nothing."""
        node = 0
        components = [caseless(component) for component in path.split("/")]
        new: list[tuple[int, str]] = []
        for component in components[:-1]:
            place = (node, component)
            if place in self._files:
                return f"a file {display(self._files[place])} is where its folder would be"
            if not new and place in self._folders:
                node = self._folders[place][0]
            else:
                node = len(self._folders) + len(new) + 1
                new.append(place)
        place = (node, components[-1])
        if place in self._files:
            return f"its name equals {display(self._files[place])} up to case or Unicode form"
        if place in self._folders:
            return f"a folder of {display(self._folders[place][1])} has its name"
        for folder in new:
            self._folders[folder] = (len(self._folders) + 1, path)
        self._files[place] = path
        return None
