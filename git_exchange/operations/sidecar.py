"""The small file that says which attempt a collected folder is: ``.git-exchange-attempt``.

nbgrader copies it along, from ``submitted`` over ``autograded`` to ``feedback``, so that feedback finds its attempt.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

NAME = ".git-exchange-attempt"
MAX_SIZE = 10_000
# What we write into a folder; a student's own files of these names would forge the time.
RESERVED = ("timestamp.txt", "submission_secret.txt", NAME)


@dataclass(frozen=True)
class Sidecar:
    """Which attempt: the project's id, the full ref and the commit."""

    project_id: int
    ref: str
    commit: str


def dump(sidecar: Sidecar) -> bytes:
    """Return the file's content."""
    return (json.dumps(asdict(sidecar), sort_keys=True) + "\n").encode()


def files(sidecar: Sidecar, timestamp: str) -> Iterator[tuple[str, bool, Iterator[bytes]]]:
    """Yield what belongs beside the student's files: nbgrader's two and ours, as ``replace.write_tree`` takes them.

    nbgrader's secret names feedback in a directory that everybody can read; here it only has to be there.
    """
    secret = hashlib.sha512(f"{sidecar.project_id} {sidecar.ref} {sidecar.commit}".encode()).hexdigest()
    for name, content in zip(RESERVED, (timestamp.encode(), secret.encode(), dump(sidecar)), strict=True):
        yield name, False, iter([content])


def read(folder: Path) -> Sidecar | None:
    """Return what the folder's file says; None if there is none, or it is not one of ours."""
    try:
        with (folder / NAME).open("rb") as file:
            said = json.loads(file.read(MAX_SIZE))
        return Sidecar(int(said["project_id"]), str(said["ref"]), str(said["commit"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
