"""When a branch was last read without a commit on it: before that moment the commit had not been pushed.

Pure. Every read of a branch records the head that it saw, at that moment or before. So a recorded read saw a commit, or
something that holds it, only if one of these was recorded by then.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from git_exchange.rules.attempt import Commit
from git_exchange.rules.receipt import Receipt

# The forge's clock shows whole seconds: two machines that read within one may write down their reads in another order.
_SLACK = timedelta(seconds=2)


def last_other_reads(
    history: Sequence[Commit], receipts: Iterable[Receipt], reads: Iterable[datetime], present: datetime
) -> Mapping[str, datetime]:
    """Return for each commit of ``history`` (parents first) the last read without it, nothing where there was none.

    ``receipts`` are those of this branch, ``reads`` the moments of all its recorded reads, and ``present`` that of the
    read by which ``history`` is known.
    """
    seen: dict[str, datetime] = {}
    for receipt in receipts:
        if receipt.from_a_read:
            seen[receipt.commit] = min(receipt.read_at, seen.get(receipt.commit, receipt.read_at))
    moments = sorted(set(reads))
    found: dict[str, datetime] = {}
    for commit in reversed(history):
        first = seen.get(commit.oid, present)
        before = bisect_left(moments, first - _SLACK)
        if before:
            found[commit.oid] = moments[before - 1]
        for parent in commit.parents:
            seen[parent] = min(first, seen.get(parent, first))
    return found
