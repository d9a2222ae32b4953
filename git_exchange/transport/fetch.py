"""Bring branches of a server into a local copy: exactly the ones that were asked for."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from git_exchange.errors import HostileRepository, RefMissing
from git_exchange.transport.cache import Repository
from git_exchange.transport.failures import Untrustworthy, shown

_FORBIDDEN = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/$|\.lock(/|$)|/\.|\.$")


def fetch(
    repository: Repository,
    url: str,
    refs: Collection[str],
    *,
    timeout: float | None = None,
    max_bytes: int | None = None,
) -> dict[str, str]:
    """Fetch the full ``refs`` and return the commits that they have now. Call it under the repository's lock.

    Raise RefMissing if one does not exist (nothing is fetched then), HostileRepository if git's checks or
    ``max_bytes`` (for one transfer) refuse what comes, RemoteDenied, RemoteUnreachable, GitTimeout, CacheCorrupt.
    """
    if not refs:
        return {}
    wanted = {ref: local_ref(ref) for ref in refs}
    try:
        repository.git.run(
            [
                "fetch",
                "--quiet",
                "--no-tags",
                "--no-write-fetch-head",
                "--no-auto-gc",
                "--no-recurse-submodules",
                "--no-show-forced-updates",
                "--stdin",
            ],
            git_dir=repository.git_dir,
            operands=[url],
            # On stdin they are not bounded in number, and git waits for them until the limit on files is set.
            stdin="".join(f"+{ref}:{local}\n" for ref, local in wanted.items()).encode(),
            timeout=timeout,
            remote=True,
            max_file_bytes=max_bytes,
        )
    except (Untrustworthy, HostileRepository) as error:
        if max_bytes is not None and _stopped_at(repository, max_bytes):
            raise HostileRepository(f"{shown(url)} sends more than {max_bytes} bytes at once.") from error
        if isinstance(error, HostileRepository):
            raise
        if not _commits(repository, ["refs/forge"]):
            # There was nothing of ours before that could have been damaged.
            raise HostileRepository(error.message) from error
        raise
    finally:
        repository.remove_leftovers()
    found = _commits(repository, wanted.values())
    missing = [ref for ref, local in wanted.items() if local not in found]
    if missing:
        raise RefMissing(f"The branch {missing[0].removeprefix('refs/heads/')} does not exist on {shown(url)}.")
    return {ref: found[local] for ref, local in wanted.items()}


def local_ref(ref: str) -> str:
    """Return under which name a branch of the server is kept here. ValueError if it is no full name of a branch."""
    if not ref.startswith("refs/heads/") or not is_plain_ref(ref):
        raise ValueError(f"{ref!r} is not the full name of a branch")
    return f"refs/forge/{ref.removeprefix('refs/heads/')}"


def is_plain_ref(ref: str) -> bool:
    """Return whether git allows the full name of a ref, and a refspec would not take part of it for something else."""
    return _FORBIDDEN.search(ref) is None


def _stopped_at(repository: Repository, size: int) -> bool:
    """Return whether the pack that was being written has reached the limit: git itself does not say why it ended."""
    return any(path.stat().st_size >= size for path in repository.git_dir.glob("objects/pack/tmp_pack_*"))


def _commits(repository: Repository, patterns: Iterable[str]) -> dict[str, str]:
    output = repository.git.run(
        ["for-each-ref", "--format=%(objectname) %(refname)"], git_dir=repository.git_dir, operands=list(patterns)
    )
    lines = (line.split(" ", 1) for line in output.decode("utf-8", "surrogateescape").splitlines())
    return {ref: oid for oid, ref in lines}
