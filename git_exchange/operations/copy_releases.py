"""Start a course from what another one has released: into folders to be released later, or released at once.

Only the newest release of each assignment is copied, exactly as it is; no student, no record, no date travels unasked.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Collection
from pathlib import Path

from git_exchange.course.course import Course
from git_exchange.course.releases import Release, ensure_fetched, releases
from git_exchange.errors import AssignmentNotFound, CourseError, GitExchangeError, PushRefused
from git_exchange.events import Event, Listener, Progress, ignore
from git_exchange.files.blob import blob_id
from git_exchange.files.paths import display
from git_exchange.operations.fetch import MAX_FILE, empty_directories, wanted_files
from git_exchange.operations.fetch import fetch as write_release
from git_exchange.report import Outcome, Report
from git_exchange.rules import times, trailers
from git_exchange.transport.cache import Repository
from git_exchange.transport.objects import TreeFile, commit_tree, list_tree, read_blob, tree_of
from git_exchange.transport.push import push

OTHER = "is another one; it was left as it is"


def copy_releases(
    source: Course,
    target: Course,
    place: Callable[[str], Path],
    *,
    assignments: Collection[str] = (),
    release: Collection[str] = (),
    keep_due_dates: bool = False,
    listener: Listener = ignore,
) -> Report:
    """Copy what ``source`` has released (only ``assignments``, if some are named) and not withdrawn.

    Those named in ``release`` become the first release in ``target``, visible at once to who may read releases there;
    the others are written to ``place(assignment)``. The outcomes are "written", "released", "unchanged" (it is there
    already), "differs" (something else is there, and stays), "withdrawn" and "failed". Raise AssignmentNotFound,
    before anything is done, NotStaff, CourseArchived.
    """
    target.staff()
    target.check_open()
    found = {one.assignment_id: one for one in releases(source)}
    if unknown := sorted({*assignments, *release} - found.keys()):
        raise AssignmentNotFound(
            f"Never released in {source.course_id}: {', '.join(map(display, unknown))}.",
            hint=f"Released there: {', '.join(map(display, sorted(found))) or 'nothing'}.",
        )
    there = {one.assignment_id: one for one in releases(target)}
    wanted = [one for name, one in found.items() if not assignments or name in {*assignments, *release}]
    outcomes = []
    for number, one in enumerate(wanted, 1):
        try:
            if one.withdrawn:
                status, detail = "withdrawn", f"withdrawn in {display(source.course_id)}"
            elif one.assignment_id in release:
                before = there.get(one.assignment_id)
                status, detail = _release(source, target, one, before, keep_due_dates=keep_due_dates)
            else:
                status, detail = _write(source, one, place(one.assignment_id), listener)
        except (GitExchangeError, OSError) as error:
            why = str(error) if isinstance(error, GitExchangeError) else f"{type(error).__name__}: {error.strerror}"
            listener(Event(f"Could not copy {display(one.assignment_id)}: {why}", "error"))
            status, detail = "failed", why
        outcomes.append(Outcome(display(one.assignment_id), status, detail))
        listener(Progress("copying releases", number, len(wanted)))
    return Report.of(outcomes)


def _write(source: Course, release: Release, folder: Path, listener: Listener) -> tuple[str, str]:
    if not folder.exists():
        write_release(source, release, folder, listener=listener)
        return "written", str(folder)
    ensure_fetched(source, release)
    entries = source.in_repository(
        lambda cache: cache.releases(), lambda repository: list_tree(repository, release.commit)
    )
    wanted = {file.path: file.oid for file in wanted_files(entries, ())}
    digits = len(release.commit)
    here = {
        path.relative_to(folder).as_posix(): blob_id(path, digits)
        for path in folder.rglob("*")
        if path.is_symlink() or not path.is_dir()
    }
    same = here == wanted and all((folder / name).is_dir() for name in empty_directories(release, (), listener))
    return ("unchanged", "") if same else ("differs", f"{folder} {OTHER}")


def _release(
    source: Course, target: Course, release: Release, before: Release | None, *, keep_due_dates: bool
) -> tuple[str, str]:
    ensure_fetched(source, release)

    def read(repository: Repository) -> tuple[str, list[TreeFile]]:
        files = [
            _lazily(repository, entry.path, entry.oid, entry.size or 0, executable=entry.mode == "100755")
            for entry in list_tree(repository, release.commit)
            if entry.kind == "blob"
        ]
        return tree_of(repository, release.commit), files

    tree, files = source.in_repository(lambda cache: cache.releases(), read)
    if before is not None:
        ensure_fetched(target, before)
        same = target.in_repository(lambda cache: cache.releases(), lambda own: tree_of(own, before.commit)) == tree
        if same and not before.withdrawn:
            return "unchanged", ""
        return "differs", f"the release in {display(target.course_id)} {OTHER}"

    def build_and_push(repository: Repository) -> str:
        name, email = target.identity()
        commit = commit_tree(
            repository,
            parents=[],
            files=files,
            message=_message(source, target, release, keep_due_dates=keep_due_dates),
            name=name,
            email=email,
            at=target.now(),
        )
        if tree_of(repository, commit) != tree:
            raise CourseError("The release holds links or names that cannot be copied as they are.")
        push(repository, target.forge.git_url(target.assignments()), commit, release.ref)
        return commit

    try:
        commit = target.in_repository(lambda cache: cache.releases(), build_and_push)
    except PushRefused as error:
        raise CourseError(
            f"The forge did not let {target.account().username} release: {error.server_says or error.message}",
            hint="Releasing takes an instructor's account (Maintainer on GitLab).",
        ) from error
    return "released", target.forge.commit_url(target.assignments(), commit)


def _lazily(repository: Repository, path: bytes, oid: str, size: int, *, executable: bool) -> TreeFile:
    name = path.decode("utf-8", "replace")  # one that is not UTF-8 shows in the tree
    return TreeFile(
        path=name, executable=executable, open=lambda: io.BytesIO(read_blob(repository, oid, MAX_FILE)), size=size
    )


def _message(source: Course, target: Course, release: Release, *, keep_due_dates: bool) -> str:
    said = [(trailers.ASSIGNMENT, release.assignment_id), (trailers.COURSE, target.course_id)]
    if keep_due_dates and release.due is not None:
        said.append((trailers.DUE_DATE, times.isoformat(release.due)))
    said += [(trailers.NOTEBOOK, path) for path in release.notebooks]
    said += [(trailers.EMPTY_DIRECTORY, path) for path in release.empty_directories]
    said.append((trailers.COPIED_FROM, f"{source.course_id} {release.commit}"))
    return trailers.message(f"Release {display(release.assignment_id)}, copied from {display(source.course_id)}", said)
