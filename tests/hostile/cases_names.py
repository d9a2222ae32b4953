"""Hostile names and modes."""

from __future__ import annotations

from tests.hostile.case import CHECKS, Case, keeps, leaves_out
from tests.hostile.plumbing import FILE, FOLDER, LINK, MODULE, NOWHERE, PROGRAM, Bare

_DOT_GIT = {
    "plain": b".git",
    "capitals": b".GIT",
    "mixed case": b".GiT",
    "short name of NTFS": b"git~1",
    "short name of NTFS in capitals": b"GIT~1",
    "space at the end": b".git ",
    "dot at the end": b".git.",
    "spaces and dots at the end": b".git . .",
    "stream of NTFS": b".git::$INDEX_ALLOCATION",
    "ignorable code point inside": ".g\u200cit".encode(),
    "ignorable code point before": "\u200d.git".encode(),
    "byte order mark behind": ".git\ufeff".encode(),
    "marks that reorder": ".g\u202eI\u200ft".encode(),
}


def _shown(name: bytes) -> str:
    return "".join(c if c.isprintable() or c in "\u200c\u200d" else f"\\u{ord(c):04x}" for c in name.decode())


DOT_GIT = [
    leaves_out(f".git: {what}", name + b"/config", f"{_shown(name)}/config", ".git", checks=True)
    for what, name in _DOT_GIT.items()
] + [
    leaves_out(".git: in a folder", b"a/.git/hooks/pre-commit", "a/.git/hooks/pre-commit", ".git", checks=True),
    leaves_out(".git: a file", b".git", ".git", ".git", checks=True),
]


def _raw(name: bytes):  # type: ignore[no-untyped-def]
    def build(bare: Bare) -> str:
        return bare.commit(bare.work((FILE, name, bare.blob())))

    return build


def _folder(name: bytes):  # type: ignore[no-untyped-def]
    def build(bare: Bare) -> str:
        return bare.commit(bare.work((FOLDER, name, bare.tree(bare.file(b"x")))))

    return build


def _entry(name: str, entry: bytes, shown: str, reason: str) -> Case:
    return Case(name, _raw(entry), ((shown, reason),), fails=CHECKS, refused=True)


OUTSIDE = [
    Case("outside: folder ..", _folder(b".."), (("../x", ".."),), fails=CHECKS, refused=True),
    Case("outside: folder .", _folder(b"."), (("./x", "component"),), fails=CHECKS, refused=True),
    _entry("outside: file ..", b"..", "..", "component"),
    _entry("outside: slash in a name", b"../../outside", "../../outside", "component"),
    _entry("outside: absolute", b"/tmp/outside", "/tmp/outside", "absolute"),
    _entry("outside: folder and file in one name", b"a/b/../../../outside", "a/b/../../../outside", "component"),
    Case("outside: empty name", _raw(b""), (("", "empty"),), fails="is damaged on the server", refused=True),
    leaves_out("outside: backslashes", b"..\\..\\outside", "..\\..\\outside", "backslash"),
    leaves_out("outside: drive", b"C:\\outside", "C:\\outside", "backslash"),
    leaves_out("outside: share", b"\\\\server\\share", "\\\\server\\share", "backslash"),
]

TEXT = [
    leaves_out("text: new line", b"a\nb", "a\\x0ab", "control"),
    leaves_out("text: carriage return", b"a\rb", "a\\x0db", "control"),
    leaves_out("text: colours of a terminal", b"\x1b[31mred", "\\x1b[31mred", "control"),
    leaves_out("text: title of a terminal", b"\x1b]0;owned\x07", "\\x1b]0;owned\\x07", "control"),
    leaves_out("text: delete", b"a\x7f", "a\\x7f", "control"),
    leaves_out("text: second control set", "a\x9b31m".encode(), "a\\x9b31m", "control"),
    leaves_out("text: latin-1", b"\xfcbung.txt", "\\xfcbung.txt", "UTF-8"),
    leaves_out("text: no text at all", b"\xff\xfe\x00".rstrip(b"\0"), "\\xff\\xfe", "UTF-8"),
    leaves_out("text: overlong slash", b"a\xc0\xafb", "a\\xc0\\xafb", "UTF-8"),
    leaves_out("text: overlong dots", b"\xc0\xae\xc0\xae", "\\xc0\\xae\\xc0\\xae", "UTF-8"),
    leaves_out("text: half of a pair", b"\xed\xa0\x80", "\\xed\\xa0\\x80", "UTF-8"),
    leaves_out("text: cut off", b"a\xc3", "a\\xc3", "UTF-8"),
    leaves_out("text: longer than any file system takes", b"x" * 256, "x" * 256, "255"),
    leaves_out("text: long path", b"/".join([b"d" * 220] * 19), "d" * 100, "4000"),
    leaves_out("text: 101 folders deep", b"/".join([b"d"] * 101), "d/d/d", "100 folders"),
    leaves_out("text: 1500 folders deep", b"/".join([b"d"] * 1500), "d/d/d", "100 folders"),
    keeps("text: reversed ending", "txt.\u202egnp".encode()),
    keeps("text: markup", b"<script>alert(1)</script>".replace(b"/", b"_"), b"[red]bold[", b"%s%n"),
    keeps("text: an option", b"-rf", b"--upload-pack=x"),
    keeps("text: a glob", b"*", b"?", b"[a]"),
    keeps("text: devices of Windows", b"con", b"NUL.txt", b"aux "),
    keeps("text: stream of Windows", b"p1.ipynb:stream"),
    keeps("text: dot at the end", b"p1.ipynb."),
]

