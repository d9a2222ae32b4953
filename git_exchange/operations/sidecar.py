"""The small file that says which attempt a collected folder is: ``.git-exchange-attempt``.

nbgrader copies it along, from ``submitted`` over ``autograded`` to ``feedback``, so that feedback finds its attempt.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

NAME = ".git-exchange-attempt"
MAX_SIZE = 10_000


@dataclass(frozen=True)
class Sidecar:
    """Which attempt: the project's id, the full ref and the commit."""

    project_id: int
    ref: str
    commit: str


def dump(sidecar: Sidecar) -> bytes:
    """Return the file's content."""
    return (json.dumps(asdict(sidecar), sort_keys=True) + "\n").encode()


def read(folder: Path) -> Sidecar | None:
    """Return what the folder's file says; None if there is none, or it is not one of ours."""
    try:
        with (folder / NAME).open("rb") as file:
            said = json.loads(file.read(MAX_SIZE))
        return Sidecar(int(said["project_id"]), str(said["ref"]), str(said["commit"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
