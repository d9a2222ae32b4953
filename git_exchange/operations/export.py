"""Export a course: one self-contained git bundle per project, and an index that says what each must hold."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock, Timeout

from git_exchange import __version__
from git_exchange.course.course import Course
from git_exchange.errors import (
    CacheCorrupt,
    FilesError,
    GitExchangeError,
    HostileRepository,
    Incomplete,
    RefMissing,
)
from git_exchange.events import Event, Listener, Progress, ignore
from git_exchange.files.paths import display
from git_exchange.forge.ports import Project
from git_exchange.report import Outcome, Report
from git_exchange.rules import archive, layout
from git_exchange.rules.archive import Archived, Index
from git_exchange.transport.bundle import write_bundle
from git_exchange.transport.cache import Cache, Repository
from git_exchange.transport.protocol import ls_remote

LOCK = ".lock"
# Bringing a whole project is allowed more time than one branch of it; one that stands still ends much earlier.
PATIENCE = 10
# How often the index is written while the export goes on: what is in it is not fetched again after a crash.
SAVE_EVERY = 2.0

_TEXT = """\
The course {course}, as it was on {forge} (group {group}) on {day} UTC.

Every project of the course is one file in bundles/: assignments holds what was released, staff the records of the
staff, student-... the work of one student and the feedback on it. A bundle is a whole git repository in one file:

    git clone bundles/FILE.bundle FOLDER

index.json names, for every bundle, the project and its number on the forge, the student, all branches with their
commits, and the SHA-256 of the file. `git-exchange verify THIS-FOLDER` checks all of it without a network.

The files hold work and feedback of students under their names: keep them as confidential as the course itself.
"""


@dataclass(frozen=True)
class Exported:
    """What became of every project, and the SHA-256 of ``index.json`` to be kept elsewhere."""

    report: Report
    checksum: str


def export(course: Course, folder: Path, *, listener: Listener = ignore) -> Exported:
    """Write the course to ``folder``. What did not change since an earlier export into it is not fetched again.

    The outcomes are "exported", "unchanged", "empty" and "failed". A project that has left the forge keeps its
    bundle. Raise NotStaff, FilesError, also if the folder holds another course.
    """
    course.staff()
    wanted, others = projects_of(course)
    with _locked(folder):
        run = _Run(course, folder, listener, _begin(course, folder), len(wanted))
        try:
            outcomes = course.in_parallel(run.one, wanted)
        finally:
            checksum = run.save(final=True)
    here = {project.id for project in wanted}
    notes = [
        f"{one.path} (number {one.project_id}) is no longer on the forge; its bundle stays."
        for one in run.index.projects
        if one.project_id not in here
    ]
    notes += [f"{display(project.path)} is no project of a course and was not exported." for project in others]
    return Exported(Report.of(outcomes, notes), checksum)


def sha256_of(file: Path) -> str:
    """Return the SHA-256 of a file, read in pieces."""
    digest = hashlib.sha256()
    with file.open("rb") as source:
        while piece := source.read(1_048_576):
            digest.update(piece)
    return digest.hexdigest()


class _Run:
    """One export: the index as it grows, and what all of its threads share."""

    def __init__(self, course: Course, folder: Path, listener: Listener, index: Index, total: int) -> None:
        self.index = index
        self._course = course
        self._folder = folder
        self._listener = listener
        self._before = {one.project_id: one for one in index.projects}
        self._total = total
        self._done = 0
        self._saved = 0.0
        self._lock = threading.Lock()
        self._now = index.at

    def one(self, project: Project) -> Outcome:
        """Export one project; never raises what concerns it alone."""
        try:
            archived, status = self._export(project)
            outcome = Outcome(project.path, status, f"{len(archived.refs)} branches, {archived.size} bytes")
        except (GitExchangeError, OSError) as error:
            why = str(error) if isinstance(error, GitExchangeError) else f"{type(error).__name__}: {error.strerror}"
            self._listener(Event(f"Could not export {display(project.path)}: {why}", "error"))
            archived, outcome = None, Outcome(project.path, "failed", why)
        with self._lock:
            self._done += 1
            if archived is not None:
                kept = [one for one in self.index.projects if one.project_id != project.id]
                self.index = replace(self.index, projects=(*kept, archived))
            self._listener(Progress("exporting projects", self._done, self._total))
        self.save()
        return outcome

    def save(self, *, final: bool = False) -> str:
        """Write the index if it is time to; return its checksum."""
        with self._lock:
            if not final and time.monotonic() < self._saved + SAVE_EVERY:
                return ""
            self._saved = time.monotonic()
            content = archive.dump(self.index).encode()
            _write(self._folder / archive.INDEX, content)
            return hashlib.sha256(content).hexdigest()

    def _export(self, project: Project) -> tuple[Archived, str]:
        course, before = self._course, self._before.get(project.id)
        url = course.forge.git_url(project)
        refs = ls_remote(course.git, url, ["refs/heads/", "refs/tags/"])
        about = Archived(
            project_id=project.id,
            path=project.path,
            student_id=layout.student_in(project.path, project.description),
            refs={},
            file="",
            sha256="",
            size=0,
            at=self._now,
        )
        if not refs:
            self._forget(before)
            return about, "empty"
        if before is not None and dict(before.refs) == refs and self._intact(before):
            # The project may have another name by now; the bundle keeps the one that it was written under.
            return replace(before, path=about.path, student_id=about.student_id), "unchanged"
        target = self._folder / archive.bundle_file(project.id, project.path)
        with _place(self._folder) as place:
            file = place / "bundle"
            found = self._bundle(project, url, list(refs), file, place)
            checksum, size = sha256_of(file), file.stat().st_size
            file.replace(target)
        name = target.relative_to(self._folder).as_posix()
        if before is not None and before.file != name:
            self._forget(before)
        return replace(about, refs=found, file=name, sha256=checksum, size=size), "exported"

    def _bundle(self, project: Project, url: str, refs: list[str], file: Path, place: Path) -> dict[str, str]:
        limits = self._course.settings.limits

        def find(cache: Cache) -> Repository:
            if project.path == layout.ASSIGNMENTS:
                return cache.releases()
            return cache.staff() if project.path == layout.STAFF else cache.seat(project.id)

        def write(repository: Repository) -> dict[str, str]:
            with tempfile.TemporaryDirectory(dir=place) as git_dir:
                return write_bundle(
                    repository,
                    url,
                    refs,
                    file,
                    Path(git_dir),
                    timeout=limits.git_timeout * PATIENCE,
                    max_bytes=limits.max_fetch,
                )

        try:
            return self._course.in_repository(find, write)
        except CacheCorrupt as error:
            # The local copy was made anew in between: it is the server's objects that do not fit together.
            raise HostileRepository(error.message) from error
        except RefMissing as error:
            raise Incomplete(f"{error.message} It was removed at this moment.", hint="Export again.") from error

    def _intact(self, archived: Archived) -> bool:
        file = self._folder / archived.file
        try:
            return file.stat().st_size == archived.size and sha256_of(file) == archived.sha256
        except OSError:
            return False

    def _forget(self, before: Archived | None) -> None:
        if before is not None and before.file:
            (self._folder / before.file).unlink(missing_ok=True)


def projects_of(course: Course) -> tuple[list[Project], list[Project]]:
    """Return the projects of the course, the staff's first, and what else lies in its group."""
    found = sorted(course.projects(), key=lambda project: project.path)
    own = [project for project in found if project.path in (layout.ASSIGNMENTS, layout.STAFF)]
    seats = [project for project in found if layout.student_in(project.path, project.description) is not None]
    return [*own, *seats], [project for project in found if project not in own and project not in seats]


