"""Which addresses a course has invited to the forge, and when: lines of ``invited.csv``. Pure.

An address is written as a mark of it: it has to be known again, not read.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from git_exchange.rules import times

# GitLab forgets invitations that nobody accepts in this time.
LASTS = timedelta(days=90)
COLUMNS = ("mark", "invited_at")
# One address as mail programs write it plainly: nothing that could be read as two, or as a name and an address.
_ADDRESS = re.compile(r"[^@\s,;:<>()\[\]\"'\\]+@[^@\s,;:<>()\[\]\"'\\]+")


def address_of(said: str) -> str:
    """Return the e-mail address in lower-case letters, "" if ``said`` is not exactly one."""
    address = said.strip().lower()
    return address if _ADDRESS.fullmatch(address) and address.isprintable() else ""


def mark(address: str) -> str:
    """Return what stands for the address in the record."""
    return hashlib.sha256(address.encode()).hexdigest()[:32]


def dump(invited: Mapping[str, datetime]) -> bytes:
    """Return the CSV file of marks and times, sorted."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(sorted((one, times.isoformat(at)) for one, at in invited.items()))
    return text.getvalue().encode()


def load(content: bytes) -> dict[str, datetime]:
    """Return marks and times. Raise ValueError for anything else than such a file."""
    rows = csv.DictReader(io.StringIO(content.decode("utf-8"), newline=""))
    return {row["mark"] or "": times.parse_iso(row["invited_at"] or "") for row in rows if _whole(row)}


def current(invited: Mapping[str, datetime], now: datetime) -> dict[str, datetime]:
    """Return what is not so old that the forge has forgotten it."""
    return {one: at for one, at in invited.items() if now - at < LASTS}


def _whole(row: Mapping[str, str]) -> bool:
    if not all(row.get(name) for name in COLUMNS):
        raise ValueError("a line lacks a column")
    return True
