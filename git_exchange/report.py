"""The result of an operation over many people: one outcome each, and counts that add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Outcome:
    """What became of one ``subject`` (a student, a project). ``status`` is one word of the operation's vocabulary."""

    subject: str
    status: str
    detail: str = ""


@dataclass(frozen=True)
class Report:
    """Outcomes in the order of the roster. ``failed`` ones have the status "failed" and say why."""

    outcomes: tuple[Outcome, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @classmethod
    def of(cls, outcomes: Iterable[Outcome], notes: Iterable[str] = ()) -> Report:
        """Build a report from any iterable of outcomes."""
        return cls(tuple(outcomes), tuple(notes))

    @property
    def counts(self) -> dict[str, int]:
        """Number of outcomes per status; the values add up to ``len(outcomes)``."""
        return dict(Counter(outcome.status for outcome in self.outcomes))

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """The outcomes that need somebody's attention."""
        return tuple(outcome for outcome in self.outcomes if outcome.status == "failed")

    def summary(self) -> str:
        """Return the counts as one line: "3 collected, 1 failed (of 4)"."""
        parts = [f"{number} {status}" for status, number in self.counts.items()]
        return f"{', '.join(parts) or 'nothing to do'} (of {len(self.outcomes)})"
