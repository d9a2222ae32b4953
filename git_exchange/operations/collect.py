"""Collect: settle and pin the times of what was submitted, and write the attempts into the course directory.

One bad repository never stops the others; the outcomes add up to the students who were asked for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from git_exchange.course.attempts import Reading, read_attempts, read_heads
from git_exchange.course.course import Course
from git_exchange.course.receipts import append_receipts, read_ledger
from git_exchange.course.register import read_register
from git_exchange.course.releases import Release, ensure_fetched
from git_exchange.course.seats import Seat, check_identity, gone
from git_exchange.errors import CourseError, GitExchangeError, PushRefused, RemoteDenied, UnsafePath
from git_exchange.events import Event, Listener, Progress, ignore
from git_exchange.files import replace
from git_exchange.files.paths import display, problem
from git_exchange.files.selection import SelectionRules
from git_exchange.operations import sidecar
from git_exchange.operations.handed_in import write_work
from git_exchange.operations.release import find_released
from git_exchange.report import Outcome, Report
from git_exchange.rules import layout, times
from git_exchange.rules.attempt import Attempt
from git_exchange.rules.deadline import choose, recorded_time, verdict
from git_exchange.rules.receipt import Ledger, Receipt
from git_exchange.transport.cache import Repository
from git_exchange.transport.housekeeping import tidy
from git_exchange.transport.objects import list_tree

EVERYTHING = SelectionRules(ignore=(), include=(), max_file_size=100_000_000, max_total_size=100_000_000)


@dataclass(frozen=True)
class Policy:
    """What to collect and how. ``rules`` say what is written, ``due`` is aware UTC, ``deadline`` monotonic seconds."""

    update: bool = False
    before_duedate: bool = False
    check_owner: bool = True
    due: datetime | None = None
    rules: SelectionRules = EVERYTHING
    shared: bool = False
    deadline: float | None = None


@dataclass(frozen=True)
class _Chosen:
    reading: Reading
    attempt: Attempt
    at: datetime
    released: frozenset[str]


def collect(
    course: Course,
    assignment_id: str,
    seats: Collection[Seat],
    root: Path,
    place: Callable[[str], Path],
    policy: Policy,
    *,
    listener: Listener = ignore,
) -> Report:
    """Bring the submissions of ``seats`` to ``place(student_id)`` below the course directory ``root``.

    The outcomes are "collected", "updated", "unchanged" (nothing newer, or it is there and ``update`` is off),
    "nothing" (not submitted), "waiting" (the deadline came first; run it again) and "failed". Raise NotStaff,
    CourseNotFound.
    """
    course.staff()
    ledger = read_ledger(course, assignment_id)
    registered = read_register(course)
    owners = {entry.project_id: entry.username for entry in registered.values()}
    released = find_released(course, assignment_id)
    if released is not None:
        ensure_fetched(course, released)
    heads = read_heads(course, seats, [assignment_id])
    base = released.commit if released is not None else None
    names = _names(course, released) if released is not None else frozenset()
    done = _Counter("reading submissions", len(seats), listener)

    def read(seat: Seat) -> Reading | None:
        if policy.deadline is not None and time.monotonic() > policy.deadline:
            return None
        try:
            check_identity(seat, registered.values())
        except CourseError as error:
            return Reading(seat, layout.submit_ref(assignment_id), heads.heads.at, heads.begun, failure=error)
        reading = read_attempts(course, seat, assignment_id, heads, base, ledger)
        done.one_more()
        return reading

    ordered = list(seats)
    readings = course.in_parallel(read, ordered)
    notes = [reading.alarm for reading in readings if reading is not None and reading.alarm]
    notes += gone(course, registered)
    recorded, unpinned = _pin(course, assignment_id, [r for r in readings if r is not None], ledger, policy)
    notes += unpinned
    readings = [
        # Somebody else may have pinned another time at this moment: theirs stays, and counts for everybody.
        read_attempts(course, reading.seat, assignment_id, heads, base, recorded)
        if reading is not None and _pinned_otherwise(reading, recorded, policy)
        else reading
        for reading in readings
    ]
    chosen = {r.seat.student_id: c for r in readings if r is not None and (c := _choose(r, policy, names))}
    if chosen or all(reading is not None and reading.failure is None for reading in readings):
        _say_how_many(course, assignment_id, chosen, listener)
    outcomes = []
    for seat, reading in zip(ordered, readings, strict=True):
        outcomes.append(_finish(course, assignment_id, root, place, policy, seat, reading, chosen, owners, listener))
    notes += [
        f"{c.reading.seat.student_id}: attempt {c.attempt.number} may have arrived before or after the due date;"
        " it counts as on time and its time is not pinned"
        for c in chosen.values()
        if verdict(c.attempt, policy.due) == "undecided"
    ]
    for note in notes:
        listener(Event(note, "warning"))
    if policy.deadline is None:  # nobody waits for us inside a server
        tidy(course.cache(), max_bytes=course.settings.limits.cache_bytes)
    return Report.of(outcomes, notes)


def _names(course: Course, released: Release) -> frozenset[str]:
    """Return the paths of the released files: of names that are alike, the student's file is the one of such a name."""
    entries = course.in_repository(
        lambda cache: cache.releases(), lambda repository: list_tree(repository, released.commit)
    )
    return frozenset(entry.path.decode("utf-8", "replace") for entry in entries)


