"""Receipts: the course's append-only record of what was pushed and when, as JSON lines and as a read-model.

Whose word counts is decided elsewhere: only the staff can write the file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from git_exchange.rules import times

KINDS = ("pin", "seen", "removed")
READ = "read"
EVIDENCE = ("push-event", "first-seen", "staff")
_VERSION = 1
_OID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True)
class Receipt:
    """One line of the record.

    ``kind`` is "pin" (the time of the push, settled), "seen" (first seen then, not settled yet) or "removed" (by the
    staff). ``evidence`` is "push-event", "first-seen" or "staff". ``time`` is when the forge had the push, ``read_at``
    when the branch was read; both aware, kept in UTC. ``event_id`` is the forge's push event, if one was found;
    ``pushed_by`` and ``pushed_by_id`` are the account that pushed, as far as known. ``reason`` is why the staff set
    another time ("staff").
    """

    kind: str
    project_id: int
    student_id: str
    ref: str
    commit: str
    tree: str
    time: datetime
    evidence: str
    event_id: int | None
    pushed_by: str
    read_at: datetime
    recorded_by: str
    pushed_by_id: int | None = None
    reason: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "time", times.utc(self.time))
        object.__setattr__(self, "read_at", times.utc(self.read_at))

    @property
    def from_a_read(self) -> bool:
        """Whether it comes from a look at the branch; the staff's word (another time, a removal) does not."""
        return self.kind in ("pin", "seen") and self.evidence != "staff"


@dataclass(frozen=True)
class Read:
    """Another line of the record: the branches of these projects were read and held nothing that was new to it.

    ``at`` is the moment before which they were not read; ``projects`` are their numbers.
    """

    at: datetime
    projects: frozenset[int]
    recorded_by: str


