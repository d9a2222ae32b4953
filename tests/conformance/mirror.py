"""The course on the forge as files in the layout of nbgrader's own exchange, which some of nbgrader's tests look into.

After each command the exchange directory is made anew from what the forge holds. Before each command, pages of
feedback that a test changed there go back to the forge as if staff had released them.
"""

from __future__ import annotations

import functools
import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import ParamSpec, TypeVar

from nbgrader.utils import notebook_hash

from git_exchange.course.course import Course
from git_exchange.course.own import own_attempts
from git_exchange.course.seats import Seat, seats
from git_exchange.files import replace
from git_exchange.files.tree import check
from git_exchange.operations import listing, sidecar
from git_exchange.operations.fetch import fetch
from git_exchange.operations.fetch_feedback import fetch_feedback
from git_exchange.operations.release_feedback import Marked, release_feedback
from git_exchange.plugin.listings import forget_listings
from git_exchange.rules import layout, times
from git_exchange.transport.cache import Repository
from git_exchange.transport.objects import BlobReader, list_tree
from tests.conformance.school import Namespace

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")
LARGE = 10_000_000


@dataclass(frozen=True)
class _Page:
    """A page of feedback that was shown, and where it belongs."""

    course_id: str
    seat: Seat
    assignment_id: str
    attempt: str
    notebook_id: str
    content: bytes


class Mirror:
    """Shows ``courses`` of the namespace in the folder ``exchange``; ``course_dir`` is the instructor's."""

    def __init__(self, exchange: Path, course_dir: Path, namespace: Namespace, courses: Collection[str]) -> None:
        self._exchange = exchange
        self._course_dir = course_dir
        self._namespace = namespace
        self._courses = courses
        self._shown: dict[Path, _Page] = {}

    def around(self, command: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
        """Return the command with the exchange directory brought up to date before and after it, also if it fails."""

        @functools.wraps(command)
        def mirrored(*arguments: _Arguments.args, **named: _Arguments.kwargs) -> _Result:
            self.push_back()
            try:
                return command(*arguments, **named)
            finally:
                self.show()

        return mirrored

    def push_back(self) -> None:
        """Release the pages that were changed in the exchange directory."""
        for path, page in self._shown.items():
            if path.exists() and path.read_bytes() != page.content:
                self._release(page, path.read_bytes())
                forget_listings()  # the tests look at once, where people would wait for some seconds

    def show(self) -> None:
        """Make the exchange directory anew."""
        self._exchange.mkdir(parents=True, exist_ok=True)
        for old in self._exchange.iterdir():
            shutil.rmtree(old)
        self._shown.clear()
        for course_id in self._courses:
            course = self._namespace.course(course_id)
            for kind in ("outbound", "inbound", "feedback"):
                (self._exchange / course_id / kind).mkdir(parents=True)
            for release in listing.released(course):
                fetch(course, release, self._exchange / course_id / "outbound" / release.assignment_id)
            self._show_inbound(course)
            for seat in seats(course):
                self._show_feedback(course, seat)

    def _show_inbound(self, course: Course) -> None:
        assignments = [release.assignment_id for release in listing.every_release(course)]
        for number, attempt in enumerate(listing.inbound(course, assignments)):
            stamp = times.timestamp(attempt.time)
            name = f"{attempt.student_id}+{attempt.assignment_id}+{stamp}+r{number}"
            folder = self._exchange / course.course_id / "inbound" / name
            folder.mkdir()
            course.in_repository(
                lambda cache: cache.seat(attempt.project_id),  # noqa: B023 - called at once
                lambda repository: _write(repository, attempt.commit, folder),  # noqa: B023 - called at once
            )
            (folder / "timestamp.txt").write_text(stamp)

    def _show_feedback(self, course: Course, seat: Seat) -> None:
        target = self._exchange / course.course_id / "feedback"
        for attempt in own_attempts(course, seat):
            fetched = self._exchange / "fetched"
            for page in fetch_feedback(course, seat, [attempt], fetched).pages:
                secret = self._secret(seat, attempt.assignment_id, times.timestamp(attempt.time)) or attempt.commit
                path = target / f"{notebook_hash(secret=secret, notebook_id=page.stem)}.html"
                page.rename(path)
                self._shown[path] = _Page(
                    course.course_id, seat, attempt.assignment_id, attempt.commit, page.stem, path.read_bytes()
                )
            shutil.rmtree(fetched, ignore_errors=True)

    def _secret(self, seat: Seat, assignment_id: str, timestamp: str) -> str | None:
        """Return the secret in the instructor's folder if the feedback there is about the same submission."""
        folder = self._course_dir / "feedback" / seat.student_id / assignment_id
        try:
            same = (folder / "timestamp.txt").read_text().strip() == timestamp
            return (folder / "submission_secret.txt").read_text() if same else None
        except FileNotFoundError:
            return None

    def _release(self, page: _Page, content: bytes) -> None:
        course = self._namespace.course(page.course_id)
        with replace.staging(self._course_dir) as folder:
            file = folder / f"{page.notebook_id}.html"
            file.write_bytes(content)
            ref = layout.submit_ref(page.assignment_id)
            said = sidecar.Sidecar(page.seat.project.id, ref, page.attempt)
            (folder / sidecar.NAME).write_bytes(sidecar.dump(said))
            marked = Marked(page.seat.student_id, folder, (file,))
            report = release_feedback(course, page.assignment_id, [marked], force=True)
        assert not report.failed, report


def _write(repository: Repository, commit: str, folder: Path) -> None:
    checked = check(list_tree(repository, commit), max_file_size=LARGE, max_total_size=LARGE)
    with BlobReader(repository) as blobs:
        replace.write_tree(folder, ((file.path, file.executable, blobs.chunks(file.oid)) for file in checked.accepted))