def _pin(
    course: Course, assignment_id: str, readings: list[Reading], ledger: Ledger, policy: Policy
) -> tuple[Ledger, list[str]]:
    """Record settled times, and when others were first seen. Return the record and what could not be pinned."""
    new: list[Receipt] = []
    for reading in readings:
        for attempt in reading.attempts:
            if attempt.pinned:
                continue
            if attempt.settled and verdict(attempt, policy.due) != "undecided":
                new.append(_receipt(course, reading, attempt, "pin"))
            elif ledger.seen(reading.seat.project.id, reading.ref, attempt.commit) is None:
                new.append(_receipt(course, reading, attempt, "seen"))
    if not new:
        return ledger, []
    try:
        return append_receipts(course, assignment_id, new), []
    except (PushRefused, RemoteDenied) as error:
        pins = sum(receipt.kind == "pin" for receipt in new)
        return ledger, [f"{pins} times are not pinned, as {course.account().username} may not write receipts: {error}"]


def _receipt(course: Course, reading: Reading, attempt: Attempt, kind: str) -> Receipt:
    return Receipt(
        kind=kind,
        project_id=reading.seat.project.id,
        student_id=reading.seat.student_id,
        ref=reading.ref,
        commit=attempt.commit,
        tree=attempt.tree,
        time=attempt.pushed_at,
        evidence="push-event" if attempt.source == "push-event" else "first-seen",
        event_id=attempt.event_id,
        pushed_by=attempt.pushed_by,
        read_at=reading.begun,
        recorded_by=course.account().username,
    )


def _pinned_otherwise(reading: Reading, ledger: Ledger, policy: Policy) -> bool:
    return any(
        (pin := ledger.pin(reading.seat.project.id, reading.ref, attempt.commit)) is not None
        and (pin.time != attempt.pushed_at or verdict(attempt, policy.due) == "undecided")
        for attempt in reading.attempts
    )


def _choose(reading: Reading, policy: Policy, released: frozenset[str]) -> _Chosen | None:
    attempt = choose(reading.attempts, policy.due, policy.before_duedate)
    if attempt is None:
        return None
    return _Chosen(reading, attempt, recorded_time(attempt, policy.due), released)


def _say_how_many(course: Course, assignment_id: str, chosen: dict[str, _Chosen], listener: Listener) -> None:
    if chosen:
        listener(Event(f"Processing {len(chosen)} submissions of '{assignment_id}' for course '{course.course_id}'"))
    else:
        listener(Event(f"No submissions of '{assignment_id}' for course '{course.course_id}' to collect", "warning"))