MODES = [
    leaves_out("mode: link to the passwords", b"link", "link", "symbolic", mode=LINK),
    keeps("mode: world may write", b"666", mode=b"100666"),
    keeps("mode: nobody may read", b"600", mode=b"100600"),
    keeps("mode: setuid", b"suid", mode=b"104755"),
    leaves_out("mode: device", b"device", "device", "submodule", mode=b"60000"),
    leaves_out("mode: odd link", b"oddlink", "oddlink", "symbolic", mode=b"120777"),
    keeps("mode: program", b"run.sh", mode=PROGRAM),
    keeps("mode: group may write", b"old", mode=b"100664"),
    Case(
        "mode: zero in front",
        lambda b: b.commit(b.work(b.file(b"zero", mode=b"0100644"))),
        kept=("zero",),
        refused=True,
    ),
]


def _module(bare: Bare) -> str:
    return bare.commit(bare.work((MODULE, b"module", NOWHERE)))


def _link_above(bare: Bare) -> str:
    """A link and, under its name with other case, a folder: on some file systems the file would go through the link."""
    return bare.commit(bare.work((LINK, b"data", bare.blob(b"/tmp")), (FOLDER, b"Data", bare.tree(bare.file(b"x")))))


def _link_and_folder(bare: Bare) -> str:
    return bare.commit(bare.work((LINK, b"data", bare.blob(b"/tmp")), (FOLDER, b"data", bare.tree(bare.file(b"x")))))


def _module_with_link(bare: Bare) -> str:
    return bare.commit(bare.work((MODULE, b"m", NOWHERE), (LINK, b".gitmodules", bare.blob(b"/etc/passwd"))))


MODES += [
    Case("mode: submodule", _module, (("module", "submodule"),)),
    Case("mode: link and folder in other case", _link_above, (("data", "symbolic"),), kept=("Data/x",)),
    Case("mode: link and folder", _link_and_folder, (("data", "symbolic"),), ("data/x",), CHECKS, refused=True),
    Case(
        "mode: list of submodules as a link",
        _module_with_link,
        ((".gitmodules", "symbolic"), ("m", "submodule")),
        fails=CHECKS,
        refused=True,
    ),
]


def _pair(one: bytes, other: bytes):  # type: ignore[no-untyped-def]
    def build(bare: Bare) -> str:
        return bare.commit(bare.work(bare.file(one), bare.file(other)))

    return build


SAME = [
    leaves_out("same: a released name in other case", b"P1.ipynb", "P1.ipynb", "up to case"),
    Case(
        "same: two Unicode forms",
        _pair("u\u0308".encode(), "\u00fc".encode()),
        (("\u00fc", "up to case"),),
        ("u\u0308",),
    ),
    Case("same: sharp s", _pair(b"STRASSE", "stra\u00dfe".encode()), (("stra\u00dfe", "up to case"),), ("STRASSE",)),
    Case("same: Kelvin", _pair(b"k", "\u212a".encode()), (("\u212a", "up to case"),), ("k",)),
    Case("same: file and folder", _pair(b"A", b"a/b"), (("a/b", "folder"),), ("A",)),
    keeps("same: folders in other case", b"Data/x", b"data/y"),
]

OURS = [
    Case(
        f"ours: {name.decode()}",
        lambda bare, name=name: bare.commit(bare.work(bare.file(name, b"2000-01-01 00:00:00 UTC"))),
    )
    for name in (
        b"timestamp.txt",
        b"TIMESTAMP.txt",
        b"submission_secret.txt",
        b".git-exchange-attempt",
        b"timestamp.txt/x",
    )
] + [keeps("ours: work area", b".git-exchange/journal/x.json", data=b'{"target": "../../..", "aside": "x"}')]

CASES = [*DOT_GIT, *OUTSIDE, *TEXT, *MODES, *SAME, *OURS]
