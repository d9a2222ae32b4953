"""What may be written of a git tree that somebody else made.

Knows git's modes and what is hostile about names and sizes; reads no repository and writes no file.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TreeEntry:
    """One line of ``git ls-tree -r -l -z``: ``size`` in bytes, None where git gives none; ``path`` as it is stored."""

    mode: str
    kind: str
    oid: str
    size: int | None
    path: bytes
