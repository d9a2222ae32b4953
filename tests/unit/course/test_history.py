from __future__ import annotations

import io
from dataclasses import replace
from datetime import datetime, timedelta, timezone

from rich.console import Console

from git_exchange.cli.history import _table
from git_exchange.course.history import COMMIT, EVENT, RECEIPT, of_branch, of_receipts
from git_exchange.forge.ports import Account, Push
from git_exchange.rules import trailers
from git_exchange.rules.receipt import Receipt
from git_exchange.transport.objects import CommitInfo

AT = datetime(2026, 11, 20, 10, 0, tzinfo=timezone.utc)
REF = "refs/heads/submit/ps1"
A, B, C = ("a" * 40, "b" * 40, "c" * 40)
BO = Account(7, "bo")


def commit(oid: str, parent: str | None = None, message: str = "Submit\n") -> CommitInfo:
    return CommitInfo(oid, "d" * 40, (parent,) if parent else (), message, AT - timedelta(days=900), "Bo <bo@example>")


def push(number: int, before: str | None, after: str | None) -> Push:
    return Push(number, 1, REF, before, after, AT + timedelta(minutes=number), BO)


def receipt(oid: str) -> Receipt:
    return Receipt("pin", 1, "bo", REF, oid, "d" * 40, AT, "first-seen", None, "bo", AT, "ada")


def test_a_push_event_tells_when_and_who_whatever_the_commit_claims() -> None:
    (entry,) = of_branch("submit", "ps1", "bo", [commit(A)], [push(1, None, A)])
    assert (entry.at, entry.by, entry.evidence) == (AT + timedelta(minutes=1), "bo", EVENT)


def test_commits_that_came_along_with_a_push_are_no_entries_of_their_own() -> None:
    entries = of_branch("submit", "ps1", "bo", [commit(A), commit(B, A), commit(C, B)], [push(1, None, C)])
    assert [entry.commit for entry in entries] == [C]


def test_what_no_event_tells_comes_from_a_receipt_else_from_the_commit_and_is_marked() -> None:
    commits = [commit(A), commit(B, A), commit(C, B)]
    entries = of_branch("submit", "ps1", "bo", commits, [push(3, B, C)], [receipt(A)])
    assert {entry.commit: entry.evidence for entry in entries} == {A: RECEIPT, B: COMMIT, C: EVENT}


def test_a_push_that_the_branch_no_longer_holds_stays_in_the_history() -> None:
    (first, second) = of_branch("submit", "ps1", "bo", [commit(B)], [push(1, None, A), push(2, A, B)])
    assert (first.commit, first.detail) == (A, "no longer on the branch")
    assert second.commit == B


def test_a_withdrawn_and_a_purged_release_are_called_so() -> None:
    withdrawn = trailers.message("Withdraw", [(trailers.WITHDRAWN, "yes")])
    purged = trailers.message("Purge", [(trailers.WITHDRAWN, "yes"), (trailers.PURGED, "by ada: solution")])
    found = of_branch("release", "ps1", "", [commit(A, None, withdrawn), commit(B, A, purged)], [])
    assert [entry.what for entry in found] == ["withdrawn", "purged"]


def test_control_characters_of_students_do_not_reach_the_terminal() -> None:
    (entry,) = of_branch("submit", "ps1", "b\x1b[2Jo", [commit(A)], [])
    text = io.StringIO()
    Console(file=text, width=250, color_system=None).print(_table((entry,)))
    assert "\x1b" not in text.getvalue()
    assert r"b\x1b[2Jo" in text.getvalue()


def test_an_amended_time_is_told_with_its_reason() -> None:
    amended = replace(receipt(A), evidence="staff", reason="the forge was down")
    first, second = of_receipts("ps1", [receipt(A), amended])
    assert (first.what, second.what) == ("collected", "time amended")
    assert second.detail.endswith("by staff: the forge was down")
