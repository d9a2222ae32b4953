"""The id that git gives to the contents of a file."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

_CHUNK = 1_048_576


def blob_id(path: Path, digits: int) -> str | None:
    """Return the id as a repository with ids of so many digits has it (40: SHA-1, 64: SHA-256).

    None for what is not an ordinary file; links are not followed. Raise OSError.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        if path.is_symlink() or path.is_dir():
            return None
        raise
    with os.fdopen(descriptor, "rb") as file:
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode):
            return None
        digest = (hashlib.sha256 if digits == 64 else hashlib.sha1)(b"blob %d\0" % state.st_size)
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
