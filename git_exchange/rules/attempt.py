"""Attempts: which commits of a ``submit/*`` branch were handed in, and when the forge had each of them.

All evidence is an upper bound of the moment of the push. Nothing in a commit, above all no date in it, is evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from git_exchange.rules.receipt import Receipt

_TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class Commit:
    """A commit of the branch: object ids of itself, its tree and its parents."""

    oid: str
    tree: str
    parents: tuple[str, ...]


@dataclass(frozen=True)
class Evidence:
    """The branch had ``commit`` as its head at ``at`` or before.

    ``source`` is "push-event" (the forge's own record), "seen" (a receipt) or "read" (just now); only a push event
    knows ``event_id`` and, for certain, who pushed: ``pushed_by`` (user name) and ``pushed_by_id`` (account number).
    """

    commit: str
    at: datetime
    source: str
    pushed_by: str
    event_id: int | None
    pushed_by_id: int | None = None


@dataclass(frozen=True)
class Attempt:
    """A head of the branch that counts.

    ``time`` is what deadlines are compared with; ``pushed_at`` is the latest moment at which the push can have
    arrived, and differs from ``time`` for unchanged work handed in again. ``not_before`` is the earliest moment that
    ``time`` may truly be, None if nothing is known. ``source`` tells where ``pushed_at`` comes from: that of the
    evidence, or "staff".
    """

    number: int
    commit: str
    tree: str
    time: datetime
    pushed_at: datetime
    not_before: datetime | None
    settled: bool
    pinned: bool
    source: str
    pushed_by: str
    event_id: int | None
    pushed_by_id: int | None = None


def attempts(
    history: Sequence[Commit],
    head: str,
    evidence: Iterable[Evidence],
    pins: Mapping[str, Receipt],
    removed: Set[str] = frozenset(),
    *,
    now: datetime,
    grace_seconds: float,
    settle_seconds: float,
    identical: str,
    last_other_read: Mapping[str, datetime],
) -> tuple[Attempt, ...]:
    """Return the attempts on a branch, oldest first, numbered from 1; ``removed`` ones are left out, their numbers too.

    ``history`` is everything reachable from ``head`` that is not in the release, oldest first, parents before
    children. ``pins`` and ``last_other_read`` (when the branch was last read without this commit) go by commit.
    Evidence and pins of commits that are not in the history are ignored: rewritten, or foreign.
    """
    by_commit: dict[str, list[Evidence]] = {}
    for item in evidence:
        by_commit.setdefault(item.commit, []).append(item)
    known = {oid: min(item.at for item in items) for oid, items in by_commit.items()}
    known.update({oid: pin.time for oid, pin in pins.items()})
    grace, settle = timedelta(seconds=grace_seconds), timedelta(seconds=settle_seconds)
    found: list[Attempt] = []
    last: datetime | None = None
    for commit, bound in _in_order(history, head, known, pins.keys()):
        at = bound if commit.oid in pins or last is None else max(bound, last + _TICK)
        last = at if last is None else max(at, last)
        number = len(found) + 1
        if commit.oid in pins:
            found.append(_pinned(number, commit, pins[commit.oid]))
        else:
            items = sorted(by_commit[commit.oid], key=lambda item: item.at)
            found.append(
                _unpinned(number, commit, at, items, last_other_read.get(commit.oid), grace=grace, settled=now - settle)
            )
    return _with_times(found, removed, first_time=identical == "first-time")


def _in_order(
    history: Sequence[Commit], head: str, known: Mapping[str, datetime], pinned: Set[str]
) -> list[tuple[Commit, datetime]]:
    """Return the commits of ``known`` below ``head`` in ancestry order, each with its upper bound.

    What came before a commit was pushed before it, so a bound also holds, one microsecond tighter, for everything that
    is not pinned below. Commits of which none is an ancestor of the other (only after a rewrite) go by time.
    """
    upper: dict[str, datetime] = {}
    bounds: dict[str, datetime] = {}
    reachable = {head}
    for commit in reversed(history):
        if commit.oid not in reachable:
            continue
        reachable.update(commit.parents)
        above = upper.get(commit.oid)
        if (own := known.get(commit.oid)) is not None:
            tight = own if above is None else min(own, above)
            bounds[commit.oid] = own if commit.oid in pinned else tight
            above = tight - _TICK
        if above is not None:
            for parent in commit.parents:
                upper[parent] = min(above, upper.get(parent, above))
    lower: dict[str, datetime] = {}
    rank: dict[str, tuple[datetime, int]] = {}
    for index, commit in enumerate(history):
        below = [lower[parent] for parent in commit.parents if parent in lower]
        if commit.oid in bounds:
            below.append(bounds[commit.oid])
            rank[commit.oid] = (max(below), index)
        if below:
            lower[commit.oid] = max(below)
    ordered = sorted((commit for commit in history if commit.oid in bounds), key=lambda commit: rank[commit.oid])
    return [(commit, bounds[commit.oid]) for commit in ordered]


def _pinned(number: int, commit: Commit, pin: Receipt) -> Attempt:
    # A pin is the time, no longer a bound: a due date that is moved later on finds it before or after, never between.
    return Attempt(
        number=number,
        commit=commit.oid,
        tree=commit.tree,
        time=pin.time,
        pushed_at=pin.time,
        not_before=pin.time,
        settled=True,
        pinned=True,
        source="seen" if pin.evidence == "first-seen" else pin.evidence,
        pushed_by=pin.pushed_by,
        event_id=pin.event_id,
        pushed_by_id=pin.pushed_by_id,
    )


def _unpinned(
    number: int,
    commit: Commit,
    at: datetime,
    items: Sequence[Evidence],
    other_read: datetime | None,
    *,
    grace: timedelta,
    settled: datetime,
) -> Attempt:
    """Return an attempt from its evidence (earliest first); first seen at ``settled`` or before, it is settled."""
    event = next((item for item in items if item.source == "push-event"), None)
    first_look = next((item.at for item in items if item.source != "push-event"), None)
    pusher = event or next((item for item in items if item.pushed_by), None)
    lows = [low for low in (other_read, event.at - grace if event is not None else None) if low is not None]
    return Attempt(
        number=number,
        commit=commit.oid,
        tree=commit.tree,
        time=at,
        pushed_at=at,
        not_before=max(lows, default=None),
        settled=event is not None or (first_look is not None and first_look <= settled),
        pinned=False,
        source=items[0].source,
        pushed_by=pusher.pushed_by if pusher is not None else "",
        event_id=event.event_id if event is not None else None,
        pushed_by_id=pusher.pushed_by_id if pusher is not None else None,
    )


def _with_times(found: Sequence[Attempt], removed: Set[str], *, first_time: bool) -> tuple[Attempt, ...]:
    """Return the attempts that are not removed.

    With ``first_time``, the time (and since when it may be) of the first of an unbroken run of equal trees holds for
    the whole run: pressing submit again without changing anything does not make work late.
    """
    kept: list[Attempt] = []
    tree: str | None = None
    first: Attempt | None = None
    for attempt in found:
        if attempt.tree != tree:
            tree, first = attempt.tree, None
        if attempt.commit in removed:
            continue
        if first is None or not first_time:
            first = attempt
        kept.append(replace(attempt, time=first.time, not_before=first.not_before))
    return tuple(kept)