def _finish(
    course: Course,
    assignment_id: str,
    root: Path,
    place: Callable[[str], Path],
    policy: Policy,
    seat: Seat,
    reading: Reading | None,
    chosen: dict[str, _Chosen],
    owners: Mapping[int, str],
    listener: Listener,
) -> Outcome:
    if reading is None:
        return Outcome(seat.student_id, "waiting", "the deadline came first; collect again")
    if reading.failure is not None:
        return _failed(seat, assignment_id, reading.failure, listener)
    choice = chosen.get(seat.student_id)
    if choice is None:
        return Outcome(seat.student_id, "nothing")
    if policy.deadline is not None and time.monotonic() > policy.deadline:
        return Outcome(seat.student_id, "waiting", "the deadline came first; collect again")
    try:
        owner = owners.get(seat.project.id, seat.student_id)
        return _write(course, assignment_id, root, place, policy, choice, owner, listener)
    except (GitExchangeError, OSError) as error:
        return _failed(seat, assignment_id, error, listener)


def _failed(seat: Seat, assignment_id: str, error: Exception, listener: Listener) -> Outcome:
    why = str(error) if isinstance(error, GitExchangeError) else f"{type(error).__name__}: {error}"
    listener(Event(f"Could not collect {display(seat.student_id)} {assignment_id}: {why}", "error"))
    return Outcome(seat.student_id, "failed", why)


def _write(
    course: Course,
    assignment_id: str,
    root: Path,
    place: Callable[[str], Path],
    policy: Policy,
    choice: _Chosen,
    owner: str,
    listener: Listener,
) -> Outcome:
    student_id = choice.reading.seat.student_id
    if "/" in student_id or problem(student_id.encode()) is not None:
        raise UnsafePath(
            f"The student id {display(student_id)} cannot be the name of a folder.",
            hint="Choose another id in the roster.",
        )
    target = place(student_id)
    _warn_of_strangers(choice, owner, policy, listener)
    with replace.lock(root, student_id, assignment_id):
        replace.recover(root)
        there = target.is_dir()
        if there:
            said = _keep(choice, target, policy)
            if said:
                listener(Event(f"{said}: {student_id} {assignment_id}"))
                return Outcome(student_id, "unchanged", said)
        listener(Event(f"{'Updating' if there else 'Collecting'} submission: {student_id} {assignment_id}"))
        _replace(course, root, target, policy, choice, listener)
    return Outcome(student_id, "updated" if there else "collected", f"attempt {choice.attempt.number}")


def _keep(choice: _Chosen, target: Path, policy: Policy) -> str:
    """Return nbgrader's words for leaving the folder as it is, "" if it is to be replaced."""
    old = _timestamp(target)
    if policy.update and (old is None or choice.at > old or _supersedes(choice, target, old)):
        return ""
    if policy.before_duedate and old != choice.at:
        return ""
    return "No newer submission to collect" if policy.update else "Submission already exists, use --update to update"


def _supersedes(choice: _Chosen, target: Path, old: datetime) -> bool:
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


def _warn_of_strangers(choice: _Chosen, owner: str, policy: Policy, listener: Listener) -> None:
    pusher = choice.attempt.pushed_by
    student = choice.reading.seat.student_id
    if policy.check_owner and pusher and pusher.casefold() != owner.casefold():
        listener(
            Event(
                f"{student}'s attempt {choice.attempt.number} was pushed by the account {display(pusher)}, not by"
                " the student. You may disable this warning by unsetting the option CollectApp.check_owner",
                "warning",
            )
        )


def _replace(course: Course, root: Path, target: Path, policy: Policy, choice: _Chosen, listener: Listener) -> None:
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


class _Counter:
    """Progress of a step that several threads work on."""

    def __init__(self, what: str, total: int, listener: Listener) -> None:
        self._what, self._total, self._listener = what, total, listener
        self._done = 0

    def one_more(self) -> None:
        self._done += 1
        self._listener(Progress(self._what, self._done, self._total))
