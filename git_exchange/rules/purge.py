"""The staff's record of what was purged: which commits and files must be gone, as JSON lines. No I/O."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from git_exchange.rules import times

PATH = "purged.jsonl"
_VERSION = 1
_OID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True)
class Purge:
    """One purge of one branch: object ids of the ``commits`` and ``files`` that it was meant to make unreachable.

    ``ref`` is full, ``by`` a user name of the forge, ``at`` aware.
    """

    project_id: int
    ref: str
    commits: tuple[str, ...]
    files: tuple[str, ...]
    at: datetime
    by: str
    reason: str


def dump(purges: Iterable[Purge]) -> str:
    """Return the purges as JSON lines."""
    return "".join(
        json.dumps(
            {
                "v": _VERSION,
                "project_id": one.project_id,
                "ref": one.ref,
                "commits": list(one.commits),
                "files": list(one.files),
                "at": times.isoformat(one.at),
                "by": one.by,
                "reason": one.reason,
            },
            sort_keys=True,
        )
        + "\n"
        for one in purges
    )


def load(text: str) -> tuple[Purge, ...]:
    """Return the purges of a file. Raise ValueError naming the line that is damaged."""
    found = []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                found.append(_purge(json.loads(line)))
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                raise ValueError(f"line {number}") from error
    return tuple(found)


def _purge(record: dict[str, Any]) -> Purge:
    if record["v"] != _VERSION:
        raise ValueError("a version that is not known here")
    commits, files = (tuple(map(str, record[key])) for key in ("commits", "files"))
    if any(_OID.fullmatch(oid) is None for oid in (*commits, *files)):
        raise ValueError("not an object id")
    return Purge(
        int(record["project_id"]),
        str(record["ref"]),
        commits,
        files,
        times.parse_iso(record["at"]),
        str(record["by"]),
        str(record["reason"]),
    )
