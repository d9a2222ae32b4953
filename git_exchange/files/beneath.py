"""Opening files below a folder without ever leaving it: no component of the path may be a symbolic link."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
_DIRECTORY = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
_COMMON = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0) | _NO_FOLLOW
_HAS_DIR_FD = os.open in os.supports_dir_fd and os.mkdir in os.supports_dir_fd and bool(_NO_FOLLOW)


def open_beneath(
    root: Path, parts: Sequence[str], flags: int, mode: int = 0o644, *, directory_mode: int | None = None
) -> int:
    """Return a descriptor of the file ``parts`` below ``root``, which itself may be a link. Raise OSError.

    ``flags`` and ``mode`` (subject to the umask) are those of ``os.open``. With ``directory_mode`` missing folders are
    made; 0 leaves their mode to the umask, anything else is set exactly.
    """
    if not parts or any(part in ("", ".", "..") or "/" in part or os.sep in part for part in parts):
        raise ValueError("not the components of a path below a folder")
    if not _HAS_DIR_FD:
        return _open_by_name(root, parts, flags, mode, directory_mode)
    folder = os.open(root, _DIRECTORY)
    try:
        for part in parts[:-1]:
            made = directory_mode is not None and _make(part, folder)
            child = os.open(part, _DIRECTORY | _NO_FOLLOW, dir_fd=folder)
            os.close(folder)
            folder = child
            if made and directory_mode:
                os.fchmod(folder, directory_mode)
        return os.open(parts[-1], flags | _COMMON, mode, dir_fd=folder)
    finally:
        os.close(folder)


def _make(part: str, folder: int) -> bool:
    try:
        os.mkdir(part, 0o755, dir_fd=folder)
    except FileExistsError:
        return False
    return True


def _open_by_name(root: Path, parts: Sequence[str], flags: int, mode: int, directory_mode: int | None) -> int:
    """Do the same where the system cannot open relative to a descriptor: checked, though not free of races."""
    path = root
    for part in parts[:-1]:
        path /= part
        if directory_mode is not None and not path.is_symlink() and not path.exists():
            path.mkdir(mode=directory_mode or 0o755)
        if path.is_symlink():
            raise OSError(f"{part} is a symbolic link")
    path /= parts[-1]
    if path.is_symlink():
        raise OSError(f"{parts[-1]} is a symbolic link")
    return os.open(path, flags | _COMMON, mode)
