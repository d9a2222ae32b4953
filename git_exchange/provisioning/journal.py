"""What applying a roster did, line by line as it happened: for whoever asks later, or after a run that was cut off."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from threading import Lock
from typing import Protocol

from platformdirs import user_state_path

from git_exchange.report import Outcome
from git_exchange.rules import slug, times


class Noting(Protocol):
    """Takes one outcome at a time."""

    def __call__(self, outcome: Outcome) -> None:
        """Write the outcome down before returning."""


def journal_path(course_id: str, now: datetime) -> Path:
    """Return where the journal of a run belongs: one file per course and day, below the user's state folder."""
    return user_state_path("git-exchange") / "journal" / f"{slug.encode(course_id)}-{now:%Y-%m-%d}.jsonl"


@contextmanager
def journal(path: Path) -> Iterator[Noting]:
    """Give a function that appends outcomes as JSON lines (time, who, what, detail), each on disk when it returns."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = Lock()
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(handle, "a", encoding="utf-8") as file:

        def note(outcome: Outcome) -> None:
            said = {
                "time": times.isoformat(datetime.now(timezone.utc)),
                "who": outcome.subject,
                "what": outcome.status,
                "detail": outcome.detail,
            }
            with lock:
                file.write(json.dumps(said) + "\n")
                file.flush()
                os.fsync(file.fileno())

        yield note
