"""Placing: one student's chosen attempt becomes ``submitted/<student>/<assignment>``, or what is there stays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from git_exchange.course.attempts import Reading
from git_exchange.course.course import Course
from git_exchange.errors import UnsafePath
from git_exchange.events import Event, Listener
from git_exchange.files import replace
from git_exchange.files.paths import display, problem
from git_exchange.operations import sidecar
from git_exchange.operations.handed_in import write_work
from git_exchange.operations.policy import Policy
from git_exchange.report import Outcome
from git_exchange.rules import times
from git_exchange.rules.attempt import Attempt
from git_exchange.transport.cache import Repository


@dataclass(frozen=True)
class Chosen:
    """The attempt of one seat that is collected, the time it gets, and the paths of the released files.

    ``owner`` is the account that the seat belongs to.
    """

    reading: Reading
    attempt: Attempt
    at: datetime
    released: frozenset[str]
    owner: str


@dataclass(frozen=True)
class Folders:
    """Where submissions go: ``place(student_id)`` below the course directory ``root``."""

    root: Path
    place: Callable[[str], Path]


def place_attempt(
    course: Course, assignment_id: str, folders: Folders, policy: Policy, choice: Chosen, listener: Listener
) -> Outcome:
    """Write the chosen attempt, unless what is there is to stay. Raise UnsafePath, FilesError, TooLarge."""
    student_id = choice.reading.seat.student_id
    if "/" in student_id or problem(student_id.encode()) is not None:
        raise UnsafePath(
            f"The student id {display(student_id)} cannot be the name of a folder.",
            hint="Choose another id in the roster.",
        )
    target = folders.place(student_id)
    _warn_of_strangers(choice, policy, listener)
    with replace.lock(folders.root, student_id, assignment_id):
        replace.recover(folders.root)
        there = target.is_dir()
        if there:
            said = _keep(choice, target, policy)
            if said:
                listener(Event(f"{said}: {student_id} {assignment_id}"))
                return Outcome(student_id, "unchanged", said)
        listener(Event(f"{'Updating' if there else 'Collecting'} submission: {student_id} {assignment_id}"))
        _replace(course, folders.root, target, policy, choice, listener)
    return Outcome(student_id, "updated" if there else "collected", f"attempt {choice.attempt.number}")


def _keep(choice: Chosen, target: Path, policy: Policy) -> str:
    """Return nbgrader's words for leaving the folder as it is, "" if it is to be replaced."""
    old = _timestamp(target)
    if policy.update and (old is None or choice.at > old or _supersedes(choice, target, old)):
        return ""
    if policy.before_duedate and old != choice.at:
        return ""
    return "No newer submission to collect" if policy.update else "Submission already exists, use --update to update"


def _supersedes(choice: Chosen, target: Path, old: datetime) -> bool:
    """Return whether the folder holds an earlier attempt, or this one under a time that is no longer right.

    The times alone do not tell: two attempts may both be recorded with the due date, and a time that we had to take
    ourselves gives way to the forge's own, which is earlier.
    """
    reading, attempt = choice.reading, choice.attempt
    said = sidecar.read(target)
    if said is None or (said.project_id, said.ref) != (reading.seat.project.id, reading.ref):
        return False
    there = next((known for known in reading.attempts if known.commit == said.commit), None)
    if there is None:
        return False
    if there.number == attempt.number:
        return choice.at != old
    return there.number < attempt.number and there.tree != attempt.tree


def _timestamp(folder: Path) -> datetime | None:
    try:
        return times.parse_timestamp((folder / "timestamp.txt").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _warn_of_strangers(choice: Chosen, policy: Policy, listener: Listener) -> None:
    pusher = choice.attempt.pushed_by
    student = choice.reading.seat.student_id
    if policy.check_owner and pusher and pusher.casefold() != choice.owner.casefold():
        listener(
            Event(
                f"{student}'s attempt {choice.attempt.number} was pushed by the account {display(pusher)}, not by"
                " the student. You may disable this warning by unsetting the option CollectApp.check_owner",
                "warning",
            )
        )


def _replace(course: Course, root: Path, target: Path, policy: Policy, choice: Chosen, listener: Listener) -> None:
    reading, attempt = choice.reading, choice.attempt
    student_id = reading.seat.student_id
    _make_folders(target.parent, shared=policy.shared)
    # A folder can be swapped only within one file system, and submitted/ may be a volume of its own.
    area = root if root.stat().st_dev == target.parent.stat().st_dev else target.parent

    def write(repository: Repository) -> None:
        with replace.staging(area) as new:
            write_work(
                repository,
                attempt.commit,
                new,
                policy.rules,
                student_id=student_id,
                released=choice.released,
                shared=policy.shared,
                listener=listener,
            )
            said = sidecar.Sidecar(reading.seat.project.id, reading.ref, attempt.commit)
            replace.write_tree(new, sidecar.files(said, times.timestamp(choice.at)), shared=policy.shared)
            replace.replace_directory(area, new, target)

    course.in_repository(lambda cache: cache.seat(reading.seat.project.id), write)


def _make_folders(folder: Path, *, shared: bool) -> None:
    """Make the folder and those above it; with ``shared`` the group may add to the new ones whatever the umask."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in missing if shared else ():
        path.chmod(0o2775)
