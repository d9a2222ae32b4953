"""Whole projects as files: ``git bundle``, self-contained, and the check that one can be unpacked without a server."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from git_exchange.errors import GitError, HostileRepository, RefMissing
from git_exchange.transport.cache import Repository
from git_exchange.transport.command import Git
from git_exchange.transport.failures import Untrustworthy, shown
from git_exchange.transport.fetch import is_plain_ref

_PREFIXES = ("refs/heads/", "refs/tags/")
# What clients of long ago wrote and forges let pass: see the fetch's own settings in ``environment``.
_TOLERATED = ("badTimezone", "missingSpaceBeforeDate", "zeroPaddedFilemode")


def write_bundle(
    repository: Repository,
    url: str,
    refs: Collection[str],
    file: Path,
    place: Path,
    *,
    timeout: float,
    max_bytes: int | None = None,
) -> dict[str, str]:
    """Fetch the full ``refs`` and write them with all that they need to ``file``; return the objects that they name.

    Works in the empty folder ``place`` and takes from the local copy ``repository`` what is there already; call it
    under that one's lock. Raise RefMissing, HostileRepository, RemoteDenied, RemoteUnreachable, GitTimeout,
    CacheCorrupt if the local copy is damaged.
    """
    for ref in refs:
        if not ref.startswith(_PREFIXES) or not is_plain_ref(ref):
            raise HostileRepository(f"{shown(url)} has a branch with a name that git does not allow.")
    git = repository.git
    git.run(["init", "--quiet", "--bare", "--template="], git_dir=place)
    (place / "objects" / "info").mkdir(exist_ok=True)
    (place / "objects" / "info" / "alternates").write_text(f"{repository.git_dir.resolve() / 'objects'}\n", "utf-8")
    git.run(
        ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-gc", "--update-head-ok", "--stdin"],
        git_dir=place,
        operands=[url],
        stdin="".join(f"+{ref}:{ref}\n" for ref in refs).encode(),
        timeout=timeout,
        remote=True,
        max_file_bytes=max_bytes,
    )
    found = _refs(git, place)
    for ref in refs:
        if ref not in found:
            raise RefMissing(f"The branch {ref.removeprefix('refs/heads/')} does not exist on {shown(url)}.")
    git.run(["bundle", "create", "--quiet", str(file.resolve()), "--all"], git_dir=place, timeout=timeout)
    return found


def check_bundle(git: Git, file: Path, place: Path, *, timeout: float) -> dict[str, str]:
    """Unpack the bundle in the empty folder ``place``, check every object, and return the refs that it has.

    Nothing but the file is used. Raise HostileRepository if it needs something else or does not hold together.
    """
    where = str(file.resolve())
    git.run(["init", "--quiet", "--bare", "--template="], git_dir=place)
    with (place / "config").open("a", encoding="utf-8") as config:
        config.write("".join(["[fsck]\n", *(f"\t{name} = ignore\n" for name in _TOLERATED)]))
    try:
        git.run(["bundle", "verify", "--quiet"], git_dir=place, operands=[where], timeout=timeout)
        said = git.run(["bundle", "unbundle"], git_dir=place, operands=[where], timeout=timeout)
        lines = [line.partition(" ") for line in said.decode("utf-8").splitlines()]
        found = {ref: oid for oid, _, ref in lines if ref != "HEAD"}
        orders = "".join(f"create {ref} {oid}\n" for ref, oid in found.items())
        git.run(["update-ref", "--stdin"], git_dir=place, stdin=orders.encode(), timeout=timeout)
        git.run(["fsck", "--full", "--no-dangling", "--no-progress"], git_dir=place, timeout=timeout)
    except (Untrustworthy, UnicodeDecodeError) as error:
        raise HostileRepository("The bundle does not hold together.") from error
    except GitError as error:
        raise HostileRepository(f"The bundle cannot be unpacked: {error.message}") from error
    return found


def _refs(git: Git, git_dir: Path) -> dict[str, str]:
    output = git.run(["for-each-ref", "--format=%(objectname) %(refname)"], git_dir=git_dir)
    lines = (line.split(" ", 1) for line in output.decode("utf-8").splitlines())
    return {ref: oid for oid, ref in lines}
