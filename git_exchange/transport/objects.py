"""Read commits, trees and blobs of a local copy, by plumbing commands with machine formats. Nothing is checked out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from git_exchange.errors import CacheCorrupt, HostileRepository, TooLarge
from git_exchange.files.tree import TreeEntry
from git_exchange.rules.attempt import Commit
from git_exchange.transport.cache import Repository
from git_exchange.transport.command import MAX_OUTPUT, Stream
from git_exchange.transport.fast_import import TreeFile, commit_tree, is_oid

__all__ = [
    "BlobReader",
    "CommitInfo",
    "TreeFile",
    "commit_tree",
    "graph",
    "has_commit",
    "history",
    "is_ancestor",
    "is_oid",
    "list_tree",
    "read_blob",
    "read_commit",
    "read_commits",
    "tree_of",
]

_CHUNK = 1_048_576
# Some 200,000 files. A tree that unfolds into more is made to hurt.
MAX_LISTING = 16_000_000
_FORMAT = "--format=tformat:%H%x00%T%x00%P%x00%ct%x00%an <%ae>%x00%B"
_FIELDS = 6
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class CommitInfo:
    """A commit. ``author`` is "name <address>"; ``committed_at`` is what its maker claims, no evidence of time."""

    oid: str
    tree: str
    parents: tuple[str, ...]
    message: str
    committed_at: datetime
    author: str


def has_commit(repository: Repository, commit: str) -> bool:
    """Return whether the commit is here (or in the releases that a seat borrows from)."""
    output = repository.git.run(
        ["cat-file", "--batch-check=%(objecttype)"], git_dir=repository.git_dir, stdin=f"{_checked(commit)}\n".encode()
    )
    return output.strip() == b"commit"


def read_commit(repository: Repository, commit: str) -> CommitInfo:
    """Return one commit. Raise CacheCorrupt if it is not here."""
    return read_commits(repository, [commit])[0]


def read_commits(repository: Repository, commits: Sequence[str]) -> list[CommitInfo]:
    """Return the commits in the order asked for. Raise CacheCorrupt if one is not here."""
    if not commits:
        return []
    output = repository.git.run(
        ["log", "-z", "--no-walk=unsorted", "--no-notes", _FORMAT, "--stdin"],
        git_dir=repository.git_dir,
        stdin="".join(f"{_checked(commit)}\n" for commit in commits).encode(),
    )
    found = {info.oid: info for info in _parsed(output)}
    if lost := next((commit for commit in commits if commit not in found), None):
        raise CacheCorrupt(f"git told nothing of the commit {lost}.")
    return [found[commit] for commit in commits]


def graph(repository: Repository, head: str, exclude: Sequence[str] = (), *, limit: int) -> list[Commit]:
    """Return what ``history`` does, without messages and people, which a student can make as large as they like.

    Raise HostileRepository if that is more than ``limit`` commits, CacheCorrupt if something is missing.
    """
    # Format and separator hold nothing of the commits' own text, so that no text can be taken for a commit.
    output = _log(repository, "--format=tformat:%H %T %P", head, exclude, limit, MAX_LISTING)
    lines = output.decode("ascii").split("\0")[:-1]
    _refuse_more_than(limit, len(lines))
    fields = [line.split() for line in lines]
    return [Commit(oid, tree, tuple(parents)) for oid, tree, *parents in fields]


def history(repository: Repository, head: str, exclude: Sequence[str] = (), *, limit: int) -> list[CommitInfo]:
    """Return what is reachable from ``head`` but from none of ``exclude``, parents before children.

    Raise HostileRepository if that is more than ``limit`` commits, CacheCorrupt if something is missing.
    """
    found = _parsed(_log(repository, _FORMAT, head, exclude, limit))
    _refuse_more_than(limit, len(found))
    return found


def is_ancestor(repository: Repository, ancestor: str, descendant: str) -> bool:
    """Return whether ``ancestor`` is ``descendant`` or reachable from it. Raise CacheCorrupt if one is not here."""
    output = repository.git.run(
        ["rev-list", "--max-count=1", "--stdin"],
        git_dir=repository.git_dir,
        stdin=f"{_checked(ancestor)}\n^{_checked(descendant)}\n".encode(),
    )
    return not output.strip()


def tree_of(repository: Repository, commit: str) -> str:
    """Return the id of the commit's tree. Raise CacheCorrupt if it is not here."""
    return read_commit(repository, commit).tree


