"""Hostile contents, sizes and objects that do not fit together."""

from __future__ import annotations

import hashlib
import struct
import zlib

from tests.hostile.case import CHECKS, Build, Case, fails, keeps
from tests.hostile.plumbing import FILE, FOLDER, LINK, NOWHERE, WHO, Bare

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12345\n"


def _attributes(text: bytes, content: bytes) -> Build:
    def build(bare: Bare) -> str:
        return bare.commit(bare.work(bare.file(b".gitattributes", text), bare.file(b"f.txt", content)))

    return build


def _changed(name: str, text: bytes, content: bytes) -> Case:
    return Case(f"attributes: {name}", _attributes(text, content), kept=(".gitattributes", "f.txt"))


ATTRIBUTES = [
    _changed("filter", b"* filter=evil\n", b"as it is\n"),
    _changed("ident", b"* ident\n", b"$Id$\n"),
    _changed("export-subst", b"* export-subst\n", b"$Format:%an$\n"),
    _changed("export-ignore", b"* export-ignore\n", b"not ignored\n"),
    _changed("line ends", b"* text eol=crlf\n", b"one\ntwo\n"),
    _changed("encoding", b"* text working-tree-encoding=UTF-16\n", b"one\n"),
    _changed("LFS", b"* filter=lfs diff=lfs merge=lfs -text\n", b"data\n"),
    keeps("attributes: LFS of another server", b".lfsconfig", data=b"[lfs]\n\turl = https://evil.example\n"),
    keeps("attributes: other people's names", b".mailmap", data=b"Teacher <t@x> Mallory <mallory@example.invalid>\n"),
    keeps("attributes: what git ignores", b".gitignore", data=b"*\n"),
    keeps("attributes: a repository in the work", b"HEAD", b"config", b"objects/x", b"refs/heads/x"),
    Case(
        "attributes: submodule that runs a program",
        lambda bare: bare.commit(
            bare.work(bare.file(b".gitmodules", b'[submodule "x"]\n\tpath = x\n\turl = -u./payload\n'))
        ),
        kept=(".gitmodules",),
        fails=CHECKS,
        refused=True,
    ),
    Case(
        "attributes: submodule with a name that leads out",
        lambda bare: bare.commit(
            bare.work(bare.file(b".gitmodules", b'[submodule "../../x"]\n\tpath = x\n\turl = https://x.example/x\n'))
        ),
        kept=(".gitmodules",),
        fails=CHECKS,
        refused=True,
    ),
    Case(
        "attributes: a link",
        lambda bare: bare.commit(bare.work((LINK, b".gitattributes", bare.blob(b"/etc/passwd")))),
        ((".gitattributes", "symbolic"),),
    ),
    fails(
        "LFS: pointer in place of a notebook",
        lambda bare: bare.commit(bare.tree(bare.file(b"p1.ipynb", LFS))),
        "Git LFS pointer",
    ),
    fails(
        "LFS: pointer of an old version",
        lambda bare: bare.commit(bare.tree(bare.file(b"p1.ipynb", LFS.replace(b"git-lfs", b"hawser")))),
        "Git LFS pointer",
    ),
    keeps("LFS: pointer in place of data", b"data.bin", data=LFS),
]


def _big_file(bare: Bare) -> str:
    return bare.commit(bare.work((FILE, b"big.bin", bare.zeros(101))))


def _big_file_of_a_gigabyte(bare: Bare) -> str:
    return bare.commit(bare.work((FILE, b"bomb.bin", bare.zeros(1_000))))


def _big_together(bare: Bare) -> str:
    part = bare.zeros(60)
    return bare.commit(bare.work((FILE, b"one.bin", part), (FILE, b"two.bin", part)))


def _removed_again(bare: Bare) -> str:
    first = bare.commit(bare.work((FILE, b"big.bin", bare.zeros(300))))
    return bare.commit(bare.work(), first)


def _many(count: int) -> Build:
    def build(bare: Bare) -> str:
        blob = bare.blob()
        return bare.commit(bare.work(*((FILE, b"f%06d" % number, blob) for number in range(count))))

    return build


def _links(count: int) -> Build:
    def build(bare: Bare) -> str:
        blob = bare.blob(b"/etc/passwd")
        return bare.commit(bare.work(*((LINK, b"l%06d" % number, blob) for number in range(count))))

    return build


def _unfolding(bare: Bare) -> str:
    """Ten trees that unfold into ten thousand million files."""
    tree = bare.tree(*((FILE, b"f%d" % number, bare.blob()) for number in range(10)))
    for _ in range(9):
        tree = bare.tree(*((FOLDER, b"d%d" % number, tree) for number in range(10)))
    return bare.commit(bare.work((FOLDER, b"deep", tree)))


def _abyss(bare: Bare) -> str:
    tree = bare.tree(bare.file(b"x"))
    for _ in range(5_000):
        tree = bare.tree((FOLDER, b"d", tree))
    return bare.commit(bare.work((FOLDER, b"d", tree)))


