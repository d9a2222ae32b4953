"""Tell the students that a due date was changed after the release: a commit with the same files and the new date."""

from __future__ import annotations

from datetime import datetime

from git_exchange.course.course import Course
from git_exchange.course.releases import Release
from git_exchange.errors import PushRace, PushRefused, RemoteDenied
from git_exchange.events import Event, Listener, ignore
from git_exchange.files.paths import display
from git_exchange.rules import times, trailers
from git_exchange.transport.cache import Repository
from git_exchange.transport.fetch import fetch
from git_exchange.transport.objects import commit_tree
from git_exchange.transport.push import push


def announce_due(course: Course, release: Release, due: datetime | None, *, listener: Listener = ignore) -> bool:
    """Make ``due`` the date that students see; True if it was another one and now is not.

    Where this account may not do it, or somebody releases at this moment, that is said and nothing changes. In an
    archived course no student waits for it.
    """
    if release.withdrawn or release.due == due or course.assignments().archived:
        return False
    url = course.forge.git_url(course.assignments())
    name = display(release.assignment_id)

    def build_and_push(repository: Repository) -> None:
        fetch(repository, url, [release.ref])
        person, email = course.identity()
        commit = commit_tree(
            repository,
            parents=[release.commit],
            files=None,
            message=trailers.message(f"Change the due date of {name}", _trailers(release, due)),
            name=person,
            email=email,
            at=course.now(),
        )
        push(repository, url, commit, release.ref)

    was, now = _said(release.due), _said(due)
    try:
        course.in_repository(lambda cache: cache.releases(), build_and_push)
    except (PushRefused, RemoteDenied):
        said = f"{course.account().username} may not change that; an instructor's next collect does"
        listener(Event(f"The due date of {name} is {now}, but students see {was}: {said}", "warning"))
        return False
    except PushRace:
        listener(
            Event(f"Somebody is releasing {name}; students see its due date {was} until the next collect", "warning")
        )
        return False
    listener(Event(f"The due date of {name} changed from {was} to {now}; students now see the new one"))
    return True


def _trailers(release: Release, due: datetime | None) -> list[tuple[str, str]]:
    said = [(trailers.ASSIGNMENT, release.assignment_id), (trailers.COURSE, release.course_id)]
    if due is not None:
        said.append((trailers.DUE_DATE, times.isoformat(due)))
    said.append((trailers.DUE_DATE_WAS, times.isoformat(release.due) if release.due is not None else "none"))
    said += [(trailers.NOTEBOOK, path) for path in release.notebooks]
    said += [(trailers.EMPTY_DIRECTORY, path) for path in release.empty_directories]
    return said


def _said(due: datetime | None) -> str:
    return f"{due:%Y-%m-%d %H:%M} UTC" if due is not None else "none"
