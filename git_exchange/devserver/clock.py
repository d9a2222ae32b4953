"""The server's clock: real, or shifted by a test, and how its times are written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime


@dataclass
class Clock:
    """Real time plus ``offset`` seconds."""

    offset: float = 0.0

    def now(self) -> datetime:
        """Return the server's time in UTC, cut to milliseconds as GitLab stores it."""
        moment = datetime.now(timezone.utc) + timedelta(seconds=self.offset)
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)

    def http_date(self) -> str:
        """Return the value of the Date header."""
        return format_datetime(datetime.now(timezone.utc) + timedelta(seconds=self.offset), usegmt=True)


def written(moment: datetime) -> str:
    """Return a time as GitLab's API writes it: UTC with milliseconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def read(text: str) -> datetime:
    """Return the time that ``written`` wrote, or any ISO time; without a zone it is UTC. Raise ValueError."""
    moment = datetime.fromisoformat(text.replace("Z", "+00:00") if text.endswith("Z") else text)
    return moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment.astimezone(timezone.utc)
