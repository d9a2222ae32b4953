"""What to collect and how, as whoever collects chose it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from git_exchange.files.selection import SelectionRules

EVERYTHING = SelectionRules(ignore=(), include=(), max_file_size=100_000_000, max_total_size=100_000_000)


@dataclass(frozen=True)
class Policy:
    """What to collect and how. ``rules`` say what is written, ``due`` is aware UTC, ``deadline`` monotonic seconds."""

    update: bool = False
    before_duedate: bool = False
    check_owner: bool = True
    due: datetime | None = None
    rules: SelectionRules = EVERYTHING
    shared: bool = False
    deadline: float | None = None
