"""Files in the course's ``staff`` project: read them, change them, push, and start over if somebody else was faster.

All of them lie on ``refs/heads/main``. What a file means is not known here: see ``receipts`` and the others.
"""

from __future__ import annotations

import io
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from git_exchange.course.course import Course
from git_exchange.errors import NotStaff, PushRace, PushRefused, RefMissing, RemoteDenied, SignInRefused
from git_exchange.files.paths import display
from git_exchange.rules import trailers
from git_exchange.transport.cache import Repository
from git_exchange.transport.fetch import fetch
from git_exchange.transport.objects import TreeFile, commit_tree, list_tree, read_blob
from git_exchange.transport.push import push

REF = "refs/heads/main"
MAX_FILE = 64_000_000
# For so long a change is tried again while others push, with pauses that grow from the first to the longest (seconds).
PATIENCE = 30.0
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 3.0

Files = Mapping[str, bytes]


def read_files(course: Course, paths: list[str]) -> dict[str, bytes]:
    """Return the contents of those of ``paths`` that exist. Raise NotStaff."""
    url = course.forge.git_url(course.staff())
    return course.in_repository(lambda cache: cache.staff(), lambda repository: _read(repository, url, paths)[1])


def change_files(
    course: Course, subject: str, paths: list[str], change: Callable[[Files], Files], *, body: str = ""
) -> bool:
    """Replace the files that ``change`` returns, given the present contents of ``paths``; True if something changed.

    ``subject`` and ``body`` are the commit's message.
    ``change`` runs again on fresh contents when somebody else pushed first, so it must not have effects of its own.
    Raise NotStaff, CourseArchived, PushRefused if this account may not write there (GitLab: graders), PushRace if
    others were faster for ``PATIENCE`` seconds.
    """
    if course.staff().archived:
        raise course.archived()
    url = course.forge.git_url(course.staff())

    def once(repository: Repository) -> bool:
        head, present = _read(repository, url, paths)
        wanted = {path: content for path, content in change(present).items() if present.get(path) != content}
        if not wanted:
            return False
        push(repository, url, _commit(course, repository, head, subject, body, wanted), REF)
        return True

    end = time.monotonic() + PATIENCE
    pause = FIRST_PAUSE
    while True:
        try:
            return course.in_repository(lambda cache: cache.staff(), once)
        except PushRace:
            if time.monotonic() + pause > end:
                raise
        # At random, or those who lost together would meet again.
        time.sleep(random.uniform(0, pause))  # noqa: S311 - no secret
        pause = min(2 * pause, LONGEST_PAUSE)


@contextmanager
def only_by_writers(course: Course) -> Iterator[None]:
    """Turn the refusal of a change into NotStaff. A token that is not accepted at all stays what it is."""
    try:
        yield
    except SignInRefused:
        raise
    except (PushRefused, RemoteDenied) as error:
        says = error.server_says if isinstance(error, PushRefused) else error.message
        raise NotStaff(
            f"The staff project of {display(course.course_id)} did not take the change. {says}".strip(),
            hint="Ask an instructor to do it.",
        ) from error


def _read(repository: Repository, url: str, paths: list[str]) -> tuple[str | None, dict[str, bytes]]:
    try:
        head = fetch(repository, url, [REF])[REF]
    except RefMissing:
        return None, {}
    wanted = {path.encode() for path in paths}
    return head, {
        entry.path.decode(): read_blob(repository, entry.oid, MAX_FILE)
        for entry in list_tree(repository, head)
        if entry.path in wanted
    }


def _commit(course: Course, repository: Repository, head: str | None, subject: str, body: str, wanted: Files) -> str:
    kept = list_tree(repository, head) if head else []
    files = [
        _file(entry.path.decode(), read_blob(repository, entry.oid, MAX_FILE))
        for entry in kept
        if entry.kind == "blob" and entry.path.decode() not in wanted
    ]
    files += [_file(path, content) for path, content in wanted.items()]
    name, email = course.identity()
    return commit_tree(
        repository,
        parents=[head] if head else [],
        files=sorted(files, key=lambda file: file.path),
        message=trailers.message(subject, [(trailers.COURSE, course.course_id)], body),
        name=name,
        email=email,
        at=course.now(),
    )


def _file(path: str, content: bytes) -> TreeFile:
    return TreeFile(path=path, executable=False, open=lambda: io.BytesIO(content), size=len(content))
