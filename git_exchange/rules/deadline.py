"""Deadlines: whether an attempt is late, and which attempt counts. Knows nothing of where due dates come from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from git_exchange.rules.attempt import Attempt

Verdict = Literal["on-time", "late", "undecided"]


def verdict(attempt: Attempt, due: datetime | None) -> Verdict:
    """Return whether the attempt came by ``due`` (aware; None: no deadline), "undecided" if the evidence spans it."""
    if due is None or attempt.time <= due:
        return "on-time"
    if attempt.not_before is not None and attempt.not_before >= due:
        return "late"
    return "undecided"


def effective_due(due: datetime | None, extended_until: datetime | None) -> datetime | None:
    """Return the later of the due date and a student's extension; None (no deadline) if there is no due date."""
    if due is None or extended_until is None:
        return due
    return max(due, extended_until)


def choose(attempts: Sequence[Attempt], due: datetime | None, before_due: bool) -> Attempt | None:
    """Return the attempt that counts (``attempts`` oldest first), None if there is none.

    That is the newest; with ``before_due`` and a due date the newest that is not late, and if all are late still the
    newest, as in nbgrader's own exchange.
    """
    if before_due and due is not None:
        in_time = [attempt for attempt in attempts if verdict(attempt, due) != "late"]
        attempts = in_time or attempts
    return attempts[-1] if attempts else None


def recorded_time(attempt: Attempt, due: datetime | None) -> datetime:
    """Return the time for ``timestamp.txt``: ``due`` itself for an undecided attempt, which counts as on time."""
    return due if due is not None and verdict(attempt, due) == "undecided" else attempt.time