def _expanding(bare: Bare) -> str:
    """A pack of some kilobytes in which a delta makes 700 MB, which git would hold in memory as a whole."""
    base, copies = bytes(14_000_000), 50
    size = len(base) * copies
    digest = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    for _ in range(copies):
        digest.update(base)
    copy = bytes([0x80 | 0x70]) + struct.pack("<I", len(base))[:3]
    delta = _varint(len(base)) + _varint(size) + copy * copies
    base_id = hashlib.sha1(b"blob %d\0" % len(base) + base, usedforsecurity=False).digest()
    whole = _header(3, len(base)) + zlib.compress(base)
    made = _header(7, len(delta)) + base_id + zlib.compress(delta)
    start = b"PACK" + struct.pack(">II", 2, 2)
    body = start + whole + made
    checksum = hashlib.sha1(body, usedforsecurity=False).digest()
    entries = sorted([(base_id, whole, len(start)), (digest.digest(), made, len(start + whole))])
    index = b"\xfftOc" + struct.pack(">I", 2)
    index += b"".join(struct.pack(">I", sum(oid[0] <= first for oid, _, _ in entries)) for first in range(256))
    index += b"".join(oid for oid, _, _ in entries)
    index += b"".join(struct.pack(">I", zlib.crc32(packed)) for _, packed, _ in entries)
    index += b"".join(struct.pack(">I", offset) for _, _, offset in entries) + checksum
    place = bare.folder / "objects" / "pack" / f"pack-{checksum.hex()}"
    place.with_suffix(".pack").write_bytes(body + checksum)
    place.with_suffix(".idx").write_bytes(index + hashlib.sha1(index, usedforsecurity=False).digest())
    return bare.commit(bare.work((FILE, b"bomb.bin", digest.hexdigest())))


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def _header(kind: int, size: int) -> bytes:
    first, size = kind << 4 | size & 0xF, size >> 4
    return bytes([first | 0x80]) + _varint(size) if size else bytes([first])


SIZES = [
    Case("size: one file", _big_file, (("big.bin", "101000000 bytes"),)),
    Case("size: a gigabyte in a megabyte", _big_file_of_a_gigabyte, (("bomb.bin", "1000000000 bytes"),)),
    fails("size: together", _big_together, "120000004 bytes together"),
    Case("size: added and removed again", _removed_again),
    fails("size: 10,001 files", _many(10_000), "more than 10000 files"),
    fails("size: 100,000 files", _many(100_000), "more than 10000 files"),
    Case("size: 9,000 links", _links(9_000), (("l000000", "symbolic"), ("8990 more", ""))),
    fails("size: trees that unfold", _unfolding, "more output than makes sense"),
    Case("size: 5,000 folders deep", _abyss, (("d/d/d", "longer than 4000"),)),
    Case("size: a delta that expands", _expanding, (("bomb.bin", "700000000 bytes"),)),
]


def _literal(data: bytes) -> Build:
    return lambda bare: bare.write(b"commit", data.replace(b"TREE", bare.work().encode()))


def _of(message: bytes = b"Hand in\n", **lines: bytes) -> Build:
    return lambda bare: bare.commit(bare.work(), message=message, **lines)


def _unordered(bare: Bare) -> str:
    return bare.commit(bare.work(bare.file(b"a"), ordered=False))


def _twice(bare: Bare) -> str:
    return bare.commit(bare.work((FILE, b"p1.ipynb", bare.blob(b"another"))))


def _crowd(bare: Bare) -> str:
    parents = [bare.commit(bare.work(), message=b"%d\n" % number) for number in range(400)]
    return bare.commit(bare.work(), *parents)


def _many_commits(bare: Bare) -> str:
    tree, last = bare.work(), ()
    for number in range(5_001):
        last = (bare.commit(tree, *last, message=b"%d\n" % number),)
    return last[0]


def _long_messages(bare: Bare) -> str:
    tree, last = bare.work(), ()
    for number in range(12):
        last = (bare.commit(tree, *last, message=b"%d\n" % number + b"\xffx" * 5_000_000),)
    return last[0]


def _tag(bare: Bare) -> str:
    commit = bare.commit(bare.work())
    return bare.write(b"tag", b"object %s\ntype commit\ntag x\ntagger %s\n\nx\n" % (commit.encode(), WHO))


