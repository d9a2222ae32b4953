"""Purge feedback: the history of a student's ``feedback/<assignment>`` without the pages about one attempt, or all."""

from __future__ import annotations

import io
from collections.abc import Sequence

from git_exchange.course.attempts import read_attempts, read_heads
from git_exchange.course.course import Course
from git_exchange.course.protection import SEAT_RULES
from git_exchange.course.receipts import read_ledger
from git_exchange.course.seats import Seat, seat_of
from git_exchange.errors import AssignmentNotFound, RefMissing
from git_exchange.events import Listener, ignore
from git_exchange.files.paths import display
from git_exchange.files.tree import TreeEntry
from git_exchange.forge.ports import ForgeAdmin
from git_exchange.operations.purge import (
    Found,
    Plan,
    Target,
    carry_out,
    commit_purged,
    look,
    purged_message,
)
from git_exchange.rules import layout, trailers
from git_exchange.transport.cache import Repository
from git_exchange.transport.fetch import fetch
from git_exchange.transport.objects import CommitInfo, TreeFile, commit_tree, history, list_tree, read_blob

MAX_COMMITS = 5_000
MAX_PAGE = 200_000_000


def target_of(course: Course, assignment_id: str, student_id: str) -> Target:
    """Return the branch of the feedback to the student. Raise NotStaff, NotAMember."""
    course.staff()
    seat = seat_of(course, student_id)
    ref = layout.feedback_ref(assignment_id)
    return Target(seat.project, ref, lambda cache: cache.seat(seat.project.id), SEAT_RULES)


def plan_feedback(course: Course, assignment_id: str, student_id: str, attempt: int | None = None) -> Plan:
    """Return what purging the feedback (about the attempt of this number) takes away. Changes nothing.

    ``commits`` is empty if there is nothing of it, or nothing any more. Raise AssignmentNotFound if no feedback was
    released or there is no such attempt, NotStaff, NotAMember.
    """
    target = target_of(course, assignment_id, student_id)
    about = None if attempt is None else attempt_commit(course, assignment_id, student_id, attempt)
    url = course.forge.git_url(target.project)

    def read(repository: Repository) -> Plan:
        try:
            head = fetch(repository, url, [target.ref])[target.ref]
        except RefMissing as error:
            raise AssignmentNotFound(
                f"No feedback on {display(assignment_id)} has been released to {display(student_id)}.",
                hint="Check the names with `git-exchange history`.",
            ) from error
        commits, files, paths, kept = [], dict[str, None](), set[str](), set[str]()
        for commit in history(repository, head, limit=MAX_COMMITS):
            entries = list_tree(repository, commit.oid)
            pages = [entry for entry in entries if _goes(entry, about)]
            kept |= {entry.oid for entry in entries if not _goes(entry, about)}
            if pages:
                commits.append(commit.oid)
                files |= dict.fromkeys(entry.oid for entry in pages)
                paths |= {display(entry.path) for entry in pages}
        unwanted = tuple(oid for oid in files if oid not in kept)
        return Plan(target, head, tuple(commits), unwanted, tuple(sorted(paths)), _consequences(student_id))

    return course.in_repository(target.find, read)


def purge_feedback(
    course: Course,
    forge: ForgeAdmin,
    assignment_id: str,
    student_id: str,
    plan: Plan,
    reason: str,
    *,
    attempt: int | None = None,
    listener: Listener = ignore,
) -> Found:
    """Carry the plan out, and return what can still be had. Raise NotStaff, PushRace."""
    about = None if attempt is None else attempt_commit(course, assignment_id, student_id, attempt)

    def build(repository: Repository) -> str:
        old = history(repository, plan.head, limit=MAX_COMMITS)
        parents, entries = ([], []) if about is None else _rewritten(repository, old, about)
        said = [(trailers.ASSIGNMENT, assignment_id), (trailers.STUDENT, student_id)]
        message = purged_message(course, f"Purge feedback on {assignment_id}", reason, said)
        return commit_purged(course, repository, parents, [_file(repository, entry) for entry in entries], message)

    carry_out(course, forge, plan, reason, build, listener=listener)
    return look(course, forge, plan.target, listener=listener)


def attempt_commit(course: Course, assignment_id: str, student_id: str, number: int) -> str:
    """Return the commit of the attempt of this number. Raise AssignmentNotFound if there is none."""
    seat: Seat = seat_of(course, student_id)
    heads = read_heads(course, [seat], [assignment_id])
    reading = read_attempts(course, seat, assignment_id, heads, None, read_ledger(course, assignment_id))
    if reading.failure is not None:
        raise reading.failure
    found = [one.commit for one in reading.attempts if one.number == number]
    if not found:
        raise AssignmentNotFound(
            f"{display(student_id)} has no attempt {number} at {display(assignment_id)}.",
            hint="Leave out --attempt to purge all feedback on the assignment.",
        )
    return found[0]


def _goes(entry: TreeEntry, about: str | None) -> bool:
    return about is None or entry.path.split(b"/")[0] == about.encode()


def _rewritten(repository: Repository, old: Sequence[CommitInfo], about: str) -> tuple[list[str], list[TreeEntry]]:
    """Make the history again without the pages about the attempt; return its head, if any, and what that holds.

    Each commit keeps its author, its claimed time and its message; those about this attempt alone are left out.
    """
    parents: list[str] = []
    last: list[TreeEntry] = []
    for commit in old:
        entries = [entry for entry in list_tree(repository, commit.oid) if not _goes(entry, about)]
        if trailers.parse(commit.message).all(trailers.FEEDBACK_FOR) == (about,) or (not parents and not entries):
            last = entries
            continue
        name, _, address = commit.author.rpartition(" <")
        parents = [
            commit_tree(
                repository,
                parents=parents,
                files=[_file(repository, entry) for entry in entries],
                message=commit.message,
                name=name,
                email=address.rstrip(">"),
                at=commit.committed_at,
            )
        ]
        last = entries
    return parents, last


def _file(repository: Repository, entry: TreeEntry) -> TreeFile:
    return TreeFile(
        path=entry.path.decode("utf-8"),
        executable=entry.mode == "100755",
        open=lambda: io.BytesIO(read_blob(repository, entry.oid, MAX_PAGE)),
        size=entry.size or 0,
    )


def _consequences(student_id: str) -> tuple[str, ...]:
    return (
        f"What {display(student_id)} fetched before stays in the folder feedback/ of {display(student_id)}. The forge"
        " does not record who fetched: until proven otherwise, take it as read.",
        "Backups of the forge, exports of the course, the course directory in which the feedback was made, and the"
        " local copies (caches) on other machines keep it; those caches can be deleted at any time.",
    )
