"""How the collector is, from the inbox alone: per course, and what needs a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from git_exchange.collector.config import CollectorConfig
from git_exchange.collector.inbox import Inbox

# What else was noted, and what it is called; none of it is lost work.
_NOTED = {
    "forge away": "the forge did not answer",
    "status refused": "the forge did not show that work was received",
    "afterwards failed": "collecting or the command failed",
    "scheduled failed": "what was to be released at its time failed",
    "alarm": "a branch's history was rewritten",
}


@dataclass(frozen=True)
class CourseHealth:
    """One course. ``oldest_waiting`` in seconds; ``notes`` say what happened last of what is not as it should be."""

    course_id: str
    received: int
    recorded: int
    waiting: int
    dead: int
    oldest_waiting: float | None
    last_sweep: datetime | None
    last_hook: datetime | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Health:
    """All courses; ``troubles`` are what needs a person, one sentence each."""

    courses: tuple[CourseHealth, ...]
    troubles: tuple[str, ...]


def health(config: CollectorConfig, inbox: Inbox, now: datetime | None = None) -> Health:
    """Return how the collector's courses are. Raise InboxUnavailable."""
    now = now or datetime.now(timezone.utc)
    sweeps, failures, hooks = inbox.marks("sweep"), inbox.marks("sweep failed"), inbox.marks("hook")
    noted = {name: inbox.marks(name) for name in _NOTED}
    # Three sweeps may be missed, as by a restart; then somebody should look.
    patience = timedelta(seconds=3 * config.sweep.seconds + 60)
    courses, troubles = [], []
    for course_id in config.courses:
        counts = inbox.counts(course_id)
        sweep, failure = sweeps.get(course_id), failures.get(course_id)
        hook = hooks.get(course_id)
        notes = [
            f"{said}: {mark.number} times, last {mark.at:%Y-%m-%d %H:%M:%S} UTC: {mark.note}"
            for name, said in _NOTED.items()
            if (mark := noted[name].get(course_id)) is not None
        ]
        courses.append(
            CourseHealth(
                course_id,
                counts.received,
                counts.recorded,
                counts.waiting + counts.leased,
                counts.dead,
                counts.oldest_waiting,
                sweep.at if sweep is not None else None,
                hook.at if hook is not None else None,
                tuple(notes),
            )
        )
        if counts.dead:
            troubles.append(f"{course_id}: {counts.dead} dead letters; see git-exchange collector dead.")
        if sweep is None or now - sweep.at > patience:
            why = f" The last one failed: {failure.note}" if failure is not None else ""
            when = "was never swept" if sweep is None else f"was last swept at {sweep.at:%Y-%m-%d %H:%M:%S} UTC"
            troubles.append(f"{course_id} {when}: is git-exchange collector work running?{why}")
    return Health(tuple(courses), tuple(troubles))
