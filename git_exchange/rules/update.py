"""What a newer release does to a folder that a student works in. Pure: contents are the ids of their git blobs.

Nothing is merged. A file that is as some release had it is not the student's work and gives way; any other stays.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Literal

from git_exchange.rules import times

Action = Literal["add", "replace", "beside", "left"]
Files = Mapping[str, str]
# What stands in ``here`` for something that is no ordinary file: it has no content that a release could have had.
NO_FILE = ""
_BESIDE = re.compile(r"(?P<stem>.+)\.release-\d{8}-\d{6}(?P<suffix>\.[^.]*)?", re.DOTALL | re.ASCII)


@dataclass(frozen=True)
class Step:
    """What becomes of one path.

    "add": it is new; "replace": untouched, and changed by the release; "beside": changed by both; "left": untouched,
    and no longer part of the release.
    """

    path: str
    action: Action


def plan(here: Files, versions: Sequence[Files], base: int | None) -> tuple[Step, ...]:
    """Return what to do with a folder, by path.

    ``here`` maps paths to contents; ``versions`` are the releases, newest first; ``base`` is the one that the folder
    was made or last updated from, None if that is not known.
    """
    if base == 0:
        return ()
    paths = sorted(frozenset().union(*versions))
    steps = ((path, _action(path, here.get(path), versions, base)) for path in paths)
    return tuple(Step(path, action) for path, action in steps if action is not None)


def _action(path: str, content: str | None, versions: Sequence[Files], base: int | None) -> Action | None:
    new = versions[0].get(path)
    old = {version[path] for version in versions[1:] if path in version}
    before = {versions[base].get(path)} if base is not None else old
    if new is None:
        return "left" if content in old else None
    if content is None:
        # What the student was given and removed stays away; what was not there yet comes.
        return None if before - {None} else "add"
    if content == new:
        return None
    if content in old:
        return "replace"
    return None if before == {new} else "beside"


def beside(path: str, released: datetime) -> str:
    """Return the name under which a newer release of a file is put beside it: "p1.release-20261121-180000.ipynb"."""
    known = PurePosixPath(path)
    return str(known.with_name(f"{known.stem}.release-{times.utc(released):%Y%m%d-%H%M%S}{known.suffix}"))


def original(path: str) -> str | None:
    """Return the path of the file that this one is a newer release of, None if it is a file like any other."""
    folder, _, name = path.rpartition("/")
    found = _BESIDE.fullmatch(name)
    if found is None:
        return None
    own = f"{found['stem']}{found['suffix'] or ''}"
    return f"{folder}/{own}" if folder else own
