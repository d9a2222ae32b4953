"""Bring a newer release into a folder that the student works in. Nothing of the student's is changed or removed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from git_exchange.course.copies import note, noted
from git_exchange.course.course import Course
from git_exchange.course.releases import Release
from git_exchange.course.versions import Version, versions
from git_exchange.errors import FilesError
from git_exchange.events import Event, Listener, ignore
from git_exchange.files import replace
from git_exchange.files.blob import blob_id
from git_exchange.files.paths import display
from git_exchange.files.tree import Accepted
from git_exchange.operations.fetch import empty_directories, safe_parents, wanted_files
from git_exchange.rules.update import NO_FILE, Step, beside, plan
from git_exchange.transport.cache import Repository
from git_exchange.transport.objects import BlobReader, list_tree


@dataclass(frozen=True)
class News:
    """A release that is newer than a folder: when it was made (its maker's clock), and what it would change there."""

    released: datetime
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Updated:
    """What an update did: paths in the folder.

    ``beside`` are (student's file, name of its newer release); ``left`` are untouched files that the release no longer
    has; ``refused`` could not be written.
    """

    released: datetime
    added: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    beside: tuple[tuple[str, str], ...] = ()
    left: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Comparison:
    version: Version
    new: Mapping[str, Accepted]
    steps: tuple[Step, ...]


def news(course: Course, release: Release, folder: Path, *, ignore_patterns: Sequence[str] = ()) -> News | None:
    """Return what the release would change in the folder, None if that has it already. Changes nothing."""
    found = _compare(course, release, folder, ignore_patterns)
    steps = tuple(step for step in found.steps if step.action != "left" and not _is_there(found, folder, step))
    return News(found.version.released, steps) if steps else None


def update(
    course: Course,
    release: Release,
    folder: Path,
    *,
    ignore_patterns: Sequence[str] = (),
    listener: Listener = ignore,
) -> Updated:
    """Bring the release into the folder. Run again after an interruption it goes on. Raise FilesError without a folder.

    New files come, untouched ones are replaced; beside those that the student changed comes the newer release under
    another name, which submit leaves out.
    """
    if not folder.is_dir():
        raise FilesError(
            f"There is no folder {display(folder.name)} to update.",
            hint=f"Fetch it: nbgrader fetch_assignment {display(release.assignment_id)}",
        )
    found = _compare(course, release, folder, ignore_patterns)

    def write(repository: Repository) -> Updated:
        done: dict[str, list[str]] = {"add": [], "replace": [], "left": [], "refused": []}
        copies: list[tuple[str, str]] = []
        with BlobReader(repository) as blobs:
            for step in found.steps:
                if step.action == "left":
                    done["left"].append(step.path)
                    continue
                if _is_there(found, folder, step):
                    continue
                file = found.new[step.path]
                name = beside(step.path, found.version.released) if step.action == "beside" else step.path
                if not _may_write(folder, name, step):
                    done["refused"].append(name)
                    listener(Event(f"Not written: '{display(name)}', as something else is there", "warning"))
                    continue
                target = folder / name
                replace.make_folder(target.parent)
                replace.write_file(target, blobs.chunks(file.oid))
                if file.executable:
                    target.chmod(target.stat().st_mode | 0o111)
                if step.action == "beside":
                    copies.append((step.path, name))
                else:
                    done[step.action].append(name)
        return Updated(
            found.version.released,
            added=tuple(done["add"]),
            replaced=tuple(done["replace"]),
            beside=tuple(copies),
            left=tuple(done["left"]),
            refused=tuple(done["refused"]),
        )

    updated = course.in_repository(lambda cache: cache.releases(), write)
    for path in empty_directories(release, ignore_patterns, listener) if found.steps else ():
        if safe_parents(folder, f"{path}/x") and not (folder / path).exists():
            replace.make_folder(folder / path)
    if not updated.refused:
        note(course, folder, release.commit)
    return updated


def _compare(course: Course, release: Release, folder: Path, ignore_patterns: Sequence[str]) -> _Comparison:
    known = versions(course, release)
    said = noted(course, folder)
    base = next((number for number, version in enumerate(known) if said in version.commits), None)
    if base == 0:
        return _Comparison(known[0], {}, ())

    def read(repository: Repository) -> list[dict[str, Accepted]]:
        return [
            {file.path: file for file in wanted_files(list_tree(repository, version.tree), ignore_patterns)}
            for version in known
        ]

    trees = course.in_repository(lambda cache: cache.releases(), read)
    contents = [{path: file.oid for path, file in tree.items()} for tree in trees]
    here = _contents(folder, frozenset().union(*contents), len(release.commit))
    return _Comparison(known[0], trees[0], plan(here, contents, base))


def _contents(folder: Path, paths: frozenset[str], digits: int) -> dict[str, str]:
    """Return what is at those of the paths where something is."""
    found = {}
    for path in paths:
        if not safe_parents(folder, path):
            found[path] = NO_FILE
            continue
        try:
            found[path] = blob_id(folder / path, digits) or NO_FILE
        except FileNotFoundError:
            continue
        except OSError:
            found[path] = NO_FILE
    return found


def _is_there(found: _Comparison, folder: Path, step: Step) -> bool:
    """Return whether the newer release of a changed file lies beside it already: an earlier run was interrupted."""
    if step.action != "beside":
        return False
    copy = folder / beside(step.path, found.version.released)
    oid = found.new[step.path].oid
    try:
        return blob_id(copy, len(oid)) == oid
    except OSError:
        return False


def _may_write(folder: Path, name: str, step: Step) -> bool:
    """Return whether the place is free, or holds what is to be replaced, and no link leads elsewhere."""
    target = folder / name
    if not safe_parents(folder, name):
        return False
    if step.action == "replace":
        return target.is_file() and not target.is_symlink()
    return not target.exists() and not target.is_symlink()
