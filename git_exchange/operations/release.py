"""Release an assignment: the tree of ``release/<assignment>`` becomes the folder that nbgrader generated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from git_exchange.course.course import Course
from git_exchange.course.releases import Release, releases
from git_exchange.errors import AlreadyReleased, NotStaff, PushRace, PushRefused
from git_exchange.events import Event, Listener, ignore
from git_exchange.files.selection import Selection, SelectionRules, select
from git_exchange.operations.folder import commit_folder, notebooks, say_skipped
from git_exchange.rules import layout, times, trailers
from git_exchange.transport.cache import Repository
from git_exchange.transport.fetch import fetch
from git_exchange.transport.push import push


@dataclass(frozen=True)
class Released:
    """A confirmed release: its commit and the page where people can see it."""

    commit: str
    url: str
    again: bool


def find_released(course: Course, assignment_id: str) -> Release | None:
    """Return what ``release/<assignment>`` holds, a withdrawn release too; None if it was never released."""
    for release in releases(course):
        if release.assignment_id == assignment_id:
            return release
    return None


def release(
    course: Course,
    assignment_id: str,
    folder: Path,
    rules: SelectionRules,
    *,
    due: datetime | None = None,
    force: bool = False,
    listener: Listener = ignore,
) -> Released:
    """Release ``folder`` as the assignment.

    Raise AlreadyReleased without ``force``, NotStaff, CourseArchived, TooLarge.
    """
    course.staff()
    course.check_open()
    before = find_released(course, assignment_id)
    check_may_release(course, assignment_id, before, force=force)
    selection = select(folder, rules)
    say_skipped(selection, listener)

    def build(repository: Repository, parents: list[str], message: str) -> str:
        return commit_folder(course, repository, folder, selection, parents, message)

    return put(course, assignment_id, before, content(course, assignment_id, selection, due), build, listener=listener)


def put(
    course: Course,
    assignment_id: str,
    before: Release | None,
    said: Sequence[tuple[str, str]],
    build: Callable[[Repository, list[str], str], str],
    *,
    listener: Listener = ignore,
) -> Released:
    """Push what ``build`` makes (of repository, parents and message) on top of the release ``before``.

    ``said`` are its trailers. Raise AlreadyReleased if another release is there by now, NotStaff.
    """
    project = course.assignments()
    url = course.forge.git_url(project)
    ref = layout.release_ref(assignment_id)
    message = trailers.message(f"{'Release again' if before is not None else 'Release'} {assignment_id}", said)

    def build_and_push(repository: Repository) -> str:
        if before is not None:
            fetch(repository, url, [ref])
        commit = build(repository, [before.commit] if before is not None else [], message)
        push(repository, url, commit, ref)
        return commit

    try:
        commit = course.in_repository(lambda cache: cache.releases(), build_and_push)
    except PushRace as error:
        raise AlreadyReleased(
            f"Somebody else released {course.course_id} {assignment_id} at this moment.",
            hint="Look at it with `nbgrader list`; release again with --force if yours is to replace it.",
        ) from error
    except PushRefused as error:
        raise _refused(course, "release", error) from error
    page = course.forge.commit_url(project, commit)
    listener(Event(f"Commit: {page}", "debug"))
    return Released(commit, page, again=before is not None)


def withdraw(course: Course, assignment_id: str) -> Released:
    """Take the release back: a commit with an empty tree, so that the history stays. Do nothing if it is withdrawn."""
    course.staff()
    course.check_open()
    before = find_released(course, assignment_id)
    project = course.assignments()
    if before is None or before.withdrawn:
        commit = before.commit if before is not None else ""
        return Released(commit, project.web_url, again=True)
    url = course.forge.git_url(project)

    def build_and_push(repository: Repository) -> str:
        fetch(repository, url, [before.ref])
        message = trailers.message(
            f"Withdraw {assignment_id}",
            [
                (trailers.ASSIGNMENT, assignment_id),
                (trailers.COURSE, course.course_id),
                (trailers.WITHDRAWN, "yes"),
            ],
            body="Earlier releases stay in this branch's history, and fetched copies stay where they are.",
        )
        nothing = Selection(files=(), empty_directories=(), skipped=(), total_size=0)
        commit = commit_folder(course, repository, Path(), nothing, [before.commit], message)
        push(repository, url, commit, before.ref)
        return commit

    try:
        commit = course.in_repository(lambda cache: cache.releases(), build_and_push)
    except PushRefused as error:
        raise _refused(course, "withdraw", error) from error
    return Released(commit, course.forge.commit_url(project, commit), again=False)


def check_may_release(course: Course, assignment_id: str, before: Release | None, *, force: bool) -> None:
    """Raise AlreadyReleased, in nbgrader's words, if there is a release that ``force`` does not replace."""
    if before is not None and not before.withdrawn and not force:
        raise AlreadyReleased(
            f"Destination already exists, add --force to overwrite: {course.course_id} {assignment_id}", hint=""
        )


def content(course: Course, assignment_id: str, selection: Selection, due: datetime | None) -> list[tuple[str, str]]:
    """Return the trailers of a release."""
    said = [(trailers.ASSIGNMENT, assignment_id), (trailers.COURSE, course.course_id)]
    if due is not None:
        said.append((trailers.DUE_DATE, times.isoformat(due)))
    said += [(trailers.NOTEBOOK, path) for path in notebooks(selection)]
    said += [(trailers.EMPTY_DIRECTORY, path) for path in selection.empty_directories]
    return said


def _refused(course: Course, verb: str, error: PushRefused) -> NotStaff:
    return NotStaff(
        f"The forge did not let {course.account().username} {verb} assignments in {course.course_id}:"
        f" {error.server_says or error.message}",
        hint="Releasing takes an instructor's account (Maintainer on GitLab).",
    )
