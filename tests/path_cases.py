"""Names and modes in a git tree, and what becomes of each: one table for ``files/`` and for the pre-receive hook.

``files/`` judges what is written into a course directory: an entry that it does not take is left out and named, the
rest is written. ``hooks/pre-receive`` judges what a server takes: one such entry, and the whole push is refused. Names
are bytes; a case says of both a word out of the reason, "" where the entry is taken, and why if they do not agree.
"""

from __future__ import annotations

from dataclasses import dataclass

FILE, PROGRAM, LINK, MODULE = b"100644", b"100755", b"120000", b"160000"


@dataclass(frozen=True)
class PathCase:
    """A tree of ``entries`` (mode, path with ``/``), of which the last one is what the case is about.

    ``files`` and ``hook`` are words of their reasons not to take it, "" if they do; ``because`` says why one of them
    takes it and the other does not.
    """

    name: str
    entries: tuple[tuple[bytes, bytes], ...]
    files: str = ""
    hook: str = ""
    because: str = ""

    @property
    def path(self) -> bytes:
        """The path that the case is about."""
        return self.entries[-1][1]


def _taken(*paths: bytes) -> list[PathCase]:
    return [PathCase(f"ordinary: {path[:40]!r}", ((FILE, path),)) for path in paths]


def _refused(kind: str, files: str, hook: str, *paths: bytes) -> list[PathCase]:
    return [PathCase(f"{kind}: {path[:40]!r}, {len(path)}", ((FILE, path),), files, hook) for path in paths]


ORDINARY = _taken(
    b"ps1.ipynb",
    b"data/a b.csv",
    b" ",
    b"a ",
    b".gitignore",
    b".gitattributes",
    b".gitmodules",
    b".github/x",
    b"git",
    b"a.git",
    b".gitx",
    b"git~2",
    b"...",
    b"a..b",
    b"-rf",
    b"--upload-pack=x",
    b"a:b",
    b"*",
    b"con",
    b"NUL.txt",
    b"trailing.",
    "Übung/数学/👩\u200d🔬.txt".encode(),
    "e\u0301".encode(),
    "txt.\u202egnp".encode(),
    b"x" * 255,
    b"/".join([b"d"] * 100),
    b"timestamp.txt",
)
OUTSIDE = [
    *_refused("outside", "..", "..", b"..", b"../a", b"a/../b", b"a/..", b".", b"./a", b"a/."),
    # git itself does not read a tree that holds a name without a letter.
    *_refused("outside", "component", "git could not", b"a//b", b"a/"),
    *_refused("outside", "absolute", "git could not", b"/", b"/etc/passwd"),
    *_refused("outside", "backslash", "backslash", b"a\\b", b"..\\a", b"C:\\a", b"\\\\server\\share"),
    *_refused("empty", "empty", "git could not", b""),
]
TEXT = [
    *_refused(
        "control",
        "control",
        "control",
        b"a\nb",
        b"\n",
        b"a\rb",
        b"\x1b[31mred",
        b"\x1b]0;owned\x07",
        b"a\x7f",
        "a\x85b".encode(),
        "a\x9b31m".encode(),
    ),
    *_refused(
        "bytes",
        "UTF-8",
        "UTF-8",
        b"\xfcbung.txt",
        b"\xff\xfe",
        b"a\xc3",
        b"\xc3",
        b"a\xc0\xafb",
        b"\xc0\xae\xc0\xae",
        b"\xed\xa0\x80",
    ),
    *_refused("long", "255", "255", b"x" * 256, "数".encode() * 86),
    *_refused("long", "4000", "4,000", b"/".join([b"d" * 200] * 20)),
    *_refused("deep", "100 folders", "100 folders", b"/".join([b"d"] * 101), b"/".join([b"d"] * 300)),
]
DOT_GIT_NAMES = (
    ".git",
    ".GIT",
    ".Git",
    ".git ",
    ".git.",
    ".git . .",
    ".git...",
    "git~1",
    "GIT~1",
    "git~1.",
    ".git::$INDEX_ALLOCATION",
    ".git:stream",
    ".git :x",
    "GIT~1::$INDEX_ALLOCATION",
    ".g\u200cit",
    "\u200d.git",
    ".git\ufeff",
    ".g\u206ait",
    ".g\u202eI\u200ft",
)
DOT_GIT = _refused(
    ".git",
    "taken for .git",
    "taken for .git",
    *(name.encode() for name in DOT_GIT_NAMES),
    *(f"{name}/config".encode() for name in DOT_GIT_NAMES),
    b"a/.git/hooks/pre-commit",
    b"a/b/.Git",
)
MODES = [
    PathCase("mode: program", ((PROGRAM, b"run.sh"),)),
    PathCase("mode: group may write", ((b"100664", b"old"),)),
    PathCase(
        "mode: world may write",
        ((b"100666", b"old"),),
        "mode",
        because="an ordinary file to git, which shows it to files/ as 100644: only a raw entry comes to its refusal",
    ),
    PathCase("mode: device", ((b"60000", b"device"),), "mode", "submodule"),
    PathCase("mode: link", ((LINK, b"link"),), "symbolic", "symbolic"),
    PathCase("mode: link in a folder", ((LINK, b"a/b/link"),), "symbolic", "symbolic"),
    PathCase("mode: list of submodules as a link", ((LINK, b".gitmodules"),), "symbolic", "symbolic"),
    PathCase("mode: submodule", ((MODULE, b"module"),), "submodule", "submodule"),
    PathCase("mode: link beside a folder in other case", ((FILE, b"Data/x"), (LINK, b"data")), "sym", "sym"),
]
ALIKE = [
    PathCase("alike: case", ((FILE, b"A.ipynb"), (FILE, b"a.ipynb")), "up to case", "up to case"),
    PathCase("alike: case in a folder", ((FILE, b"Data/x"), (FILE, b"data/X")), "up to case", "up to case"),
    PathCase("alike: sharp s", ((FILE, b"STRASSE"), (FILE, "straße".encode())), "up to case", "up to case"),
    PathCase("alike: form", ((FILE, "e\u0301".encode()), (FILE, "\u00e9".encode())), "up to case", "up to case"),
    PathCase("alike: ångström", ((FILE, "\u00e5".encode()), (FILE, "\u212b".encode())), "up to case", "up to case"),
    PathCase("alike: Kelvin", ((FILE, b"k"), (FILE, "\u212a".encode())), "up to case", "up to case"),
    PathCase("alike: file and folder", ((FILE, b"A"), (FILE, b"a/b")), "folder", "up to case"),
    PathCase("alike: folder and file", ((FILE, b"A/b"), (FILE, b"a")), "folder", "up to case"),
    PathCase("not alike: folders in other case", ((FILE, b"Data/x"), (FILE, b"data/y"))),
    PathCase("not alike: beginnings", ((FILE, b"a"), (FILE, b"ab/c"))),
]

CASES = [*ORDINARY, *OUTSIDE, *TEXT, *DOT_GIT, *MODES, *ALIKE]
# One ordinary file, judged by its name alone.
NAMES = [case for case in CASES if len(case.entries) == 1 and case.entries[0][0] == FILE]
