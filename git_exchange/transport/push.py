"""Push one commit to one branch, never by force, and make sure that the server has it."""

from __future__ import annotations

import re
from contextlib import suppress

from git_exchange.errors import (
    GitError,
    GitTimeout,
    PushRace,
    PushRefused,
    RefMissing,
    RemoteDenied,
    RemoteUnreachable,
)
from git_exchange.transport.cache import Repository
from git_exchange.transport.failures import escape, hook_words, shown
from git_exchange.transport.fetch import fetch, local_ref
from git_exchange.transport.objects import is_ancestor, is_oid
from git_exchange.transport.protocol import ls_remote

_RACE = re.compile(
    r"fetch first|non-fast-forward|needs force|already exists|stale info|cannot lock ref|failed to (update|lock) ref"
    r"|failed to lock|incorrect old value|reference already exists|but expected",
    re.IGNORECASE,
)
_UNKNOWN = re.compile(r"remote failed to report status|failed to report")
_CONFIRM_TIMEOUT = 20.0


def push(repository: Repository, url: str, commit: str, ref: str, *, timeout: float | None = None) -> None:
    """Push ``commit`` to the full ``ref`` and return when the server shows it there, as the head or below it.

    Call it under the repository's lock. Raise PushRace if the branch holds something else, PushRefused if the server's
    rules say no, RemoteDenied, RemoteUnreachable, GitTimeout. After the last two it is open whether the push arrived.
    """
    if not is_oid(commit):
        raise ValueError(f"{commit!r} is not the id of a commit")
    kept = local_ref(ref)
    problem = _send(repository, url, commit, ref, timeout)
    if isinstance(problem, PushRefused | RemoteDenied):
        raise problem
    # Whatever was said on the way: what counts is what the server shows now.
    try:
        there = _arrived(repository, url, commit, ref, timeout)
    except (RemoteUnreachable, GitTimeout) as error:
        raise problem or RemoteUnreachable(
            f"The push to {shown(url)} was sent, but the server could not be asked whether it has it.",
        ) from error
    if not there:
        raise problem or PushRace(f"The branch {ref.removeprefix('refs/heads/')} holds something else by now.")
    # Only spares the next fetch some work: the push has succeeded, whatever becomes of this.
    with suppress(GitError):
        repository.git.run(["update-ref", kept, commit], git_dir=repository.git_dir)


def _send(repository: Repository, url: str, commit: str, ref: str, timeout: float | None) -> GitError | None:
    """Push and return what went wrong, as far as git can tell."""
    try:
        ended = repository.git.attempt(
            [
                "push",
                "--porcelain",
                "--thin",
                "--no-progress",
                "--no-verify",
                "--no-signed",
                "--no-follow-tags",
                "--recurse-submodules=no",
            ],
            git_dir=repository.git_dir,
            operands=[url, f"{commit}:{ref}"],
            timeout=timeout,
        )
    except GitTimeout as error:
        return error
    if ended.failure is None:
        return None
    reason = _rejection(ended.output, ref)
    if reason is not None:
        return _rejected(url, ref, reason, ended.server_says)
    if isinstance(ended.failure, RemoteDenied) and ended.server_says:
        # Forges answer 403 with an explanation when an account may read a project but not push to it.
        return PushRefused(ended.failure.message, server_says=ended.server_says)
    return ended.failure


def _rejected(url: str, ref: str, reason: str, says: str) -> GitError:
    branch = ref.removeprefix("refs/heads/")
    if _UNKNOWN.search(reason):
        return RemoteUnreachable(f"{shown(url)} did not say whether it took the push.")
    if _RACE.search(reason):
        return PushRace(f"The branch {branch} moved on {shown(url)} ({escape(reason)}).")
    explained = hook_words(says)
    why = explained or says or escape(reason)
    return PushRefused(
        f"{shown(url)} refused the push to {branch} ({escape(reason)}): {why}",
        server_says=why,
        explained=bool(explained),
    )


def _rejection(output: bytes, ref: str) -> str | None:
    """Return why the ref was rejected, from ``!<tab>from:to<tab>[summary] (reason)``; None if it was not."""
    for line in output.decode("utf-8", "replace").splitlines():
        flag, _, rest = line.partition("\t")
        names, _, summary = rest.partition("\t")
        if flag == "!" and names.endswith(f":{ref}"):
            return summary
    return None


def _arrived(repository: Repository, url: str, commit: str, ref: str, timeout: float | None) -> bool:
    """Return whether the server's branch is at the commit or above it."""
    limit = min(timeout or _CONFIRM_TIMEOUT, _CONFIRM_TIMEOUT)
    try:
        head = ls_remote(repository.git, url, [ref], timeout=limit).get(ref)
        if head in (None, commit):
            return head is not None
        return is_ancestor(repository, commit, fetch(repository, url, [ref], timeout=timeout)[ref])
    except RefMissing:
        return False
