"""Timed work: what the staff scheduled goes out with the sweep that follows its time."""

from __future__ import annotations

import logging
from datetime import datetime

from git_exchange.course.course import Course
from git_exchange.events import Event, Progress
from git_exchange.operations.scheduled import carry_out_scheduled, next_scheduled

_log = logging.getLogger(__name__)


def release_due(course: Course) -> datetime | None:
    """Release what is due by the forge's clock, and return when more is. Raise what reading the list raises.

    One that fails is logged and stays in the staff's list with its reason; the next sweep tries it again.
    """
    if next_scheduled(course) is None:
        return None
    now = course.forge.server().date
    carry_out_scheduled(course, course.forge, now, _listen)
    return next_scheduled(course, now)


def _listen(event: Event | Progress) -> None:
    if isinstance(event, Event) and event.level in ("warning", "error"):
        _log.warning("%s", event.message)
