"""Joint names: a group's path as the name of one organisation, as organisations cannot lie in each other. Pure.

``teaching/2026/cs101`` is the organisation ``teaching.2026.cs101``. A component that is not
``[a-z0-9]+([-_][a-z0-9]+)*`` (a dot, a capital letter), or that starts like an escape, is written ``z-x`` and its UTF-8
bytes, everything but ``[a-z0-9]`` as ``_hh``; a whole path that would be over the 40 characters of a Gitea name is
``z-h`` and 36 digits of its SHA-256. So different paths have different names, also without regard to case, and every
name is one that Gitea takes (modules/validation/helpers.go, models/user/user.go).

This is the format of what lies on servers: it may never change for existing courses.
"""

from __future__ import annotations

import hashlib
import re

from git_exchange.errors import NotFound
from git_exchange.rules import layout, trailers

MAX_NAME = 40

_AS_IS = re.compile(r"(?!z-)[a-z0-9]+(?:[-_][a-z0-9]+)*")
_ESCAPED = re.compile(r"z-x((?:[a-z0-9]|_[0-9a-f]{2})+)")
_TOKEN = re.compile(r"_([0-9a-f]{2})|([a-z0-9])")
_HASHED = re.compile(r"z-h[0-9a-f]{36}")
_KEPT = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789")
# As the last component these would be a file of the user, as the whole name a page of the forge.
_ENDINGS = frozenset({"keys", "gpg", "rss", "atom", "png", "git", "wiki"})
_RESERVED = frozenset(
    """
    admin api assets attachments avatar avatars captcha commits debug devtest error explore favicon.ico
    forgejo-actions ghost gitea-actions install issues login manifest.json metrics milestones new notifications
    openapi3.v1.json org pulls raw repo repo-avatars robots.txt search serviceworker.js sitemap.xml ssh_info stars
    swagger.v1.json template user v2
    """.split()  # noqa: SIM905 - a hundred quotes would hide the words
)


def organisation(path: str) -> str:
    """Return the name of the organisation for a group's full path. Raise ValueError for empty components."""
    parts = path.split("/")
    if not all(parts):
        raise ValueError(f"not the path of a group: {path!r}")
    written = [part if _AS_IS.fullmatch(part) else _escape(part) for part in parts]
    if written[-1] in _ENDINGS:
        written[-1] = _escape(parts[-1])
    if ".".join(written) in _RESERVED:
        written[0] = _escape(parts[0])
    name = ".".join(written)
    return name if len(name) <= MAX_NAME else f"z-h{hashlib.sha256(path.encode()).hexdigest()[:36]}"


class Names:
    """The names as one adapter needs them: it remembers hashed ones that it was asked for, and foreign ones it saw."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self._asked: dict[str, str] = {}
        self._foreign: set[str] = set()

    def organisation(self, path: str) -> str:
        """Return the organisation's name for a path. Raise NotFound if there can be no such group."""
        if path in self._foreign:
            return path
        try:
            name = organisation(path)
        except ValueError as error:
            raise NotFound(f"There is no group {path!r}.") from error
        if _HASHED.fullmatch(name):
            self._asked[name] = path
        return name

    def path(self, name: str, description: str) -> str:
        """Return the group's full path for the name of an organisation or user."""
        path = self._asked.get(name.lower()) or path_in(name, description, self._namespace)
        if path == name and organisation(path) != name:
            self._foreign.add(name)
        return path

    def is_namespace(self, path: str) -> bool:
        """Return whether the path only holds courses: the namespace itself, or what that lies in."""
        return f"{self._namespace}/".startswith(f"{path}/")


def path_in(name: str, description: str = "", namespace: str = "") -> str:
    """Return the group's full path for the name of an organisation or user.

    A hashed name is found out from the course's id in the organisation's ``description``, below ``namespace``, and only
    if exactly this name is made of it. A name that is none of ours is its own path.
    """
    name = name.lower() if _is_ours(name.lower()) else name
    if _HASHED.fullmatch(name):
        return next((path for path in _claimed(description, namespace) if organisation(path) == name), name)
    return _decoded(name) or name


def _is_ours(name: str) -> bool:
    return _HASHED.fullmatch(name) is not None or _decoded(name) is not None


def _decoded(name: str) -> str | None:
    try:
        path = "/".join(_component(part) for part in name.split("."))
        return path if organisation(path) == name else None
    except ValueError:  # also bytes that are not UTF-8
        return None


def _component(part: str) -> str:
    found = _ESCAPED.fullmatch(part)
    if found is None:
        return part
    tokens = _TOKEN.findall(found.group(1))
    return bytes(int(code, 16) if code else ord(kept) for code, kept in tokens).decode()


def _escape(part: str) -> str:
    """Return the escaped form; its first byte is escaped where nothing else would be."""
    data = part.encode()
    first_too = all(byte in _KEPT for byte in data)
    return "z-x" + "".join(
        chr(byte) if byte in _KEPT and not (first_too and index == 0) else f"_{byte:02x}"
        for index, byte in enumerate(data)
    )


def _claimed(description: str, namespace: str) -> list[str]:
    prefix = f"{trailers.COURSE}: "
    lines = (line.strip(" \t\r") for line in description.split("\n"))
    ids = [trailers.unquote(line[len(prefix) :]) for line in lines if line.startswith(prefix)]
    return [layout.group_path(namespace, course_id) for course_id in ids if namespace and _is_an_id(course_id)]


def _is_an_id(claim: str) -> bool:
    try:
        return bool(layout.course_slug(claim))
    except ValueError:
        return False
