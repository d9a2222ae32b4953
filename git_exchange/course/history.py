"""What happened to a branch, or to an assignment: who did what and when, from the records of the course.

Knows which record is worth what: the forge's push events, then the staff's receipts, and a commit's own date only
where there is nothing else, marked as no evidence.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from git_exchange.forge.ports import Push
from git_exchange.rules import layout, times, trailers
from git_exchange.rules.collect_pins import CollectPin
from git_exchange.rules.layout import Kind
from git_exchange.rules.receipt import Receipt
from git_exchange.transport.objects import CommitInfo

EVENT = "push event"
RECEIPT = "receipt"
STAFF_RECORD = "staff's record"
COMMIT = "commit date, not evidence"

_VERBS: dict[Kind, str] = {"release": "released", "submit": "submitted", "feedback": "feedback released"}
_RECORDED = {"pin": "collected", "seen": "seen", "removed": "removed from the list"}


@dataclass(frozen=True)
class Entry:
    """One thing that somebody did.

    ``by`` is a user name of the forge or, from a commit, what it says of its author; ``student_id`` is empty for what
    concerns all. ``evidence`` says where ``at`` and ``by`` come from: a push event, a receipt or another record of
    the staff, or a commit's claim.
    """

    at: datetime
    what: str
    by: str
    assignment_id: str
    student_id: str
    commit: str
    evidence: str
    detail: str = ""


def of_branch(
    kind: Kind,
    assignment_id: str,
    student_id: str,
    commits: Sequence[CommitInfo],
    pushes: Iterable[Push],
    receipts: Collection[Receipt] = (),
) -> list[Entry]:
    """Return what was pushed to one branch. ``commits`` are what it holds now, oldest first; ``pushes`` are its own.

    Commits that came along with a push have no time of their own and are not listed. What no push event tells of, a
    receipt does, else its own date.
    """
    known = {commit.oid: commit for commit in commits}
    found, covered = [], set[str]()
    for push in sorted(pushes, key=lambda push: push.id):
        covered |= _brought(push, known)
        found.append(_of_push(kind, assignment_id, student_id, push, known))
    seen = {receipt.commit: receipt for receipt in reversed(list(receipts)) if receipt.kind != "removed"}
    for commit in commits:
        if commit.oid in covered:
            continue
        receipt = seen.get(commit.oid)
        what, detail = _said(kind, commit)
        if receipt is not None:
            entry = Entry(
                receipt.time, what, receipt.pushed_by, assignment_id, student_id, commit.oid, RECEIPT,
                "; ".join(part for part in (detail, "received by then") if part),
            )  # fmt: skip
        else:
            entry = Entry(
                commit.committed_at, what, commit.author, assignment_id, student_id, commit.oid, COMMIT, detail
            )
        found.append(entry)
    return found


def of_receipts(assignment_id: str, receipts: Iterable[Receipt]) -> list[Entry]:
    """Return what the staff wrote down about attempts, and when."""
    return [
        Entry(
            at=receipt.read_at,
            what="time amended" if receipt.evidence == "staff" else _RECORDED.get(receipt.kind, receipt.kind),
            by=receipt.recorded_by,
            assignment_id=assignment_id,
            student_id=receipt.student_id,
            commit=receipt.commit,
            evidence=RECEIPT,
            detail=f"time {times.timestamp(receipt.time)}, by {receipt.evidence}"
            + (f": {receipt.reason}" if receipt.reason else ""),
        )
        for receipt in receipts
    ]


def of_collect_pins(pins: Iterable[CollectPin]) -> list[Entry]:
    """Return which attempts the staff chose to collect, as far as the choice still holds."""
    return [
        Entry(
            pin.pinned_at, "attempt chosen", pin.pinned_by, pin.assignment_id, pin.student_id, pin.commit, STAFF_RECORD
        )
        for pin in pins
    ]


def unassigned(student_id: str, pushes: Iterable[Push]) -> list[Entry]:
    """Return the pushes of which the forge does not tell the branch: many at once."""
    return [
        Entry(push.at, "pushed several branches", push.account.username, "", student_id, push.after or "", EVENT)
        for push in pushes
        if push.ref is None
    ]


def _of_push(kind: Kind, assignment_id: str, student_id: str, push: Push, known: dict[str, CommitInfo]) -> Entry:
    by, at = push.account.username, push.at
    if push.after is None:
        return Entry(at, "branch removed", by, assignment_id, student_id, push.before or "", EVENT)
    commit = known.get(push.after)
    if commit is None:
        detail = "no longer on the branch"
        return Entry(at, _VERBS[kind], by, assignment_id, student_id, push.after, EVENT, detail)
    what, detail = _said(kind, commit)
    return Entry(at, what, by, assignment_id, student_id, push.after, EVENT, detail)


def _brought(push: Push, known: dict[str, CommitInfo]) -> set[str]:
    """Return the commits that came with the push: what its head reaches and the branch did not hold before."""
    found: set[str] = set()
    waiting = [push.after] if push.after is not None else []
    while waiting:
        oid = waiting.pop()
        if oid in known and oid not in found and oid != push.before:
            found.add(oid)
            waiting += known[oid].parents
    return found


def _said(kind: Kind, commit: CommitInfo) -> tuple[str, str]:
    """Return what a commit of the branch did, by its trailers, and more about it."""
    said = trailers.parse(commit.message)
    if kind != "submit" and said.first(trailers.PURGED) is not None:
        return "purged", said.first(trailers.PURGED) or ""
    if kind == "release" and said.first(trailers.WITHDRAWN) == "yes":
        return "withdrawn", ""
    if kind == "release" and (was := said.first(trailers.DUE_DATE_WAS)) is not None:
        return "due date changed", f"from {was} to {said.first(trailers.DUE_DATE) or 'none'}"
    if kind == "release" and (due := said.first(trailers.DUE_DATE)) is not None:
        return _VERBS[kind], f"due {due}"
    if kind == "feedback" and (attempt := said.first(trailers.FEEDBACK_FOR)) is not None:
        return _VERBS[kind], f"for {attempt[:12]}"
    return _VERBS[kind], ""


def ref_of(kind: Kind, assignment_id: str) -> str:
    """Return the full ref of the branch."""
    return {"release": layout.release_ref, "submit": layout.submit_ref, "feedback": layout.feedback_ref}[kind](
        assignment_id
    )
