"""Placing: one student's chosen attempt becomes ``submitted/<student>/<assignment>``, or what is there stays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from git_exchange.course.attempts import Reading
from git_exchange.course.course import Course
from git_exchange.course.register import Registered
from git_exchange.course.seats import Seat
from git_exchange.errors import Forbidden, NotFound, UnsafePath
from git_exchange.events import Event, Listener
from git_exchange.files import replace
from git_exchange.files.paths import display, problem
from git_exchange.forge.ports import Account, Role
from git_exchange.operations import sidecar
from git_exchange.operations.handed_in import write_work
from git_exchange.operations.policy import Policy
from git_exchange.report import Outcome
from git_exchange.rules import times
from git_exchange.rules.attempt import Attempt
from git_exchange.rules.collect_pins import CollectPin
from git_exchange.transport.cache import Repository


@dataclass(frozen=True)
class Chosen:
    """The attempt of one seat that is collected, the time it gets, and the paths of the released files.

    ``owner`` is whose the seat is on record, None if it is not on record; ``pin`` says who wants this attempt.
    """

    reading: Reading
    attempt: Attempt
    at: datetime
    released: frozenset[str]
    owner: Registered | None = None
    pin: CollectPin | None = None


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
    if policy.check_owner:
        _say_who_pushed(course, choice, listener)
    detail = f"attempt {choice.attempt.number}"
    if choice.pin is not None:
        detail += f", pinned by {display(choice.pin.pinned_by)}"
        listener(Event(f"{student_id}: {detail}"))
    with replace.lock(folders.root, student_id, assignment_id):
        replace.recover(folders.root)
        there = target.is_dir()
        old = _timestamp(target)
        if there:
            said = _keep(choice, target, old, policy)
            if said:
                listener(Event(f"{said}: {student_id} {assignment_id}"))
                return Outcome(student_id, "unchanged", said)
            if student_id in policy.hand_graded and not policy.replace_graded and not _same_work(choice, target):
                return _graded_by_hand(choice, assignment_id, listener)
        listener(Event(f"{'Updating' if there else 'Collecting'} submission: {student_id} {assignment_id}"))
        _replace(course, folders.root, target, policy, choice, listener)
    if old is not None and choice.at <= old:
        # nbgrader autogrades again only what is newer.
        again = f"nbgrader autograde {assignment_id} --student {student_id} --force"
        listener(
            Event(f"{student_id}: {detail} is not newer than what was there: if that was autograded, run `{again}`")
        )
    return Outcome(student_id, "updated" if there else "collected", detail)


def _keep(choice: Chosen, target: Path, old: datetime | None, policy: Policy) -> str:
    """Return nbgrader's words for leaving the folder as it is, "" if it is to be replaced. ``old`` is its time."""
    if policy.update and (old is None or choice.at > old or _supersedes(choice, target, old)):
        return ""
    if policy.before_duedate and old != choice.at:
        return ""
    if choice.pin is not None and not _is(choice.attempt, _what_is_there(choice, target)):
        return ""
    return "No newer submission to collect" if policy.update else "Submission already exists, use --update to update"


def _supersedes(choice: Chosen, target: Path, old: datetime) -> bool:
    """Return whether the folder holds an earlier attempt, or this one under a time that is no longer right.

    The times alone do not tell: two attempts may both be recorded with the due date, and a time that we had to take
    ourselves gives way to the forge's own, which is earlier.
    """
    there = _what_is_there(choice, target)
    if there is None:
        return False
    if _is(choice.attempt, there):
        return choice.at != old
    return there.number < choice.attempt.number and there.tree != choice.attempt.tree


def _what_is_there(choice: Chosen, target: Path) -> Attempt | None:
    """Return the attempt that the folder holds, None if it does not say, or came by another way."""
    reading, said = choice.reading, sidecar.read(target)
    if said is None or (said.project_id, said.ref) != (reading.seat.project.id, reading.ref):
        return None
    return next((known for known in reading.attempts if known.commit == said.commit), None)


def _is(attempt: Attempt, other: Attempt | None) -> bool:
    return other is not None and attempt.number == other.number


def _same_work(choice: Chosen, target: Path) -> bool:
    there = _what_is_there(choice, target)
    return there is not None and there.tree == choice.attempt.tree


def _graded_by_hand(choice: Chosen, assignment_id: str, listener: Listener) -> Outcome:
    student_id, number = choice.reading.seat.student_id, choice.attempt.number
    command = f"git-exchange collect {assignment_id} --update --student {student_id} --replace-graded"
    listener(
        Event(
            f"{student_id} {assignment_id} was graded by hand and stays as it is; attempt {number}"
            f" ({times.timestamp(choice.at)}) was not collected. To take it, run `{command}`, autograde it, and look"
            " through the marks and comments again",
            "warning",
        )
    )
    return Outcome(student_id, "graded by hand", f"attempt {number} was not collected")


def _timestamp(folder: Path) -> datetime | None:
    try:
        return times.parse_timestamp((folder / "timestamp.txt").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _say_who_pushed(course: Course, choice: Chosen, listener: Listener) -> None:
    """Tell when it was not the student."""
    attempt, seat = choice.attempt, choice.reading.seat
    if not attempt.pushed_by or _is_owner(choice):
        return
    pusher, what = display(attempt.pushed_by), f"{seat.student_id}'s attempt {attempt.number}"
    if _is_staff(course, seat, attempt):
        said = f"{what} was submitted by the staff member {pusher} for {seat.student_id}."
    else:
        said = f"{what} was pushed by the account {pusher}, not by the student."
    listener(Event(f"{said} You may disable this warning by unsetting the option CollectApp.check_owner", "warning"))


def _is_owner(choice: Chosen) -> bool:
    attempt, owner = choice.attempt, choice.owner
    if owner is not None and attempt.pushed_by_id is not None:
        return attempt.pushed_by_id == owner.account_id
    name = owner.username if owner is not None else choice.reading.seat.student_id
    return attempt.pushed_by.casefold() == name.casefold()


def _is_staff(course: Course, seat: Seat, attempt: Attempt) -> bool:
    """Return whether who pushed is on the staff now; what the commit says of itself counts for nothing."""
    if attempt.pushed_by_id is None:
        return attempt.pushed_by == course.account().username
    try:
        role = course.forge.role_in(seat.project, Account(attempt.pushed_by_id, attempt.pushed_by))
    except (NotFound, Forbidden):  # the account is gone, or hidden from us
        return False
    return role in (Role.GRADER, Role.INSTRUCTOR)


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
