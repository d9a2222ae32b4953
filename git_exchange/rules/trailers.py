"""Commit trailers: what a commit says about itself to machines, in the last paragraph of its message.

Knows the keys and how any text fits on one line; does not know who may be believed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

ASSIGNMENT = "Assignment"
COURSE = "Course"
STUDENT = "Student"
DUE_DATE = "Due-Date"
DUE_DATE_WAS = "Due-Date-Was"
ATTEMPT = "Attempt"
SUBMISSION = "Submission"
SUBMITTED_BY = "Submitted-By"
FEEDBACK_FOR = "Feedback-For"
SUBMITTED = "Submitted"
NOTEBOOK = "Notebook"
EMPTY_DIRECTORY = "Empty-Directory"
WITHDRAWN = "Withdrawn"
PURGED = "Purged"
COPIED_FROM = "Copied-From"
RELEASE_AT = "Release-At"
SCHEDULE = "Schedule"
SCHEDULED_BY = "Scheduled-By"
SCHEDULE_ENDED = "Schedule-Ended"
REPLACES = "Replaces"
FORCE = "Force"
FAILED = "Failed"
STUDENTS = "Students"
TOOL = "Git-Exchange"

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")
_LINE = re.compile(r"(?P<key>[A-Za-z0-9][A-Za-z0-9-]*):[ \t]*(?P<value>.*)", re.DOTALL)
_ESCAPES = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
# They reorder what a person reads on the forge's pages.
_BIDIRECTIONAL = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True)
class Trailers:
    """The trailers of a message in their order, values already unquoted. Keys are compared without case."""

    pairs: tuple[tuple[str, str], ...] = ()

    def first(self, key: str) -> str | None:
        """Return the first value of the key, None if it does not occur."""
        return next(iter(self.all(key)), None)

    def all(self, key: str) -> tuple[str, ...]:
        """Return every value of the key."""
        wanted = key.lower()
        return tuple(value for found, value in self.pairs if found.lower() == wanted)


def quote(value: str) -> str:
    """Return the value on one line: control characters, line separators, ``%`` and outer spaces percent-encoded.

    Raise ValueError for lone surrogates, which no commit message can hold.
    """
    inner = value.strip()
    start = value.find(inner)
    end = start + len(inner)
    quoted = (
        _escape(character) if _must_escape(character) or not start <= index < end else character
        for index, character in enumerate(value)
    )
    result = "".join(quoted)
    result.encode("utf-8")
    return result


def unquote(value: str) -> str:
    """Return what ``quote`` was given. Never raises: what is no valid escape stays as it is."""
    return _ESCAPES.sub(_unescape, value)


def message(subject: str, trailers: Iterable[tuple[str, str]], body: str = "") -> str:
    """Return a commit message: subject line, body if any, and the trailers as the last paragraph.

    Raise ValueError for an empty subject or a key that is none.
    """
    line = "".join(" " if _breaks_line(character) else character for character in subject).strip()
    if not line:
        raise ValueError("a commit message needs a subject")
    pairs = list(trailers)
    for key, _ in pairs:
        if _KEY.fullmatch(key) is None:
            raise ValueError(f"not the key of a trailer: {key!r}")
    paragraphs = [line, body.strip(), "\n".join(f"{key}: {quote(value)}".rstrip(" ") for key, value in pairs)]
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph) + "\n"


def parse(message: str) -> Trailers:
    """Return the trailers of a message. Never raises: a malformed message has none.

    Only the last paragraph counts, only if it is not the subject's, and only if every line of it is a trailer.
    """
    # Not splitlines(): that also splits at characters which a value may hold.
    lines = [line.rstrip("\r") for line in message.split("\n")]
    while lines and not lines[-1].strip():
        lines.pop()
    last: list[str] = []
    while lines and lines[-1].strip():
        last.append(lines.pop())
    if not any(line.strip() for line in lines):
        return Trailers()
    found = [_LINE.fullmatch(line) for line in reversed(last)]
    pairs = tuple((match["key"], unquote(match["value"].strip(" \t"))) for match in found if match is not None)
    return Trailers(pairs) if len(pairs) == len(found) else Trailers()


def _breaks_line(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Zl", "Zp")


def _must_escape(character: str) -> bool:
    return character == "%" or character in _BIDIRECTIONAL or _breaks_line(character)


def _escape(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8"))


def _unescape(found: re.Match[str]) -> str:
    try:
        return bytes.fromhex(found[0].replace("%", "")).decode("utf-8")
    except UnicodeDecodeError:
        return found[0]