OBJECTS = [
    fails("objects: tree out of order", _unordered, CHECKS, refused=True),
    fails("objects: a name twice", _twice, CHECKS, refused=True),
    fails(
        "objects: tree cut off",
        lambda b: b.commit(b.write(b"tree", b"100644 a\0short")),
        "is damaged on the server",
        refused=True,
    ),
    fails(
        "objects: tree of nonsense",
        lambda b: b.commit(b.write(b"tree", b"\xff" * 100)),
        "is damaged on the server",
        refused=True,
    ),
    fails(
        "objects: mode of letters",
        lambda b: b.commit(b.work((b"abc", b"x", b.blob()))),
        "is damaged on the server",
        refused=True,
    ),
    fails(
        "objects: file without content",
        lambda b: b.commit(b.work((FILE, b"x", NOWHERE))),
        "is damaged on the server",
        refused=True,
    ),
    fails(
        "objects: id of zeros",
        lambda b: b.commit(b.work((FILE, b"x", "0" * 40))),
        "is damaged on the server",
        refused=True,
    ),
    fails(
        "objects: folder is missing",
        lambda b: b.commit(b.work((FOLDER, b"x", NOWHERE))),
        "is damaged on the server",
        refused=True,
    ),
    fails(
        "objects: a file as a folder",
        lambda b: b.commit(b.work((FOLDER, b"x", b.blob()))),
        "is damaged on the server",
        refused=True,
    ),
    fails(
        "objects: a folder as a file",
        lambda b: b.commit(b.work((FILE, b"x", b.tree(b.file(b"y"))))),
        "do not fit together",
        refused=True,
    ),
    fails(
        "objects: a commit as a file",
        lambda b: b.commit(b.work((FILE, b"x", b.commit(b.work())))),
        "do not fit together",
        refused=True,
    ),
    fails("objects: tree is missing", lambda b: b.commit(NOWHERE), "is damaged on the server", refused=True),
    fails("objects: tree is a file", lambda b: b.commit(b.blob()), "is damaged on the server", refused=True),
    fails(
        "objects: parent is missing", lambda b: b.commit(b.work(), NOWHERE), "is damaged on the server", refused=True
    ),
    fails(
        "objects: parent is a file", lambda b: b.commit(b.work(), b.blob()), "is damaged on the server", refused=True
    ),
    Case("objects: the branch is a file", lambda b: b.blob(), kept=None, refused=True, branch=False),
    Case("objects: the branch is a folder", lambda b: b.work(), kept=None, refused=True, branch=False),
    Case("objects: the branch is a tag", _tag, kept=None, refused=True, branch=False),
    fails(
        "objects: commit without a tree",
        _literal(b"author %s\ncommitter %s\n\nx\n" % (WHO, WHO)),
        "refuses",
        refused=True,
    ),
    fails("objects: commit without people", _literal(b"tree TREE\n\nx\n"), CHECKS, refused=True),
    fails("objects: empty commit", _literal(b""), "refuses", refused=True),
    fails("objects: commit of nonsense", _literal(b"\xff\0\xff"), "refuses", refused=True),
]

COMMITS = [
    Case("commit: 400 parents", _crowd),
    fails("commit: 5,001 of them", _many_commits, "more than 5000 commits"),
    Case("commit: message of 10 MB", _of(b"x" * 10_000_000)),
    Case("commit: 120 MB of messages that are no text", _long_messages),
    Case("commit: nothing said", _of(b"")),
    Case("commit: colours in the message", _of(b"\x1b[31mred\x1b]0;owned\x07\n\nAttempt: \x1b[31m\n")),
    Case("commit: no text", _of(b"\xff\xfe\n")),
    Case(
        "commit: trailers of others",
        _of(
            b"x\n\nStudent: honest-a\nAssignment: ps2\nDue-Date: 2999-01-01T00:00:00Z\nWithdrawn: yes\n"
            b"Empty-Directory: ../../outside\nSubmitted: 2000-01-01T00:00:00Z\nFeedback-For: " + b"0" * 40 + b"\n"
        ),
    ),
    Case("commit: 100,000 trailers", _of(b"x\n\n" + b"Attempt: 1\n" * 100_000)),
    Case("commit: zone that does not exist", _of(author=b"M <m@x> 1767225600 +9999999"), refused=True),
    Case("commit: encoding that does not exist", _of(extra=b"encoding x-nonsense\n")),
    Case("commit: encoding with markup", _of(extra=b"encoding \x1b[31m\n")),
    Case(
        "commit: a false signature",
        _of(extra=b"gpgsig -----BEGIN PGP SIGNATURE-----\n x\n -----END PGP SIGNATURE-----\n"),
    ),
    Case("commit: a million bytes of header", _of(extra=b"x " + b"y" * 1_000_000 + b"\n")),
    Case("commit: dated 1970", _of(author=b"M <m@x> 0 +0000", committer=b"M <m@x> 0 +0000")),
    Case("commit: dated 2200", _of(author=b"M <m@x> 7258118400 +0000", committer=b"M <m@x> 7258118400 +0000")),
    Case("commit: somebody else's name", _of(author=b"Teacher <teacher@example.invalid> 1 +0000")),
    Case("commit: NUL in the message", _of(b"a\0b\n"), fails=CHECKS, refused=True),
    Case(
        "commit: date beyond all calendars",
        _of(author=b"M <m@x> 99999999999999999999 +0000"),
        fails=CHECKS,
        refused=True,
    ),
    Case("commit: date before 1970", _of(author=b"M <m@x> -1 +0000"), fails=CHECKS, refused=True),
    Case("commit: no date", _of(author=b"M <m@x>"), refused=True),
    Case("commit: no address", _of(author=b"M 1 +0000"), fails=CHECKS, refused=True),
    Case("commit: address in an address", _of(author=b"M <<m@x> 1 +0000"), fails=CHECKS, refused=True),
    Case("commit: two authors", _of(extra=b"author M <m@x> 1 +0000\n")),
]

CASES = [*ATTRIBUTES, *SIZES, *OBJECTS, *COMMITS]
