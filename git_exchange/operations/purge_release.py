"""Purge a release: the branch keeps one commit that says so; what students built on it is named, not touched."""

from __future__ import annotations

from contextlib import suppress

from git_exchange.course.attempts import read_heads
from git_exchange.course.course import Course
from git_exchange.course.protection import STAFF_RULES
from git_exchange.course.releases import releases
from git_exchange.course.seats import Seat, seats
from git_exchange.errors import AssignmentNotFound, GitError, GitExchangeError
from git_exchange.events import Listener, Progress, ignore
from git_exchange.files.paths import display
from git_exchange.forge.ports import ForgeAdmin
from git_exchange.operations.purge import (
    Found,
    Plan,
    Target,
    carry_out,
    commit_purged,
    look,
    only_in,
    purged_message,
)
from git_exchange.rules import layout, trailers
from git_exchange.transport.cache import Repository
from git_exchange.transport.fetch import fetch, local_ref
from git_exchange.transport.objects import CommitInfo, graph, has_commit, history

MAX_COMMITS = 10_000


def target_of(course: Course, assignment_id: str) -> Target:
    """Return the branch of the assignment's releases. Raise NotStaff."""
    course.staff()
    ref = layout.release_ref(assignment_id)
    return Target(course.assignments(), ref, lambda cache: cache.releases(), STAFF_RULES)


def plan_release(course: Course, assignment_id: str, *, listener: Listener = ignore) -> Plan:
    """Return what purging all releases of the assignment takes away, and who keeps it. Changes nothing.

    ``commits`` is empty if everything was purged before. Raise AssignmentNotFound, NotStaff.
    """
    target = target_of(course, assignment_id)
    url = course.forge.git_url(target.project)
    heads = {one.ref: one.commit for one in releases(course)}
    if target.ref not in heads:
        raise AssignmentNotFound(
            f"Assignment not found: {display(assignment_id)} has not been released in {course.course_id}.",
            hint="Check its name with `nbgrader list`.",
        )

    def read(repository: Repository) -> tuple[str, list[CommitInfo], dict[str, str]]:
        found = fetch(repository, url, list(heads))
        commits = history(repository, found[target.ref], limit=MAX_COMMITS)
        old = [commit for commit in commits if trailers.parse(commit.message).first(trailers.PURGED) is None]
        others = [commit for ref, commit in found.items() if ref != target.ref]
        return found[target.ref], old, only_in(repository, [commit.oid for commit in old], others)

    head, old, files = course.in_repository(target.find, read)
    commits = tuple(commit.oid for commit in old)
    consequences = _consequences(course, assignment_id, frozenset(commits), listener) if commits else ()
    return Plan(target, head, commits, tuple(files), tuple(sorted(set(files.values()))), consequences)


def purge_release(
    course: Course, forge: ForgeAdmin, assignment_id: str, plan: Plan, reason: str, *, listener: Listener = ignore
) -> Found:
    """Carry the plan out, and return what can still be had. Raise NotStaff, PushRace."""

    def build(repository: Repository) -> str:
        said = [(trailers.ASSIGNMENT, assignment_id), (trailers.WITHDRAWN, "yes")]
        message = purged_message(course, f"Purge {assignment_id}", reason, said)
        return commit_purged(course, repository, [], [], message)

    carry_out(course, forge, plan, reason, build, listener=listener)
    return check_release(course, forge, assignment_id, listener=listener)


def check_release(course: Course, forge: ForgeAdmin, assignment_id: str, *, listener: Listener = ignore) -> Found:
    """Return what can still be had of the purged releases, after asking the forge to forget them once more."""
    _drop_seats(course, assignment_id)
    return look(course, forge, target_of(course, assignment_id), listener=listener)


def _consequences(course: Course, assignment_id: str, commits: frozenset[str], listener: Listener) -> tuple[str, ...]:
    """Return who has the release in the history of the own submissions, and what nobody can take back."""
    ref = layout.submit_ref(assignment_id)
    every = seats(course)
    heads = read_heads(course, every, [assignment_id]).heads
    submitted = [seat for seat in every if (seat.project.id, ref) in heads.heads]
    done = [0]

    def keeps(seat: Seat) -> str | None:
        url = course.forge.git_url(seat.project)

        def read(repository: Repository) -> bool:
            head = heads.heads[seat.project.id, ref]
            if not has_commit(repository, head):
                fetch(repository, url, [ref], max_bytes=course.settings.limits.max_fetch)
            return any(commit.oid in commits for commit in graph(repository, head, limit=MAX_COMMITS))

        try:
            return "yes" if course.in_repository(lambda cache: cache.seat(seat.project.id), read) else None
        except GitExchangeError:
            return "unread"
        finally:
            done[0] += 1
            listener(Progress("looking into submissions", done[0], len(submitted)))

    told = list(zip(submitted, course.in_parallel(keeps, submitted), strict=True))
    keepers = [display(seat.student_id) for seat, kept in told if kept == "yes"]
    unread = [display(seat.student_id) for seat, kept in told if kept == "unread"]
    unread += [display(seat.student_id) for seat in every if seat.project.id in heads.unreadable]
    found = []
    if keepers:
        found.append(
            f"{len(keepers)} submitted on top of the release, so that it stays in the history of their own projects,"
            f" which is evidence and is not rewritten: {', '.join(keepers)}"
        )
    if unread:
        found.append(f"The projects of these students could not be read; they may have it, too: {', '.join(unread)}")
    found.append(
        "Copies that people fetched stay where they are. The forge does not record who fetched: until proven otherwise,"
        " take it as read by everybody who could."
    )
    found.append(
        "Backups of the forge, exports of the course, and the local copies (caches) on other machines, such as other"
        " instructors' and a hub's, keep it; those caches can be deleted at any time."
    )
    return tuple(found)


def _drop_seats(course: Course, assignment_id: str) -> None:
    """Drop the local copies of students' projects that borrow from the release; they are fetched again when needed."""
    cache = course.cache()
    kept = local_ref(layout.submit_ref(assignment_id))
    for repository in cache.seats_here():
        with suppress(GitError):
            said = repository.git.run(
                ["for-each-ref", "--format=%(objectname)"], git_dir=repository.git_dir, operands=[kept]
            )
            if said.strip():
                cache.drop(repository)
