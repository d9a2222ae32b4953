"""How times are written: nbgrader's ``timestamp.txt`` and ISO 8601. Every time is aware; what is written is UTC."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

_PARTS = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2})[T ](?P<time>\d{2}:\d{2}:\d{2})(?:\.(?P<fraction>\d{1,9}))?"
    r"(?P<zone> ?(?:UTC|GMT|[Zz])|(?P<sign>[+-])(?P<hours>\d{2}):?(?P<minutes>\d{2}))?",
    re.ASCII,
)


def utc(moment: datetime) -> datetime:
    """Return the same moment in UTC. Raise ValueError if it has no time zone."""
    if moment.utcoffset() is None:
        raise ValueError(f"a time without a time zone: {moment.isoformat()}")
    return moment.astimezone(timezone.utc)


def timestamp(moment: datetime) -> str:
    """Return the content of ``timestamp.txt``: "2026-11-20 10:00:00.123456 UTC", which nbgrader never misreads."""
    return f"{utc(moment).replace(tzinfo=None).isoformat(' ', 'microseconds')} UTC"


def parse_timestamp(text: str) -> datetime:
    """Return the time in a ``timestamp.txt``, ours or another tool's.

    A time without a zone is UTC, as nbgrader takes it. Raise ValueError for anything else, also for abbreviations of
    other zones: nbgrader reads "CEST" as UTC without a word, and we would not know which was meant.
    """
    return _parse(text.strip(), naive=True)


def isoformat(moment: datetime) -> str:
    """Return "2026-11-20T10:00:00.123456Z": always UTC and microseconds, so that text order is time order."""
    return f"{utc(moment).replace(tzinfo=None).isoformat('T', 'microseconds')}Z"


def parse_iso(text: str) -> datetime:
    """Return an ISO 8601 time as UTC. Raise ValueError if it is none, or has no time zone."""
    return _parse(text.strip(), naive=False)


def _parse(text: str, *, naive: bool) -> datetime:
    # datetime.fromisoformat of Python 3.10 knows neither "Z" nor other fractions than three and six digits.
    found = _PARTS.fullmatch(text)
    if found is None:
        raise ValueError(f"not a time: {text!r}")
    if found["zone"] is None and not naive:
        raise ValueError(f"a time without a time zone: {text!r}")
    offset = timedelta(hours=int(found["hours"] or 0), minutes=int(found["minutes"] or 0))
    if offset >= timedelta(days=1) or int(found["minutes"] or 0) > 59:
        raise ValueError(f"not a time zone: {text!r}")
    fraction = (found["fraction"] or "0")[:6].ljust(6, "0")
    moment = datetime.fromisoformat(f"{found['date']}T{found['time']}.{fraction}+00:00")
    try:
        return moment + offset if found["sign"] == "-" else moment - offset
    except OverflowError as error:
        raise ValueError(f"out of range: {text!r}") from error
