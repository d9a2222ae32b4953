"""Git objects as no git would make them, written straight into the files of a bare repository.

Only zlib and hashes: ``git hash-object --literally`` would do the same, a process for each object.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Iterable
from pathlib import Path

FILE, PROGRAM, LINK, MODULE, FOLDER = b"100644", b"100755", b"120000", b"160000", b"40000"
WHO = b"Mallory <mallory@example.invalid> 1767225600 +0000"
NOWHERE = "1" * 40

Entry = tuple[bytes, bytes, str]


class Bare:
    """A bare repository in ``folder``; every method returns the id of what it wrote."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for part in ("objects/pack", "refs/heads"):
            (folder / part).mkdir(parents=True)
        (folder / "HEAD").write_text("ref: refs/heads/main\n")
        (folder / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = true\n")

    def write(self, kind: bytes, data: bytes, *, level: int = 1) -> str:
        """Write any object, well formed or not."""
        return self.write_large(kind, len(data), [data], level=level)

    def write_large(self, kind: bytes, size: int, chunks: Iterable[bytes], *, level: int = 1) -> str:
        header = b"%s %d\0" % (kind, size)
        digest, packer = hashlib.sha1(header, usedforsecurity=False), zlib.compressobj(level)
        beside = self.folder / "objects" / "new"
        with beside.open("wb") as file:
            file.write(packer.compress(header))
            for chunk in chunks:
                digest.update(chunk)
                file.write(packer.compress(chunk))
            file.write(packer.flush())
        oid = digest.hexdigest()
        place = self.folder / "objects" / oid[:2] / oid[2:]
        place.parent.mkdir(exist_ok=True)
        beside.replace(place)
        return oid

    def blob(self, data: bytes = b"hostile\n") -> str:
        return self.write(b"blob", data)

    def zeros(self, megabytes: int) -> str:
        """Return a blob that takes a thousandth of its size."""
        million = bytes(1_000_000)
        return self.write_large(b"blob", megabytes * 1_000_000, (million for _ in range(megabytes)))

    def tree(self, *entries: Entry, ordered: bool = True) -> str:
        """Return a tree of (mode, name, id), in git's order or as given."""
        if ordered:
            entries = tuple(sorted(entries, key=lambda entry: entry[1] + b"/" * (entry[0] == FOLDER)))
        return self.write(b"tree", b"".join(b"%s %s\0%s" % (m, n, bytes.fromhex(o)) for m, n, o in entries))

    def commit(
        self,
        tree: str,
        *parents: str,
        message: bytes = b"Hand in\n",
        author: bytes = WHO,
        committer: bytes = WHO,
        extra: bytes = b"",
    ) -> str:
        lines = [b"tree " + tree.encode(), *(b"parent " + parent.encode() for parent in parents)]
        lines += [b"author " + author, b"committer " + committer]
        return self.write(b"commit", b"\n".join(lines) + b"\n" + extra + b"\n" + message)

    def work(self, *entries: Entry, ordered: bool = True) -> str:
        """Return a tree of the student's notebook and what else is given."""
        return self.tree((FILE, b"p1.ipynb", self.blob(b"mine")), *entries, ordered=ordered)

    def file(self, path: bytes, data: bytes = b"hostile\n", mode: bytes = FILE) -> Entry:
        """Return the entry of a file in folders, to be put into a tree."""
        *folders, name = path.split(b"/")
        entry: Entry = (mode, name, self.blob(data))
        for folder in reversed(folders):
            entry = (FOLDER, folder, self.tree(entry))
        return entry

    def copy_into(self, other: Path) -> None:
        """Put every object into another repository, as only somebody with access to the server's disk could."""
        for source in (self.folder / "objects").glob("??/*"):
            target = other / "objects" / source.parent.name / source.name
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.exists():
                os.link(source, target)
