"""Purge a branch: replace it by a history without what must not be seen, and find out what can still be had.

What goes and what stays of a branch is decided by ``purge_release`` and ``purge_feedback``; this is how it is done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from git_exchange.course.course import Course
from git_exchange.course.purges import read_purges, record_purge
from git_exchange.errors import AssignmentNotFound, Forbidden, GitExchangeError, NotStaff, PushRefused
from git_exchange.events import Event, Listener, ignore
from git_exchange.files.paths import display
from git_exchange.forge.ports import BranchRule, ForgeAdmin, Project
from git_exchange.rules import times, trailers
from git_exchange.rules.purge import Purge
from git_exchange.transport.cache import Cache, Repository
from git_exchange.transport.fast_import import commit_tree
from git_exchange.transport.fetch import fetch
from git_exchange.transport.objects import TreeFile, graph, list_tree
from git_exchange.transport.protocol import ls_remote
from git_exchange.transport.rewrite import can_fetch, drop_objects, replace_branch

# Each takes up to three questions to the forge; when these are gone, the others are, too.
MAX_PROBES = 20
MAX_COMMITS = 10_000


@dataclass(frozen=True)
class Target:
    """The branch, where its local copy is, and the rules that protect it."""

    project: Project
    ref: str
    find: Callable[[Cache], Repository]
    rules: tuple[BranchRule, ...]


@dataclass(frozen=True)
class Plan:
    """What a purge would take away: ``commits`` and ``files`` (object ids) that no branch may hold afterwards.

    ``head`` is the branch's commit. ``paths`` name the files for people. ``consequences`` are sentences about what a
    purge does not reach.
    """

    target: Target
    head: str
    commits: tuple[str, ...]
    files: tuple[str, ...]
    paths: tuple[str, ...]
    consequences: tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """What can still be had after a purge, and what cannot; sentences. ``clean`` if the forge answers with nothing."""

    gone: tuple[str, ...]
    stays: tuple[str, ...]
    clean: bool


def carry_out(
    course: Course,
    forge: ForgeAdmin,
    plan: Plan,
    reason: str,
    build: Callable[[Repository], str],
    *,
    listener: Listener = ignore,
) -> None:
    """Replace the branch by the commit that ``build`` makes. The rules are in force again whatever happens.

    Running it again completes what was interrupted. Raise NotStaff if this account may not change the rules,
    PushRace if the branch moved since the plan was made.
    """
    target = plan.target
    url = course.forge.git_url(target.project)
    # First, so that whoever has to go on after a crash knows what to look for.
    record_purge(
        course,
        Purge(target.project.id, target.ref, plan.commits, plan.files, course.now(), course.account().username, reason),
    )

    def replace(repository: Repository) -> None:
        fetch(repository, url, [target.ref])
        commit = build(repository)
        try:
            forge.let_rewrite(target.project.id, target.ref)
            listener(Event(f"{_branch(target)} of {target.project.path} can be rewritten by instructors now", "debug"))
            replace_branch(repository, url, commit, target.ref, expected=plan.head)
        finally:
            forge.ensure_rules(target.project.id, target.rules)
            listener(Event(f"{target.project.path} is protected again", "debug"))

    try:
        course.in_repository(target.find, replace)
    except Forbidden as error:
        raise NotStaff(
            f"{course.account().username} may not change the protection of {target.project.path}: {error.message}",
            hint=error.hint or "It takes an instructor's account (Maintainer on GitLab).",
        ) from error
    except PushRefused as error:
        raise NotStaff(
            f"The forge did not let {course.account().username} rewrite {_branch(target)}: {error.server_says}",
            hint="It takes an instructor's account (Maintainer on GitLab).",
        ) from error


def purged_message(course: Course, subject: str, reason: str, said: Iterable[tuple[str, str]]) -> str:
    """Return the message of the commit that stands where something was purged."""
    who = f"{times.isoformat(course.now())} by {course.account().username}: {reason}"
    pairs = [(trailers.COURSE, course.course_id), *said, (trailers.PURGED, who)]
    return trailers.message(subject, pairs, body="Something was removed from this branch's history.")


def commit_purged(
    course: Course, repository: Repository, parents: list[str], files: list[TreeFile], message: str
) -> str:
    """Return the commit that ends the rewritten history."""
    name, email = course.identity()
    return commit_tree(
        repository, parents=parents, files=files, message=message, name=name, email=email, at=course.now()
    )


def look(course: Course, forge: ForgeAdmin, target: Target, *, listener: Listener = ignore) -> Found:
    """Make sure of the rules, ask the forge to forget, and ask it for all that was ever purged from this branch.

    Each object is asked for by the API and by git, as this account. Also drops it from this machine's copy. Raise
    AssignmentNotFound if nothing was ever purged there.
    """
    project = target.project
    forge.ensure_rules(project.id, target.rules)
    purges = read_purges(course, project.id, target.ref)
    if not purges:
        raise AssignmentNotFound(
            f"Nothing was ever purged from {_branch(target)} in {project.path}, and nothing of it is there.",
            hint="Check the names with `git-exchange history`.",
        )
    commits = tuple(dict.fromkeys(oid for one in purges for oid in one.commits))
    held = _held(course, target, frozenset(commits))
    # A corrected release may well have some of the same files.
    files = tuple(dict.fromkeys(oid for one in purges for oid in one.files if oid not in held.files))
    _drop_here(course, target, commits, listener)
    forgetting = forge.forget(project.id)
    url = forge.git_url(project)
    answers = {
        f"commits on branches: {display(', '.join(held.branches)) or 'no branch of the project'}": bool(held.branches),
        "commits by their id, through the API": any(forge.has_commit(project.id, oid) for oid in commits[:MAX_PROBES]),
        "files by their id, through the API and on the pages of the forge": any(
            forge.has_file(project.id, oid) for oid in files[:MAX_PROBES]
        ),
        "commits by their id, through git fetch": any(can_fetch(course.git, url, oid) for oid in commits[:MAX_PROBES]),
    }
    gone = [what for what, yes in answers.items() if not yes]
    stays = [what for what, yes in answers.items() if yes]
    if stays:
        stays.append(
            f"for whom: everybody who can read {project.group_path}/{project.path} and knows the id; push events and"
            " copies of the repository tell it"
        )
        stays.append(f"how long: {forgetting.detail}")
    return Found(tuple(gone), tuple(stays), not stays)


@dataclass(frozen=True)
class _Held:
    """Branches whose history has something that was purged, and the files that branches have now."""

    branches: tuple[str, ...]
    files: frozenset[str]


def _held(course: Course, target: Target, commits: frozenset[str]) -> _Held:
    """Look through the history of every branch of the project: somebody may have built on what was purged."""
    url = course.forge.git_url(target.project)
    refs = ls_remote(course.git, url, ["refs/heads/"])

    def read(repository: Repository) -> _Held:
        heads = fetch(repository, url, list(refs), max_bytes=course.settings.limits.max_fetch)
        holding = [
            ref.removeprefix("refs/heads/")
            for ref, head in heads.items()
            if any(commit.oid in commits for commit in graph(repository, head, limit=MAX_COMMITS))
        ]
        return _Held(
            tuple(holding), frozenset(entry.oid for head in heads.values() for entry in list_tree(repository, head))
        )

    return course.in_repository(target.find, read)


def only_in(repository: Repository, commits: Iterable[str], kept: Iterable[str]) -> dict[str, str]:
    """Return object id -> path of the files in ``commits`` that none of the commits ``kept`` has."""
    found = {entry.oid: display(entry.path) for oid in commits for entry in list_tree(repository, oid)}
    for oid in kept:
        for entry in list_tree(repository, oid):
            found.pop(entry.oid, None)
    return found


def _drop_here(course: Course, target: Target, commits: tuple[str, ...], listener: Listener) -> None:
    """Drop what was purged from the local copies of this account on this machine."""
    url = course.forge.git_url(target.project)

    def drop(repository: Repository) -> None:
        fetch(repository, url, [target.ref])
        drop_objects(repository, commits)

    try:
        course.in_repository(target.find, drop)
    except GitExchangeError as error:
        listener(Event(f"The local copy still has it: {error.message} Run the command again.", "warning"))


def _branch(target: Target) -> str:
    return target.ref.removeprefix("refs/heads/")
