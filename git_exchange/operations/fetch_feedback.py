"""Fetch feedback: write what the staff returned to ``<assignment>/feedback/<timestamp>/<notebook>.html``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from git_exchange.course.course import Course
from git_exchange.course.own import OwnAttempt
from git_exchange.course.seats import Seat
from git_exchange.events import Event, Listener, ignore
from git_exchange.files import replace
from git_exchange.files.paths import display, problem
from git_exchange.rules import times
from git_exchange.transport.cache import Repository
from git_exchange.transport.objects import BlobReader


@dataclass(frozen=True)
class FetchedFeedback:
    """The pages that were written, and the attempts for which there is none yet (assignment, timestamp)."""

    pages: tuple[Path, ...]
    without: tuple[tuple[str, str], ...]


def fetch_feedback(
    course: Course, seat: Seat, mine: Sequence[OwnAttempt], folder: Path, *, listener: Listener = ignore
) -> FetchedFeedback:
    """Write the feedback of the attempts ``mine`` below ``folder``, their assignment's ``feedback`` folder."""
    written: list[Path] = []
    without: list[tuple[str, str]] = []

    def write(repository: Repository) -> None:
        with BlobReader(repository) as blobs:
            for attempt in mine:
                stamp = times.timestamp(attempt.time)
                if not attempt.feedback:
                    without.append((attempt.assignment_id, stamp))
                for page in attempt.feedback:
                    name = f"{page.notebook_id}.html"
                    if problem(name.encode()) is not None:
                        listener(Event(f"Not fetched: {display(name)}", "warning"))
                        continue
                    target = folder / stamp / name
                    target.parent.mkdir(parents=True, exist_ok=True)
                    replace.write_file(target, blobs.chunks(page.oid))
                    written.append(target)

    course.in_repository(lambda cache: cache.seat(seat.project.id), write)
    return FetchedFeedback(tuple(written), tuple(without))
