"""What is to be released at a time, as the trailers of a staged commit tell it. No clock is asked here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from git_exchange.rules import layout, times, trailers


@dataclass(frozen=True)
class Scheduled:
    """A release, or feedback on an assignment, that is to go out at ``at`` (aware, UTC).

    ``mark`` is its own for good: a release that carries it is this one. ``asked_by`` is "name <address>" of who asked
    for it. ``replaces`` is the release commit that it was to replace, empty if there was none. ``students`` counts
    those whose feedback it holds. ``failed`` is why it could not go out when it was due, empty if that was not tried.
    """

    kind: layout.Planned
    assignment_id: str
    at: datetime
    mark: str
    asked_by: str
    replaces: str = ""
    force: bool = False
    students: int = 0
    failed: str = ""

    @property
    def ref(self) -> str:
        """The full ref in ``staff`` that holds it."""
        return layout.scheduled_ref(self.kind, self.assignment_id)

    @property
    def state(self) -> str:
        """One word for lists: "waiting" or "failed"."""
        return "failed" if self.failed else "waiting"


def said(scheduled: Scheduled) -> list[tuple[str, str]]:
    """Return the trailers that tell it, beside those of what is released."""
    pairs = [
        (trailers.RELEASE_AT, times.isoformat(scheduled.at)),
        (trailers.SCHEDULE, scheduled.mark),
        (trailers.SCHEDULED_BY, scheduled.asked_by),
    ]
    if scheduled.replaces:
        pairs.append((trailers.REPLACES, scheduled.replaces))
    if scheduled.force:
        pairs.append((trailers.FORCE, "yes"))
    if scheduled.students:
        pairs.append((trailers.STUDENTS, str(scheduled.students)))
    if scheduled.failed:
        pairs.append((trailers.FAILED, scheduled.failed))
    return pairs


def read(ref: str, message: str) -> Scheduled | None:
    """Return what the head of a branch of ``staff`` schedules; None if that has ended, or it never was one."""
    found = trailers.parse(message)
    what = layout.scheduled_in(ref, found.first(trailers.ASSIGNMENT))
    at, mark = _time(found.first(trailers.RELEASE_AT)), found.first(trailers.SCHEDULE)
    if what is None or at is None or not mark or found.first(trailers.SCHEDULE_ENDED) is not None:
        return None
    students = found.first(trailers.STUDENTS) or ""
    return Scheduled(
        kind=what[0],
        assignment_id=what[1],
        at=at,
        mark=mark,
        asked_by=found.first(trailers.SCHEDULED_BY) or "",
        replaces=found.first(trailers.REPLACES) or "",
        force=found.first(trailers.FORCE) == "yes",
        students=int(students) if students.isascii() and students.isdigit() else 0,
        failed=found.first(trailers.FAILED) or "",
    )


def content(message: str) -> list[tuple[str, str]]:
    """Return the trailers of what is to be released, without those that tell when and for whom."""
    own = {
        key.lower()
        for key in (
            trailers.RELEASE_AT,
            trailers.SCHEDULE,
            trailers.SCHEDULED_BY,
            trailers.REPLACES,
            trailers.FORCE,
            trailers.STUDENTS,
            trailers.FAILED,
        )
    }
    return [(key, value) for key, value in trailers.parse(message).pairs if key.lower() not in own]


def _time(text: str | None) -> datetime | None:
    try:
        return times.parse_iso(text) if text else None
    except ValueError:
        return None
