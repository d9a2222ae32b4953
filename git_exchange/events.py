"""What an operation says while it works, as values. The caller decides how to show them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Event:
    """One thing that happened. ``level`` is a logging level name in lower case: "debug", "info", "warning", "error"."""

    message: str
    level: str = "info"


@dataclass(frozen=True)
class Progress:
    """``done`` of ``total`` items are finished; ``what`` names the step ("fetching submissions")."""

    what: str
    done: int
    total: int


Listener = Callable[[Event | Progress], None]


def ignore(event: Event | Progress) -> None:
    """Listen to nothing."""
