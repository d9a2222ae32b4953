"""Who is in the roster and has no account on the forge yet: lines of ``waiting.csv``. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable
from dataclasses import astuple, dataclass, fields


@dataclass(frozen=True)
class Waiting:
    """Somebody who waits for an account: ``who`` as shown to the staff, and why there is none.

    ``invited`` is the day of the invitation ("2026-11-20"), "" without one.
    """

    who: str
    role: str
    why: str
    invited: str = ""


COLUMNS = tuple(field.name for field in fields(Waiting))


def dump(waiting: Iterable[Waiting]) -> bytes:
    """Return the CSV file, sorted."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(sorted(astuple(one) for one in waiting))
    return text.getvalue().encode()


def load(content: bytes) -> tuple[Waiting, ...]:
    """Return who waits. Raise ValueError for anything else than such a file."""
    rows = csv.DictReader(io.StringIO(content.decode("utf-8"), newline=""))
    found = tuple(Waiting(*(row.get(name) or "" for name in COLUMNS)) for row in rows)
    if not all(one.who and one.role for one in found):
        raise ValueError("a line names nobody")
    return found


def after(known: Iterable[Waiting], now: Iterable[Waiting], covers: Collection[str]) -> tuple[Waiting, ...]:
    """Return who waits after a roster said ``now`` about the roles that it ``covers``."""
    return (*(one for one in known if one.role not in covers), *now)
