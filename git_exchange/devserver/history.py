"""Commits, branches, trees and files of a repository, as values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from git_exchange.devserver.repositories import GitFailedError, Repositories

# NUL cannot be part of a commit; a record ends with two of them.
FORMAT = "%H%x00%T%x00%P%x00%an%x00%ae%x00%at%x00%cn%x00%ce%x00%ct%x00%B%x00%x00"
FIELDS = 10
REF_FORMAT = "%(refname)%00%(objectname)%00%(objecttype)%00%(*objectname)%00%(contents)%00%00"
TRAILER = re.compile(r"([A-Za-z0-9-]+):[ \t]*(.*)")


@dataclass(frozen=True)
class Commit:
    """A commit. Times are what the client wrote."""

    id: str
    tree: str
    parents: tuple[str, ...]
    author_name: str
    author_email: str
    authored_at: datetime
    committer_name: str
    committer_email: str
    committed_at: datetime
    message: str

    @property
    def title(self) -> str:
        """The first line of the message."""
        return self.message.split("\n", 1)[0]

    @property
    def trailers(self) -> tuple[tuple[str, str], ...]:
        """The key and value of each line of the last paragraph, if all of its lines are trailers."""
        paragraphs = self.message.strip().split("\n\n")
        if len(paragraphs) < 2:
            return ()
        found = [TRAILER.fullmatch(line) for line in paragraphs[-1].split("\n")]
        return tuple((match[1], match[2]) for match in found if match) if all(found) else ()


@dataclass(frozen=True)
class Ref:
    """A branch or tag: its short name and commit. ``message`` is that of an annotated tag, else empty."""

    name: str
    commit: str
    message: str = ""
    annotated: str | None = None


@dataclass(frozen=True)
class Entry:
    """One entry of a tree. ``kind`` is blob, tree or commit."""

    mode: str
    kind: str
    id: str
    path: str


class History:
    """Read one repository."""

    def __init__(self, repositories: Repositories, storage: str) -> None:
        self._repositories = repositories
        self._storage = storage

    async def refs(self, prefix: str) -> list[Ref]:
        """Return the branches (prefix "refs/heads/") or tags ("refs/tags/") by name."""
        output = await self._repositories.run(self._storage, "for-each-ref", f"--format={REF_FORMAT}", prefix)
        found = []
        for record in output.decode(errors="replace").split("\0\0\n"):
            if not record:
                continue
            ref, object_id, kind, target, message = record.split("\0", 4)
            if kind == "tag":
                found.append(Ref(ref[len(prefix) :], target, message.strip(), object_id))
            else:
                found.append(Ref(ref[len(prefix) :], object_id))
        return found

    async def commits(self, ids: Sequence[str]) -> dict[str, Commit]:
        """Return commits by id; unknown ones are absent."""
        if not ids:
            return {}
        output = await self._repositories.run(
            self._storage,
            "log",
            "--no-walk=unsorted",
            "--stdin",
            f"--format={FORMAT}",
            stdin="".join(f"{one}\n" for one in dict.fromkeys(ids)).encode(),
        )
        return {commit.id: commit for commit in parse(output)}

    async def find(self, name: str) -> Commit | None:
        """Return the commit that a branch, tag or id names."""
        found = await self._repositories.commit(self._storage, name)
        return None if found is None else (await self.commits([found])).get(found)

    async def log(self, *arguments: str, limit: int | None = None) -> list[Commit]:
        """Return what ``git log`` walks with these revisions (and ``-- path``), newest first."""
        many = () if limit is None else (f"--max-count={limit}",)
        output = await self._repositories.run(self._storage, "log", f"--format={FORMAT}", *many, *arguments)
        return parse(output)

    async def count(self, *revisions: str) -> int:
        """Return how many commits the revisions hold."""
        output = await self._repositories.run(self._storage, "rev-list", "--count", *revisions)
        return int(output)

    async def last_commit(self, commit: str) -> str | None:
        """Return the newest commit that changed the tree, by git's own simplification of history."""
        output = await self._repositories.run(self._storage, "log", "-1", "--format=%H", commit, "--", ".")
        return output.decode().strip() or None

    async def tree(self, commit: str, path: str, *, recursive: bool) -> list[Entry] | None:
        """Return the entries of a folder of a commit; None if there is no such folder."""
        place = f"{commit}:{path.strip('/')}" if path.strip("/") else commit
        try:
            output = await self._repositories.run(
                self._storage, "ls-tree", "-z", *(("-r", "-t") if recursive else ()), place
            )
        except GitFailedError:
            return None
        found = []
        prefix = f"{path.strip('/')}/" if path.strip("/") else ""
        for record in output.decode(errors="replace").split("\0")[:-1]:
            about, _, name = record.partition("\t")
            mode, kind, object_id = about.split(" ")
            found.append(Entry(mode, kind, object_id, prefix + name))
        return found

    async def entry(self, commit: str, path: str) -> Entry | None:
        """Return the entry at a path of a commit."""
        output = await self._repositories.run(
            self._storage, "--literal-pathspecs", "ls-tree", "-z", "--full-tree", commit, "--", path
        )
        record = output.decode(errors="replace").split("\0")[0]
        if not record:
            return None
        about, _, name = record.partition("\t")
        mode, kind, object_id = about.split(" ")
        return Entry(mode, kind, object_id, name)

    async def blob(self, object_id: str) -> bytes:
        """Return a file's content."""
        return await self._repositories.run(self._storage, "cat-file", "blob", object_id)

    async def changes(self, commit: str) -> tuple[list[str], list[str], list[str]]:
        """Return the paths that a commit added, modified and removed against its first parent."""
        output = await self._repositories.run(
            self._storage, "diff-tree", "-r", "-z", "--root", "-m", "--first-parent", "--no-commit-id", "--name-status",
            "--no-renames", commit,
        )  # fmt: skip
        parts = output.decode(errors="replace").split("\0")
        changed: dict[str, list[str]] = {"A": [], "D": []}
        for status, path in zip(parts[::2], parts[1::2], strict=False):
            changed.setdefault(status if status in "AD" else "M", []).append(path)
        return changed["A"], changed.get("M", []), changed["D"]


def parse(output: bytes) -> list[Commit]:
    """Return the commits that git printed in FORMAT."""
    found = []
    for record in output.decode(errors="replace").split("\0\0\n"):
        if not record:
            continue
        fields = record.split("\0", FIELDS - 1)
        found.append(
            Commit(
                fields[0],
                fields[1],
                tuple(fields[2].split()),
                fields[3],
                fields[4],
                datetime.fromtimestamp(int(fields[5] or 0), timezone.utc),
                fields[6],
                fields[7],
                datetime.fromtimestamp(int(fields[8] or 0), timezone.utc),
                fields[9],
            )
        )
    return found
