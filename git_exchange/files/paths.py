"""Names of files that come from somebody else: which must not be written, and how to show them.

Pure. The checks are those of git's ``verify_path`` with ``core.protectNTFS`` and ``core.protectHFS`` on, on every
system: what a course directory holds may be copied to any.
"""

from __future__ import annotations

import re
import unicodedata

MAX_COMPONENT = 255
MAX_PATH = 4000
MAX_DEPTH = 100
MAX_SHOWN = 300

# Code points that HFS+ ignores when it compares names (git: utf8.c, next_hfs_char).
_HFS_IGNORED = dict.fromkeys([*range(0x200C, 0x2010), *range(0x202A, 0x202F), *range(0x206A, 0x2070), 0xFEFF])
# NTFS: trailing dots and spaces do not count, what follows a colon names a stream, git~1 is the short name of .git.
_NTFS_DOT_GIT = re.compile(r"(?:\.git|git~1)[ .]*(?::.*)?", re.IGNORECASE | re.DOTALL)
_WINDOWS_DEVICE = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])[ ]*(?:[.:].*)?", re.IGNORECASE
)
_WINDOWS_CHARACTERS = frozenset('<>:"|?*')
# Invisible, but part of ordinary emoji and of words in several scripts.
_JOINERS = frozenset("\u200c\u200d")


def problem(path: bytes, *, windows: bool = False) -> str | None:
    """Return why a path out of a git tree must not be written, None if it may be.

    ``path`` is relative, with ``/`` between its components. ``windows`` also flags what only Windows cannot hold.
    """
    try:
        text = path.decode("utf-8")
    except UnicodeDecodeError:
        return "the name is not UTF-8"
    if not text:
        return "the name is empty"
    if text.startswith("/"):
        return "the path is absolute"
    if len(path) > MAX_PATH:
        return f"the path is longer than {MAX_PATH} bytes"
    components = text.split("/")
    if len(components) > MAX_DEPTH:
        return f"the path is more than {MAX_DEPTH} folders deep"
    found = (_component_problem(component, windows) for component in components)
    return next((reason for reason in found if reason is not None), None)


def is_dot_git(component: str) -> bool:
    """Return whether some file system takes the name for ``.git``: other case, NTFS and HFS+ spellings included."""
    return _NTFS_DOT_GIT.fullmatch(component.translate(_HFS_IGNORED)) is not None


def display(path: bytes | str) -> str:
    r"""Return a text of somebody else's for terminals and logs.

    Escaped as ``\x1b`` or ``\u202e``: control characters, line separators, what reorders or hides text, and bytes
    that are not UTF-8.
    """
    text = path if isinstance(path, str) else path.decode("utf-8", "surrogateescape")
    return "".join(_escape(character) if _is_treacherous(character) else character for character in text)


def caseless(path: str) -> str:
    """Return the canonical caseless form (Unicode, D145): equal for names that some file system takes as one."""
    decomposed = unicodedata.normalize("NFD", path).casefold()
    return unicodedata.normalize("NFD", decomposed)


def shortened(path: bytes | str) -> str:
    """Return ``display`` of a path, of a very long one only beginning and end: it has to fit on a line of a log."""
    shown = display(path)
    return shown if len(shown) <= MAX_SHOWN else f"{shown[: MAX_SHOWN // 2]}...{shown[-MAX_SHOWN // 2 :]}"


def _component_problem(component: str, windows: bool) -> str | None:
    reason = None
    if component in ("", ".", ".."):
        reason = "the path has an empty, . or .. component"
    elif "\\" in component:
        reason = "the name holds a backslash"
    elif any(unicodedata.category(character) == "Cc" for character in component):
        reason = "the name holds control characters"
    elif is_dot_git(component):
        reason = "the name is taken for .git, which belongs to git"
    elif len(component.encode("utf-8")) > MAX_COMPONENT:
        reason = f"a name is longer than {MAX_COMPONENT} bytes"
    elif windows:
        reason = _windows_problem(component)
    return reason


def _windows_problem(component: str) -> str | None:
    if _WINDOWS_DEVICE.fullmatch(component):
        return "the name is reserved by Windows"
    if component.endswith((" ", ".")):
        return "Windows drops the dot or space at the end of the name"
    if _WINDOWS_CHARACTERS.intersection(component):
        return "the name holds characters that Windows does not allow"
    return None


def _is_treacherous(character: str) -> bool:
    return character not in _JOINERS and unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")


def _escape(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was not UTF-8, as Python's surrogateescape keeps it
        code -= 0xDC00
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
