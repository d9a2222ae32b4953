"""Which release a folder on this machine was made from: a note in the local cache, one file for each folder.

Without the note nothing is lost: it then depends on the contents alone which files are the student's own work.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from git_exchange.course.course import Course
from git_exchange.errors import FilesError
from git_exchange.files import replace
from git_exchange.transport.objects import is_oid


def note(course: Course, folder: Path, commit: str) -> None:
    """Remember that the folder holds what this release gave, as far as this machine can remember anything."""
    with suppress(OSError, FilesError):  # what was written into the folder is worth more than the note
        file = _file(course, folder)
        file.parent.mkdir(exist_ok=True)
        replace.write_file(file, [f"{commit}\n".encode()])


def noted(course: Course, folder: Path) -> str | None:
    """Return the commit of the release, None if it is not known."""
    try:
        said = _file(course, folder).read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return None
    return said if is_oid(said) else None


def _file(course: Course, folder: Path) -> Path:
    name = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:32]
    return course.cache().notes() / name
