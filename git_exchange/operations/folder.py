"""A folder of somebody's work as a commit: selection, tree and message. Shared by release and submit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from git_exchange.course.course import Course
from git_exchange.events import Event, Listener
from git_exchange.files.selection import Selection, open_file
from git_exchange.transport.cache import Repository
from git_exchange.transport.objects import TreeFile, commit_tree


def notebooks(selection: Selection) -> tuple[str, ...]:
    """Return the paths of the notebooks, at any depth."""
    return tuple(file.path for file in selection.files if file.path.endswith(".ipynb"))


def say_skipped(selection: Selection, listener: Listener) -> None:
    """Tell what of the folder does not travel, and why."""
    for skipped in selection.skipped:
        listener(Event(skipped.reason, skipped.level))
    for sentence in selection.alike:
        listener(Event(sentence, "warning"))


def commit_folder(
    course: Course, repository: Repository, folder: Path, selection: Selection, parents: Sequence[str], message: str
) -> str:
    """Return a new commit that holds the selected files of ``folder``, exactly as they are on disk."""
    name, email = course.identity()
    return commit_tree(
        repository,
        parents=parents,
        files=[
            TreeFile(
                path=file.path,
                executable=file.executable,
                open=lambda file=file: open_file(folder, file),  # type: ignore[misc]  # binds the loop variable
                size=file.size,
            )
            for file in selection.files
        ],
        message=message,
        name=name,
        email=email,
        at=course.now(),
    )