@dataclass(frozen=True)
class Ledger:
    """What the receipts of one assignment say, in the order of the file."""

    receipts: tuple[Receipt, ...] = ()
    other_reads: tuple[Read, ...] = ()
    _by_ref: Mapping[tuple[int, str], Sequence[Receipt]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_ref: dict[tuple[int, str], list[Receipt]] = {}
        for receipt in self.receipts:
            by_ref.setdefault((receipt.project_id, receipt.ref), []).append(receipt)
        object.__setattr__(self, "_by_ref", by_ref)

    def pins(self, project_id: int, ref: str) -> tuple[Receipt, ...]:
        """Return every pin of the ref, amended ones before what amends them."""
        return tuple(receipt for receipt in self.of(project_id, ref) if receipt.kind == "pin")

    def pin(self, project_id: int, ref: str, commit: str) -> Receipt | None:
        """Return the pin that counts: the last one of the commit."""
        found = [pin for pin in self.pins(project_id, ref) if pin.commit == commit]
        return found[-1] if found else None

    def seen(self, project_id: int, ref: str, commit: str) -> Receipt | None:
        """Return the earliest record of having seen the commit as the ref's head."""
        found = (r for r in self.of(project_id, ref) if r.kind == "seen" and r.commit == commit)
        return min(found, key=lambda receipt: receipt.time, default=None)

    def removed(self, project_id: int, ref: str, commit: str) -> bool:
        """Return whether the staff took the attempt out."""
        return any(r.kind == "removed" and r.commit == commit for r in self.of(project_id, ref))

    def last_event(self, project_id: int, ref: str) -> int:
        """Return the push event up to which nothing of this ref needs to be read again, 0 if there is none.

        That ends at the first attempt that was seen and is still not pinned: its own event, which may have a smaller
        number than those of later attempts, is still needed.
        """
        receipts = self.of(project_id, ref)
        pinned = {receipt.commit for receipt in receipts if receipt.kind == "pin"}
        last = 0
        for receipt in receipts:
            if receipt.kind == "seen" and receipt.commit not in pinned:
                break
            if receipt.kind == "pin" and receipt.event_id is not None:
                last = max(last, receipt.event_id)
        return last

    def of(self, project_id: int, ref: str) -> Sequence[Receipt]:
        """Return every receipt of the ref."""
        return self._by_ref.get((project_id, ref), ())

    def first_read(self, project_id: int, ref: str, commit: str) -> datetime | None:
        """Return the first read at which the commit was there, None if it was never seen or pinned."""
        found = (r.read_at for r in self.of(project_id, ref) if r.commit == commit and r.from_a_read)
        return min(found, default=None)

    def reads(self, project_id: int, ref: str) -> list[datetime]:
        """Return every recorded read of the ref."""
        found = [receipt.read_at for receipt in self.of(project_id, ref) if receipt.from_a_read]
        return found + [read.at for read in self.other_reads if project_id in read.projects]


def dump(receipts: Iterable[Receipt]) -> str:
    """Return the receipts as JSON lines: keys sorted, pure ASCII, each line ended."""
    return "".join(json.dumps(_record(receipt), sort_keys=True) + "\n" for receipt in receipts)


def dump_read(read: Read) -> str:
    """Return the read as a JSON line."""
    record = {
        "v": _VERSION,
        "kind": READ,
        "read_at": times.isoformat(read.at),
        "project_ids": sorted(read.projects),
        "recorded_by": read.recorded_by,
    }
    return json.dumps(record, sort_keys=True) + "\n"


def load_reads(text: str) -> tuple[Read, ...]:
    """Return the reads among the lines of a file whose other lines ``load`` has accepted. Raise ValueError."""
    records = [json.loads(line) for line in text.split("\n") if line.strip()]
    return tuple(_read(record) for record in records if record.get("kind") == READ)


def load(text: str) -> tuple[Receipt, ...]:
    """Return the receipts of a file. Blank lines, unknown keys and lines of an unknown kind are ignored.

    Raise ValueError naming the line: guessing at a damaged record would change times.
    """
    found = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            receipt = _receipt(line)
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from error
        if receipt is not None:
            found.append(receipt)
    return tuple(found)


def _record(receipt: Receipt) -> dict[str, object]:
    return {
        "v": _VERSION,
        "kind": receipt.kind,
        "project_id": receipt.project_id,
        "student_id": receipt.student_id,
        "ref": receipt.ref,
        "commit": receipt.commit,
        "tree": receipt.tree,
        "time": times.isoformat(receipt.time),
        "evidence": receipt.evidence,
        "event_id": receipt.event_id,
        "pushed_by": receipt.pushed_by,
        "read_at": times.isoformat(receipt.read_at),
        "recorded_by": receipt.recorded_by,
        "pushed_by_id": receipt.pushed_by_id,
        **({"reason": receipt.reason} if receipt.reason else {}),
    }


def _receipt(line: str) -> Receipt | None:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError("not JSON") from error
    if not isinstance(record, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - damaged content, not a caller's mistake
    if record.get("v") != _VERSION:
        raise ValueError(f"version {record.get('v')!r} is not known here")
    if _text(record, "kind") not in KINDS:
        return None
    return Receipt(
        kind=_text(record, "kind"),
        project_id=_number(record, "project_id"),
        student_id=_text(record, "student_id"),
        ref=_text(record, "ref"),
        commit=_oid(record, "commit"),
        tree=_oid(record, "tree"),
        time=times.parse_iso(_text(record, "time")),
        evidence=_one_of(record, "evidence", EVIDENCE),
        event_id=_number_or_none(record, "event_id"),
        pushed_by=_text(record, "pushed_by"),
        read_at=times.parse_iso(_text(record, "read_at")),
        recorded_by=_text(record, "recorded_by"),
        pushed_by_id=_number_or_none(record, "pushed_by_id"),
        reason=_text(record, "reason") if "reason" in record else "",
    )


def _read(record: dict[str, Any]) -> Read:
    numbers = record.get("project_ids")
    if not isinstance(numbers, list) or not all(isinstance(number, int) for number in numbers):
        raise ValueError("project_ids is missing or no list of whole numbers")
    return Read(times.parse_iso(_text(record, "read_at")), frozenset(numbers), _text(record, "recorded_by"))


def _text(record: dict[str, Any], key: str) -> str:
    value = record.get(key)
    if not isinstance(value, str):
        raise ValueError(f"{key} is missing or not text")  # noqa: TRY004 - damaged content, not a caller's mistake
    return value


def _number(record: dict[str, Any], key: str) -> int:
    value = record.get(key)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{key} is missing or not a whole number")  # noqa: TRY004 - damaged content, not a caller's mistake
    return value


def _number_or_none(record: dict[str, Any], key: str) -> int | None:
    return None if record.get(key) is None else _number(record, key)


def _oid(record: dict[str, Any], key: str) -> str:
    value = _text(record, key)
    if _OID.fullmatch(value) is None:
        raise ValueError(f"{key} is not the id of a git object")
    return value


def _one_of(record: dict[str, Any], key: str, allowed: tuple[str, ...]) -> str:
    value = _text(record, key)
    if value not in allowed:
        raise ValueError(f"{key} is {value!r}, not one of {', '.join(allowed)}")
    return value
