"""Tell a course's history: who released, submitted, collected and returned what, and when."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from git_exchange.course.attempts import CourseHeads, read_heads
from git_exchange.course.collect_pins import read_collect_pins
from git_exchange.course.course import Course
from git_exchange.course.history import Entry, of_branch, of_collect_pins, of_receipts, ref_of, unassigned
from git_exchange.course.receipts import read_ledger
from git_exchange.course.releases import Release, ensure_fetched, releases
from git_exchange.course.seats import Seat, my_seat, seat_of, seats
from git_exchange.errors import AssignmentNotFound, GitExchangeError, NotAMember
from git_exchange.events import Event, Listener, Progress, ignore
from git_exchange.files.paths import display
from git_exchange.forge.ports import Project, Push
from git_exchange.report import Outcome
from git_exchange.rules.layout import Kind
from git_exchange.rules.receipt import Ledger
from git_exchange.transport.cache import Cache, Repository
from git_exchange.transport.fetch import fetch
from git_exchange.transport.objects import CommitInfo, has_commit, history

MAX_COMMITS = 5_000


@dataclass(frozen=True)
class History:
    """What happened, oldest first, and whose part of it could not be read."""

    entries: tuple[Entry, ...]
    failed: tuple[Outcome, ...]


def tell(
    course: Course, assignment_id: str | None = None, student_id: str | None = None, *, listener: Listener = ignore
) -> History:
    """Return the history of the course, or of one assignment, or of one student.

    Staff see the whole course with the records of collecting; a student the own seat only. One project that cannot be
    read does not stop the others. Raise AssignmentNotFound, NotAMember, NotAStudent.
    """
    staff = course.is_staff()
    if not staff and student_id is not None and student_id != my_seat(course).student_id:
        raise NotAMember("You can see the history of your own seat only.", hint="Leave out --student.")
    released = [one for one in releases(course) if assignment_id in (None, one.assignment_id)]
    if assignment_id is not None and not released:
        raise AssignmentNotFound(
            f"Assignment not found: {display(assignment_id)} has not been released in the course {course.course_id}.",
            hint="Check its name with `nbgrader list`.",
        )
    if not staff:
        wanted = [my_seat(course)]
        for one in released:
            ensure_fetched(course, one)  # so that it can be told apart from what was submitted on top of it
    else:
        wanted = [seat_of(course, student_id)] if student_id is not None else seats(course)
    heads = read_heads(course, wanted, [one.assignment_id for one in released], feedback=True)
    ledgers = {one.assignment_id: read_ledger(course, one.assignment_id) for one in released} if staff else {}
    entries: list[Entry] = []
    failed: list[Outcome] = []
    if staff:
        entries += _of_releases(course, released)
        names = {seat.student_id for seat in wanted}
        for name, ledger in ledgers.items():
            told = of_receipts(name, ledger.receipts) + of_collect_pins(read_collect_pins(course, name).values())
            entries += [entry for entry in told if student_id is None or entry.student_id in names]
    done = [0]

    def read(seat: Seat) -> list[Entry] | Outcome:
        try:
            return _of_seat(course, seat, released, heads, ledgers, everything=assignment_id is None)
        except GitExchangeError as error:
            listener(Event(f"{display(seat.student_id)}: {error.message}", "error"))
            return Outcome(seat.student_id, "failed", str(error))
        finally:
            done[0] += 1
            listener(Progress("reading projects", done[0], len(wanted)))

    for found in course.in_parallel(read, wanted):
        if isinstance(found, Outcome):
            failed.append(found)
        else:
            entries += found
    return History(tuple(sorted(entries, key=lambda entry: (entry.at, entry.student_id, entry.what))), tuple(failed))


def _of_releases(course: Course, released: Collection[Release]) -> list[Entry]:
    project = course.assignments()
    pushes = course.forge.pushes(project.id)
    heads = {one.ref: one.commit for one in released}
    histories = _histories(course, project, lambda cache: cache.releases(), heads, {})
    return [
        entry
        for one in released
        for entry in of_branch("release", one.assignment_id, "", histories[one.ref], _on(one.ref, pushes))
    ]


def _of_seat(
    course: Course,
    seat: Seat,
    released: Collection[Release],
    found: CourseHeads,
    ledgers: dict[str, Ledger],
    *,
    everything: bool,
) -> list[Entry]:
    project = seat.project
    reason = found.heads.unreadable.get(project.id)
    if reason is not None:
        raise GitExchangeError(f"The forge did not show the branches of {seat.student_id}: {reason}")
    pushes = course.forge.pushes(project.id)
    kinds: tuple[Kind, Kind] = ("submit", "feedback")
    branches = {ref_of(kind, one.assignment_id): (kind, one) for one in released for kind in kinds}
    heads = {ref: head for ref in branches if (head := found.heads.heads.get((project.id, ref))) is not None}
    # What a first submission builds on is the release, and none of the student's doing.
    below = {ref: branches[ref][1].commit for ref in heads if branches[ref][0] == "submit"}
    histories = _histories(course, project, lambda cache: cache.seat(project.id), heads, below)
    entries: list[Entry] = []
    for ref, (kind, one) in branches.items():
        ledger = ledgers.get(one.assignment_id, Ledger())
        receipts = [receipt for receipt in ledger.receipts if (receipt.project_id, receipt.ref) == (project.id, ref)]
        commits = histories.get(ref, [])
        entries += of_branch(kind, one.assignment_id, seat.student_id, commits, _on(ref, pushes), receipts)
    return entries + (unassigned(seat.student_id, pushes) if everything else [])


def _histories(
    course: Course,
    project: Project,
    find: Callable[[Cache], Repository],
    heads: Mapping[str, str],
    below: Mapping[str, str],
) -> dict[str, list[CommitInfo]]:
    """Return the commits of each branch (ref -> head), oldest first, without what ``below`` holds; fetches."""
    if not heads:
        return {}

    def look(repository: Repository) -> dict[str, list[CommitInfo]]:
        new = [ref for ref, head in heads.items() if not has_commit(repository, head)]
        fetch(repository, course.forge.git_url(project), new, max_bytes=course.settings.limits.max_fetch)
        found = {}
        for ref, head in heads.items():
            exclude = [below[ref]] if ref in below and has_commit(repository, below[ref]) else []
            found[ref] = history(repository, head, exclude=exclude, limit=MAX_COMMITS)
        return found

    return course.in_repository(find, look)


def _on(ref: str, pushes: Collection[Push]) -> list[Push]:
    return [push for push in pushes if push.ref == ref]
