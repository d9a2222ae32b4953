"""Submissions that were sent and not confirmed: a note in the local cache, by which the next try knows its own work.

Without the note nothing is lost: what had arrived after all is then handed in once more, as an attempt of its own.
"""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from pathlib import Path

from git_exchange.course.course import Course
from git_exchange.errors import FilesError
from git_exchange.files import replace

_ID = re.compile(r"[0-9a-f]{32}")


def note(course: Course, project_id: int, ref: str, submission: str) -> None:
    """Remember that this submission is on its way, as far as this machine can remember anything."""
    with suppress(OSError, FilesError):  # a full disk must not keep anybody from submitting
        file = _file(course, project_id, ref)
        file.parent.mkdir(exist_ok=True)
        replace.write_file(file, [f"{submission}\n".encode()])


def noted(course: Course, project_id: int, ref: str) -> str | None:
    """Return the id of the submission of which it is open whether it arrived, None if there is none."""
    try:
        said = _file(course, project_id, ref).read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return None
    return said if _ID.fullmatch(said) else None


def forget(course: Course, project_id: int, ref: str, submission: str) -> None:
    """Remember it no longer, as somebody is about to be told. A later submission that is noted meanwhile stays."""
    if noted(course, project_id, ref) == submission:
        with suppress(OSError):
            _file(course, project_id, ref).unlink()


def _file(course: Course, project_id: int, ref: str) -> Path:
    name = hashlib.sha256(f"sent {project_id} {ref}".encode()).hexdigest()[:32]
    return course.cache().notes() / name
