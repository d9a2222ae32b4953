"""What to collect and how, as whoever collects chose it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from git_exchange.files.selection import SelectionRules
from git_exchange.rules.deadline import effective_due

EVERYTHING = SelectionRules(ignore=(), include=(), max_file_size=100_000_000, max_total_size=100_000_000)


@dataclass(frozen=True)
class Policy:
    """What to collect and how. ``rules`` say what is written, ``due`` is aware UTC, ``deadline`` monotonic seconds.

    ``extensions`` (student id -> until when) are the course's own record; ``collect`` fills them in.
    ``hand_graded`` are the students on whose work somebody gave marks or comments by hand: with ``replace_graded``
    off, what is there of them is not replaced by other work. With ``leave_late`` nothing is collected of who handed in
    after the deadline only, unless the staff pinned an attempt.
    """

    update: bool = False
    before_duedate: bool = False
    check_owner: bool = True
    due: datetime | None = None
    rules: SelectionRules = EVERYTHING
    shared: bool = False
    deadline: float | None = None
    extensions: Mapping[str, datetime] = field(default_factory=dict)
    hand_graded: frozenset[str] = frozenset()
    replace_graded: bool = False
    leave_late: bool = False

    def due_for(self, student_id: str) -> datetime | None:
        """Return until when the student could hand in, None for ever."""
        return effective_due(self.due, self.extensions.get(student_id))
