"""Times that a person types: with a zone, or refused. What is stored is UTC; no clock is asked."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from git_exchange.rules import times

_TYPED = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2})(?:[T ] *(?P<time>\d{1,2}:\d{2}(?::\d{2})?))? *"
    r"(?P<zone>Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?|[A-Z][\w+-]*(?:/[\w+-]+)*)?",
    re.ASCII | re.IGNORECASE,
)
_OFFSET = re.compile(r"(?P<sign>[+-])(?P<hours>\d{2}):?(?P<minutes>\d{2})?", re.ASCII)
EXAMPLES = "2026-11-21T18:00+01:00, 2026-11-21T17:00Z or '2026-11-21 18:00 Europe/Zurich'"


def parse_until(text: str, zone: str | None = None) -> datetime:
    """Return the moment that was typed, in UTC. ``zone`` is that of a time that names none.

    Raise ValueError, with a sentence for the person who typed it, if it is no time, names no zone, or is one that the
    zone's clocks show twice or never.
    """
    found = _TYPED.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not a time. Write it like {EXAMPLES}.")
    if found["time"] is None:
        raise ValueError(f"{text!r} has no time of day. Write it like {EXAMPLES}.")
    if found["zone"] is None and not zone:
        raise ValueError(f"{text!r} does not say in which time zone. Write it like {EXAMPLES}, or add --timezone.")
    try:
        local = datetime.fromisoformat(f"{found['date']}T{'0' * (found['time'].find(':') == 1)}{found['time']}")
    except ValueError as error:
        raise ValueError(f"{text!r} is not in the calendar, or not on the clock.") from error
    named = found["zone"] or zone or ""
    offset = _offset(named)
    if offset is not None:
        return times.utc(local.replace(tzinfo=offset))
    return _in_place(local, named)


def in_zone(moment: datetime) -> str:
    """Return a moment as this machine's clocks show it, with the offset: "2026-11-21 18:00+01:00"."""
    local = moment.astimezone()
    offset = local.strftime("%z")
    return f"{local:%Y-%m-%d %H:%M}{offset[:3]}:{offset[3:5]}"


def _offset(zone: str) -> timezone | None:
    """Return the fixed offset that is written, None if it is the name of a place."""
    if zone.upper() in ("Z", "UTC", "GMT"):
        return timezone.utc
    found = _OFFSET.fullmatch(zone)
    if found is None:
        return None
    length = timedelta(hours=int(found["hours"]), minutes=int(found["minutes"] or 0))
    if length > timedelta(hours=14) or int(found["minutes"] or 0) > 59:
        raise ValueError(f"{zone!r} is no offset from UTC.")
    return timezone(-length if found["sign"] == "-" else length)


def _in_place(local: datetime, zone: str) -> datetime:
    if "/" not in zone:
        # CET, EST and the like are names too, but of fixed offsets or of several places: nobody means them in summer.
        raise ValueError(f"{zone!r} does not name one time zone. Name a place like Europe/Zurich, or write +01:00.")
    try:
        place = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(
            f"There is no time zone {zone!r}. Name a place like Europe/Zurich, or write +01:00."
        ) from error
    first, second = (local.replace(tzinfo=place, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return times.utc(first)
    readings = " or ".join(
        f"{local.isoformat('T', 'minutes')}{_written(reading)}"
        f" ({times.utc(reading):%Y-%m-%d %H:%M} UTC, {times.utc(reading).astimezone(place):%H:%M} there)"
        for reading in (first, second)
    )
    exists = times.utc(first).astimezone(place).replace(tzinfo=None) == local
    what = "comes twice" if exists else "does not exist"
    raise ValueError(f"{local:%Y-%m-%d %H:%M} {what} in {zone}, where clocks are changed: write {readings}.")


def _written(moment: datetime) -> str:
    offset = moment.strftime("%z")
    return f"{offset[:3]}:{offset[3:5]}"
