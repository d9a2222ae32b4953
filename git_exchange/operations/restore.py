"""Bring an attempt of one's own back into an empty place: on another machine, or after files were lost."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

from git_exchange.course.course import Course
from git_exchange.course.own import OwnAttempt, own_attempts
from git_exchange.course.seats import Seat
from git_exchange.errors import CourseError, FilesError
from git_exchange.events import Event, Listener, ignore
from git_exchange.files import replace
from git_exchange.files.paths import display, problem
from git_exchange.files.selection import SelectionRules
from git_exchange.operations.handed_in import write_work
from git_exchange.rules import trailers
from git_exchange.transport.cache import Repository
from git_exchange.transport.objects import read_commit

# One's own work comes back whole; it is bounded only as what the staff release is.
RULES = SelectionRules(ignore=(), include=(), max_file_size=2_000_000_000, max_total_size=20_000_000_000)
_SHOWN = 5


def attempts_of(course: Course, seat: Seat, assignment_id: str) -> list[OwnAttempt]:
    """Return the attempts of the seat at the assignment, oldest first. Raise CourseError if there is none."""
    found = [attempt for attempt in own_attempts(course, seat, assignment_id) if attempt.number]
    if not found:
        raise CourseError(
            f"{seat.student_id} has not submitted {assignment_id} in the course {course.course_id}.",
            hint="Check the names with `nbgrader list --cached`.",
        )
    return found


def lateness(attempt: OwnAttempt, due: datetime | None, grace_seconds: float) -> str:
    """Return "on time", "late", or "undecided" where the forge may have recorded a push in time too late."""
    if due is None or attempt.time <= due:
        return "on time"
    return "late" if attempt.time - timedelta(seconds=grace_seconds) >= due else "undecided"


def restore(
    course: Course,
    seat: Seat,
    assignment_id: str,
    folder: Path,
    *,
    number: int | None = None,
    listener: Listener = ignore,
) -> OwnAttempt:
    """Write the files of an attempt (None: the latest) to ``folder``, which must not exist or be empty; return it.

    Raise CourseError if there is no such attempt, FilesError if something is in the way: nothing is overwritten.
    """
    check_empty(folder)
    found = attempts_of(course, seat, assignment_id)
    attempt = found[-1] if number is None else next((one for one in found if one.number == number), None)
    if attempt is None:
        raise CourseError(
            f"There is no attempt {number} at {assignment_id}.",
            hint=f"There are {', '.join(str(one.number) for one in found)}; `--list` shows them.",
        )
    commit = attempt.commit

    def write(repository: Repository) -> None:
        replace.make_folder(folder.parent)
        with replace.staging(folder.parent) as new:
            write_work(repository, commit, new, RULES, student_id=seat.student_id, listener=listener)
            _make_empty_folders(repository, commit, new, listener)
            _move(new, folder)

    course.in_repository(lambda cache: cache.seat(seat.project.id), write)
    return attempt


def check_empty(folder: Path) -> None:
    """Raise FilesError, naming what is there, unless the folder is empty or does not exist."""
    if not os.path.lexists(folder):
        return
    if folder.is_symlink() or not folder.is_dir():
        raise FilesError(f"{display(str(folder))} is no folder.", hint="Name an empty place with --to.")
    there = sorted(display(os.fsencode(path.name)) for path in folder.iterdir())
    if there:
        more = f" and {len(there) - _SHOWN} more" if len(there) > _SHOWN else ""
        raise FilesError(
            f"Nothing was written, as there are files in {display(str(folder))}: {', '.join(there[:_SHOWN])}{more}.",
            hint="Name an empty place with --to, or move these away first.",
        )


def _make_empty_folders(repository: Repository, commit: str, new: Path, listener: Listener) -> None:
    """Make the folders that git cannot hold: their names come out of a commit's message and are as hostile as any."""
    for path in trailers.parse(read_commit(repository, commit).message).all(trailers.EMPTY_DIRECTORY):
        reason = problem(path.encode("utf-8", "surrogateescape"))
        try:
            if reason is None:
                (new / path).mkdir(parents=True, exist_ok=True)
        except OSError as error:  # a file is where the folder was
            reason = error.strerror or str(error)
        if reason is not None:
            listener(Event(f"Left out the folder {display(path)}: {reason}", "warning"))


def _move(new: Path, folder: Path) -> None:
    try:
        if not folder.exists():
            new.rename(folder)
            return
        check_empty(folder)  # again: writing took its time
        for path in sorted(new.iterdir()):
            path.rename(folder / path.name)
    except OSError as error:
        raise FilesError(f"Could not write {display(str(folder))}: {error.strerror or error}.") from error
