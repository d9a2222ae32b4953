"""Make a commit out of files, by one ``git fast-import`` that streams them. Exact bytes: no filter, no attribute."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from git_exchange.errors import CacheCorrupt, FilesError
from git_exchange.transport.cache import Repository

_CHUNK = 1_048_576
_OID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_NO_OID = "0" * 40


@dataclass(frozen=True)
class TreeFile:
    """A file to commit: ``path`` relative with slashes, ``open`` gives its contents, ``size`` in bytes."""

    path: str
    executable: bool
    open: Callable[[], BinaryIO]
    size: int


def commit_tree(
    repository: Repository,
    *,
    parents: Sequence[str],
    files: Iterable[TreeFile] | None,
    message: str,
    name: str,
    email: str,
    at: datetime,
) -> str:
    """Return the id of a new commit whose tree is exactly ``files``; no branch holds it. Call it under the lock.

    ``files`` None keeps the tree of the first parent.
    Memory does not grow with the files. Raise FilesError if a file is not as long as its ``size`` said (somebody
    writes to it), ValueError for a path that no tree can hold, CacheCorrupt if a parent is not here.
    """
    if at.tzinfo is None:
        raise ValueError("a commit's time must be aware")
    for parent in parents:
        if not is_oid(parent):
            raise ValueError(f"{parent!r} is not the id of a commit")
    person = f"{_plain(name) or _plain(email)} <{_plain(email)}>"
    try:
        output = repository.git.run(
            ["fast-import", "--quiet", "--done", "--date-format=raw"],
            git_dir=repository.git_dir,
            stdin=_commands(parents, files, message, f"{person} {int(at.timestamp())} +0000"),
        )
    except BaseException:
        repository.remove_leftovers()
        raise
    oid = output.decode("ascii", "replace").strip()
    if not is_oid(oid):
        raise CacheCorrupt("git fast-import did not say which commit it made.")
    return oid


def is_oid(text: str) -> bool:
    """Return whether this is a full object id."""
    return _OID.fullmatch(text) is not None


def _commands(
    parents: Sequence[str], files: Iterable[TreeFile] | None, message: str, committer: str
) -> Iterator[bytes]:
    ref = f"refs/git-exchange/{uuid.uuid4().hex}"
    text = message.encode()
    if b"\0" in text:
        raise ValueError("a commit message holds no NUL")
    yield f"commit {ref}\nmark :1\ncommitter {committer}\ndata {len(text)}\n".encode() + text + b"\n"
    for number, parent in enumerate(parents):
        yield f"{'merge' if number else 'from'} {parent}\n".encode()
    if files is not None:
        yield b"deleteall\n"
    for file in files or ():
        mode = "100755" if file.executable else "100644"
        yield f"M {mode} inline ".encode() + _quoted(file.path) + f"\ndata {file.size}\n".encode()
        yield from _contents(file)
        yield b"\n"
    # The ref is taken back before it was ever written: what is left is the commit alone.
    yield f"get-mark :1\nreset {ref}\nfrom {_NO_OID}\n\ndone\n".encode()


def _contents(file: TreeFile) -> Iterator[bytes]:
    left = file.size
    with file.open() as source:
        while left:
            chunk = source.read(min(_CHUNK, left))
            if not chunk:
                break
            left -= len(chunk)
            yield chunk
        if left or source.read(1):
            raise FilesError(
                f"{file.path!r} changed while it was being read.",
                hint="Save it, close what writes to it, and try again.",
            )


def _quoted(path: str) -> bytes:
    parts = path.split("/")
    if any(part in ("", ".", "..") or part.lower() == ".git" for part in parts) or "\0" in path:
        raise ValueError(f"{path!r} cannot be the path of a file in a tree")
    raw = path.encode("utf-8")
    inner = b"".join(bytes([b]) if 32 <= b < 127 and b not in b'"\\' else f"\\{b:03o}".encode() for b in raw)
    return b'"' + inner + b'"'


def _plain(text: str) -> str:
    """Return the text without what ends a name or address in a commit."""
    return " ".join(re.sub(r"[<>\x00-\x1f\x7f]", " ", text).split()).strip(" .,:;\"'")
