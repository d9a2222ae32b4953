"""What travels between the collector's parts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from git_exchange.errors import GitExchangeError


@dataclass(frozen=True)
class Arrival:
    """That a branch may have something new: a hint of where to look, and no evidence of anything.

    ``delivery`` is unique ("hook:15:<the forge's id>", "sweep:15:refs/heads/submit/ps1:<commit>"), ``ref`` full,
    ``commit`` the head that was announced, ``received`` aware UTC of this machine's clock.
    """

    delivery: str
    course_id: str
    project_id: int
    ref: str
    commit: str
    received: datetime


def reason(error: Exception) -> str:
    """Return what logs and the inbox say of a failure; one that is none of ours is named by its kind."""
    return str(error) if isinstance(error, GitExchangeError) else f"{type(error).__name__}: {error}"