def _begin(course: Course, folder: Path) -> Index:
    """Return the index to go on from, and write what explains the folder. Raise FilesError."""
    group, now = course.group(), course.forge.server().date
    fresh = Index(
        course_id=course.course_id,
        forge=course.settings.url,
        group_path=group.full_path,
        group_id=group.id,
        at=now,
        by=course.account().username,
        tool=__version__,
    )
    try:
        before = archive.load((folder / archive.INDEX).read_text("utf-8"))
    except FileNotFoundError:
        before = fresh
        if any(folder.glob(f"{archive.BUNDLES}/*")):
            raise FilesError(
                "The folder holds bundles, but no index.", hint="Export into an empty folder, or bring index.json back."
            ) from None
    except (OSError, ValueError) as error:
        raise FilesError(
            f"The index of the earlier export cannot be used: {error}.", hint="Export into an empty folder."
        ) from error
    if (before.forge, before.group_id) != (fresh.forge, fresh.group_id):
        raise FilesError(
            f"The folder holds another course: {before.course_id} of {before.forge}, group number {before.group_id}.",
            hint="Export into a folder of its own.",
        )
    (folder / archive.BUNDLES).mkdir(exist_ok=True)
    text = _TEXT.format(
        course=display(course.course_id), forge=course.settings.url, group=group.full_path, day=f"{now:%Y-%m-%d %H:%M}"
    )
    _write(folder / archive.README, text.encode())
    return replace(fresh, projects=before.projects)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = FileLock(folder / LOCK, timeout=0)
        lock.acquire()
    except Timeout as error:
        raise FilesError("Another export into this folder is under way.", hint="Wait until it is done.") from error
    except OSError as error:
        raise FilesError(f"The folder cannot be used: {error.strerror}.") from error
    try:
        for left in folder.glob(".part-*"):
            shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink(missing_ok=True)
        yield
    finally:
        lock.release()
        with suppress(OSError):
            (folder / LOCK).unlink()


@contextmanager
def _place(folder: Path) -> Iterator[Path]:
    """Give a folder beside the bundles for what is not complete yet."""
    with tempfile.TemporaryDirectory(prefix=".part-", dir=folder) as place:
        yield Path(place)


def _write(file: Path, content: bytes) -> None:
    try:
        aside = file.with_name(f".part-{file.name}")
        aside.write_bytes(content)
        aside.replace(file)
    except OSError as error:
        raise FilesError(f"{file.name} cannot be written: {error.strerror}.") from error
