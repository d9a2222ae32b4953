"""Answers that a test has asked for in place of the real ones."""

from __future__ import annotations

import re
from dataclasses import dataclass, field


@dataclass
class Fault:
    """Answer ``remaining`` requests whose path matches with ``status``.

    ``plain`` is the throttle in front of GitLab (text and Retry-After), else the application's own limit (JSON).
    """

    pattern: re.Pattern[str]
    status: int
    remaining: int
    method: str | None = None
    plain: bool = False
    retry_after: int | None = None
    message: str | None = None


@dataclass
class Faults:
    """The faults in the order in which they were asked for; the first that matches counts."""

    waiting: list[Fault] = field(default_factory=list)

    def take(self, method: str, path: str) -> Fault | None:
        """Return the fault for this request and count it down."""
        for fault in self.waiting:
            if fault.pattern.search(path) and fault.method in (None, method):
                fault.remaining -= 1
                if fault.remaining <= 0:
                    self.waiting.remove(fault)
                return fault
        return None
