"""Replace a branch by another history, for purging only, and drop from a local copy what it held before."""

from __future__ import annotations

import tempfile
from collections.abc import Collection
from pathlib import Path

from git_exchange.errors import GitTimeout, PushRace, PushRefused, RemoteDenied, RemoteUnreachable
from git_exchange.transport.cache import Repository
from git_exchange.transport.command import Git
from git_exchange.transport.failures import shown
from git_exchange.transport.fetch import local_ref
from git_exchange.transport.objects import is_oid
from git_exchange.transport.protocol import ls_remote

_KEPT = "refs/kept/"


def replace_branch(repository: Repository, url: str, commit: str, ref: str, *, expected: str) -> None:
    """Force-push ``commit`` to the full ``ref`` if the server's branch is at ``expected``, and read it back.

    Call it under the repository's lock. Raise PushRace if the branch holds something else, PushRefused,
    RemoteDenied, RemoteUnreachable, GitTimeout.
    """
    for oid in (commit, expected):
        if not is_oid(oid):
            raise ValueError(f"{oid!r} is not the id of a commit")
    kept, branch = local_ref(ref), ref.removeprefix("refs/heads/")
    try:
        ended = repository.git.attempt(
            ["push", "--porcelain", "--no-progress", "--no-verify", f"--force-with-lease={ref}:{expected}"],
            git_dir=repository.git_dir,
            operands=[url, f"{commit}:{ref}"],
        )
        problem, says = ended.failure, ended.server_says
    except GitTimeout as error:
        problem, says = error, ""
    there = ls_remote(repository.git, url, [ref]).get(ref)
    if there == commit:
        repository.git.run(["update-ref", kept, commit], git_dir=repository.git_dir)
        return
    if there != expected:
        raise PushRace(f"The branch {branch} moved on {shown(url)} meanwhile.", hint="Look at it, and run it again.")
    if isinstance(problem, RemoteDenied | RemoteUnreachable | GitTimeout) and not says:
        raise problem
    raise PushRefused(f"{shown(url)} refused to replace the branch {branch}: {says or problem}", server_says=says)


def can_fetch(git: Git, url: str, oid: str) -> bool:
    """Return whether the server hands out the object to whoever knows its id. Raise RemoteUnreachable, GitTimeout."""
    with tempfile.TemporaryDirectory(prefix="git-exchange-") as place:
        git_dir = Path(place) / "probe.git"
        git.run(["init", "--quiet", "--bare", "--template="], git_dir=git_dir)
        try:
            git.run(
                ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-gc", "--depth=1", "--stdin"],
                git_dir=git_dir,
                operands=[url],
                stdin=f"{oid}\n".encode(),
                remote=True,
            )
        except RemoteDenied:
            return False
    return True


def drop_objects(repository: Repository, purged: Collection[str]) -> None:
    """Remove from the local copy all that only the ``purged`` commits need; its branches must have moved on.

    What else no branch holds stays: it may be evidence. Only under the repository's lock.
    """
    git, git_dir = repository.git, repository.git_dir
    said = git.run(["fsck", "--no-reflogs", "--dangling", "--connectivity-only", "--no-progress"], git_dir=git_dir)
    dangling = [line.split()[2] for line in said.decode("ascii").splitlines() if line.startswith("dangling commit ")]
    unwanted = set(purged)
    for oid in dangling:
        reached = git.run(["rev-list", "--stdin"], git_dir=git_dir, stdin=f"{oid}\n".encode()).decode("ascii").split()
        if unwanted.isdisjoint(reached):
            git.run(["update-ref", f"{_KEPT}{oid}", oid], git_dir=git_dir)
    git.run(["gc", "--prune=now", "--quiet"], git_dir=git_dir, timeout=600)
