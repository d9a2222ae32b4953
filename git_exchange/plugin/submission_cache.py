"""nbgrader's cache: copies of one's own submissions, as ``<course>/<student>+<assignment>+<timestamp>/``.

Other programs read it. For us the forge is the truth: copies of ours are written and tidied away, never listed; folders
that another exchange left here (before a course moved, say) are listed, as nothing else knows of them.
"""

from __future__ import annotations

import fnmatch
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from git_exchange.files import replace
from git_exchange.files.paths import problem
from git_exchange.files.selection import Selection, open_file
from git_exchange.operations import sidecar

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Kept:
    """One folder of the cache. ``attempt`` says of which attempt on the forge it is a copy; others' have None."""

    folder: Path
    course_id: str
    student_id: str
    assignment_id: str
    timestamp: str
    attempt: sidecar.Sidecar | None

    @property
    def notebooks(self) -> tuple[str, ...]:
        """The names of the notebooks in the top folder, sorted."""
        return tuple(sorted(path.name for path in self.folder.glob("*.ipynb")))


def keep(
    cache: Path,
    course_id: str,
    student_id: str,
    assignment_id: str,
    timestamp: str,
    work: Path,
    selection: Selection,
    attempt: sidecar.Sidecar,
) -> bool:
    """Copy what was submitted; False if these names cannot be a folder's. Raise FilesError, OSError."""
    names = (course_id, student_id, assignment_id)
    if any("/" in name or problem(name.encode()) is not None for name in names) or "+" in student_id + assignment_id:
        return False
    folder = cache / course_id / f"{student_id}+{assignment_id}+{timestamp}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with replace.staging(cache) as new:
        replace.write_tree(
            new,
            (
                (file.path, file.executable, _chunks(work, selection, number))
                for number, file in enumerate(selection.files)
                if file.path.casefold() not in sidecar.RESERVED
            ),
        )
        for path in selection.empty_directories:
            (new / path).mkdir(parents=True, exist_ok=True)
        replace.write_tree(new, sidecar.files(attempt, timestamp))
        if not folder.exists():
            new.rename(folder)
    return True


def kept(cache: Path, course_id: str, student_id: str | None, assignment_id: str) -> list[Kept]:
    """Return the course's folders, of one student or (None) all; ``assignment_id`` is a pattern, "" means all."""
    return sorted(
        _folders(cache, course_id, student_id, assignment_id or "*"),
        key=lambda found: (found.student_id, found.assignment_id, found.timestamp),
    )


def drop(entry: Kept) -> None:
    """Remove a folder of the cache."""
    shutil.rmtree(entry.folder)


def _folders(cache: Path, course_id: str, student_id: str | None, pattern: str) -> Iterator[Kept]:
    if course_id in ("", ".", "..") or "/" in course_id or not (cache / course_id).is_dir():
        return
    for folder in (cache / course_id).iterdir():
        parts = folder.name.split("+")
        if len(parts) != 3 or not folder.is_dir() or folder.is_symlink():
            continue
        student, assignment, timestamp = parts
        if student_id in (None, student) and fnmatch.fnmatchcase(assignment, pattern):
            yield Kept(folder, course_id, student, assignment, timestamp, sidecar.read(folder))


def _chunks(work: Path, selection: Selection, number: int) -> Iterator[bytes]:
    with open_file(work, selection.files[number]) as file:
        while chunk := file.read(_CHUNK):
            yield chunk