def list_tree(repository: Repository, commit: str) -> list[TreeEntry]:
    """Return all files, links and submodules of a commit (or tree), at any depth, unchecked, in git's order.

    Raise HostileRepository if there are absurdly many, CacheCorrupt if something is missing.
    """
    output = repository.git.run(
        ["ls-tree", "-r", "-z", "-l", "--full-tree"],
        git_dir=repository.git_dir,
        operands=[_checked(commit)],
        max_output=MAX_LISTING,
    )
    return [_entry(line) for line in output.split(b"\0") if line]


def read_blob(repository: Repository, oid: str, limit: int) -> bytes:
    """Return a blob's contents. Raise TooLarge if it has more than ``limit`` bytes, CacheCorrupt if it is not here."""
    with BlobReader(repository) as blobs:
        return b"".join(blobs.chunks(oid, limit=limit))


class BlobReader:
    """Reads many blobs by one process, one after the other, in chunks of at most a mebibyte."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._closing = ExitStack()
        self._stream: Stream | None = None
        self._left = 0
        self._turn = 0

    def __enter__(self) -> BlobReader:
        self._stream = self._closing.enter_context(
            self._repository.git.stream(["cat-file", "--batch"], git_dir=self._repository.git_dir)
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()
        self._stream = None

    def chunks(self, oid: str, *, limit: int | None = None) -> Iterator[bytes]:
        """Yield the contents of a blob. Asking for the next blob ends the one before, read to its end or not.

        Raise CacheCorrupt if it is not here, TooLarge if it has more than ``limit`` bytes.
        """
        stream = self._open()
        self._skip(stream)
        self._turn += 1
        mine = self._turn
        stream.write(f"{_checked(oid)}\n".encode())
        kind, _, size = stream.read_line().partition(b" ")[2].partition(b" ")
        if kind == b"missing":
            raise CacheCorrupt(f"The local copy lacks the object {oid}.")
        self._left = int(size) + 1  # each answer ends with a newline
        if kind != b"blob":
            raise HostileRepository(f"The object {oid} is a {kind.decode('ascii', 'replace')}, not a file.")
        if limit is not None and int(size) > limit:
            raise TooLarge(f"The file {oid[:12]} has {int(size)} bytes; the limit is {limit}.")
        left = int(size)
        while left:
            if mine != self._turn:
                raise ValueError("another blob was asked for before this one was read to its end")
            chunk = stream.read(min(_CHUNK, left))
            left -= len(chunk)
            self._left -= len(chunk)
            yield chunk
        if mine == self._turn:
            self._skip(stream)

    def _skip(self, stream: Stream) -> None:
        while self._left:
            self._left -= len(stream.read(min(_CHUNK, self._left)))

    def _open(self) -> Stream:
        if self._stream is None:
            raise ValueError("a BlobReader works inside its `with` only")
        return self._stream


def _log(
    repository: Repository, form: str, head: str, exclude: Sequence[str], limit: int, max_output: int = MAX_OUTPUT
) -> bytes:
    ends = [_checked(head), *(f"^{_checked(commit)}" for commit in exclude)]
    return repository.git.run(
        ["log", "-z", "--topo-order", "--reverse", f"--max-count={limit + 1}", "--no-notes", form, "--stdin"],
        git_dir=repository.git_dir,
        stdin="".join(f"{end}\n" for end in ends).encode(),
        max_output=max_output,
    )


def _refuse_more_than(limit: int, count: int) -> None:
    if count > limit:
        raise HostileRepository(f"The branch has more than {limit} commits: more than anybody makes by hand.")


def _parsed(output: bytes) -> list[CommitInfo]:
    fields = output.decode("utf-8", "replace").split("\0")[:-1]
    if len(fields) % _FIELDS:
        raise CacheCorrupt("git log gave an answer that is not understood.")
    return [_commit(fields[start : start + _FIELDS]) for start in range(0, len(fields), _FIELDS)]


def _commit(fields: Sequence[str]) -> CommitInfo:
    oid, tree, parents, moment, author, message = fields
    return CommitInfo(oid, tree, tuple(parents.split()), message, _moment(moment), author)


def _moment(seconds: str) -> datetime:
    """Return the claimed time, or the epoch if a calendar has no such time."""
    try:
        return _EPOCH + timedelta(seconds=int(seconds or 0))
    except (OverflowError, ValueError):
        return _EPOCH


def _entry(line: bytes) -> TreeEntry:
    about, _, path = line.partition(b"\t")
    mode, kind, oid, size = about.decode("ascii").split()
    if size == "BAD":
        raise CacheCorrupt(f"The local copy lacks the object {oid}.")
    return TreeEntry(mode=mode, kind=kind, oid=oid, size=None if size == "-" else int(size), path=path)


def _checked(oid: str) -> str:
    if not is_oid(oid):
        raise ValueError(f"{oid!r} is not the id of an object")
    return oid
