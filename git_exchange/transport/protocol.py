"""Ask a server for its refs, without a repository of our own."""

from __future__ import annotations

from collections.abc import Sequence

from git_exchange.errors import GitError
from git_exchange.transport.command import Git


def ls_remote(git: Git, url: str, prefixes: Sequence[str], *, timeout: float | None = None) -> dict[str, str]:
    """Return the commits of the refs whose full name starts with one of ``prefixes``, by full ref.

    Refs whose name is not UTF-8 are left out: they cannot be ours. Raise RemoteDenied, RemoteUnreachable, GitTimeout.
    """
    narrowed = ["--heads"] if all(prefix.startswith("refs/heads/") for prefix in prefixes) else []
    output = git.run(
        ["ls-remote", "--refs", "--quiet", *narrowed], git_dir=None, operands=[url], timeout=timeout, remote=True
    )
    found = {}
    for line in output.splitlines():
        oid, tab, name = line.partition(b"\t")
        if not tab:
            raise GitError("git ls-remote gave an answer that is not understood.")
        try:
            ref = name.decode("utf-8")
        except UnicodeDecodeError:
            continue
        if ref.startswith(tuple(prefixes)):
            found[ref] = oid.decode("ascii")
    return found
