"""What the staff have released: the heads of ``release/*`` and what their trailers say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from git_exchange.course.course import Course
from git_exchange.errors import AssignmentNotFound, RefMissing
from git_exchange.forge.ports import Branch
from git_exchange.rules import layout, times, trailers
from git_exchange.transport.cache import Repository
from git_exchange.transport.fetch import fetch
from git_exchange.transport.objects import has_commit


@dataclass(frozen=True)
class Release:
    """The newest release of an assignment. ``notebooks`` are the paths of its notebooks, ``due`` is aware UTC."""

    course_id: str
    assignment_id: str
    ref: str
    commit: str
    due: datetime | None
    withdrawn: bool
    notebooks: tuple[str, ...]
    empty_directories: tuple[str, ...]


def releases(course: Course) -> list[Release]:
    """Return the releases of the course, withdrawn ones too, sorted by assignment id: one request."""
    branches = course.forge.branches(course.assignments().id, "release/")
    found = [release for branch in branches if (release := _release(course.course_id, branch)) is not None]
    return sorted(found, key=lambda release: release.assignment_id)


def find_release(course: Course, assignment_id: str) -> Release:
    """Return the release of the assignment. Raise AssignmentNotFound if there is none, or it is withdrawn."""
    branch_name = layout.release_ref(assignment_id).removeprefix("refs/heads/")
    for branch in course.forge.branches(course.assignments().id, branch_name):
        release = _release(course.course_id, branch)
        if release is None or release.assignment_id != assignment_id:
            continue
        if release.withdrawn:
            raise AssignmentNotFound(
                f"Assignment not found: {course.course_id} {assignment_id} was withdrawn by the course's staff.",
                hint="Copies that were fetched before stay as they are.",
            )
        return release
    raise AssignmentNotFound(
        f"Assignment not found: {assignment_id} has not been released in the course {course.course_id}.",
        hint="Check its name with `nbgrader list`.",
    )


def ensure_fetched(course: Course, release: Release) -> None:
    """Bring the release's commit into the local ``releases.git``. Raise AssignmentNotFound if it vanished meanwhile."""

    def bring(repository: Repository) -> None:
        if has_commit(repository, release.commit):
            return
        try:
            fetch(repository, course.forge.git_url(course.assignments()), [release.ref])
        except RefMissing as error:
            raise AssignmentNotFound(
                f"Assignment not found: {release.assignment_id} was taken away while it was being fetched.",
                hint="Ask the course's staff.",
            ) from error

    course.in_repository(lambda cache: cache.releases(), bring)


def _release(course_id: str, branch: Branch) -> Release | None:
    said = trailers.parse(branch.message)
    assignment_id = layout.assignment_in(branch.ref, "release", said.first(trailers.ASSIGNMENT))
    if assignment_id is None:
        return None
    return Release(
        course_id=course_id,
        assignment_id=assignment_id,
        ref=branch.ref,
        commit=branch.commit,
        due=_due(said.first(trailers.DUE_DATE)),
        withdrawn=said.first(trailers.WITHDRAWN) == "yes",
        notebooks=said.all(trailers.NOTEBOOK),
        empty_directories=said.all(trailers.EMPTY_DIRECTORY),
    )


def _due(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return times.parse_iso(text)
    except ValueError:
        return None
