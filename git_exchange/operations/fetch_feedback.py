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
    """The pages that were written, and for what there is none yet: (assignment, notebook, timestamp)."""

    pages: tuple[Path, ...]
    without: tuple[tuple[str, str, str], ...]


def fetch_feedback(
    course: Course, seat: Seat, mine: Sequence[OwnAttempt], folder: Path, *, listener: Listener = ignore
) -> FetchedFeedback:
    """Write the feedback of the attempts ``mine`` below ``folder``, their assignment's ``feedback`` folder."""
    written: list[Path] = []
    without: list[tuple[str, str, str]] = []

    def write(repository: Repository) -> None:
        written.clear()  # a damaged copy makes us start over
        without.clear()
        with BlobReader(repository) as blobs:
            for attempt in mine:
                stamp = times.timestamp(attempt.time)
                marked = {page.notebook_id for page in attempt.feedback}
                missing = (notebook for name in attempt.notebooks if (notebook := Path(name).stem) not in marked)
                without.extend((attempt.assignment_id, notebook, stamp) for notebook in missing)
                for page in attempt.feedback:
                    name = f"{page.notebook_id}.html"
                    if problem(name.encode()) is not None:
                        listener(Event(f"Not fetched: {display(name)}", "warning"))
                        continue
                    target = folder / stamp / name
                    replace.make_folder(target.parent)
                    replace.write_file(target, blobs.chunks(page.oid))
                    written.append(target)

    course.in_repository(lambda cache: cache.seat(seat.project.id), write)
    return FetchedFeedback(tuple(written), tuple(without))
