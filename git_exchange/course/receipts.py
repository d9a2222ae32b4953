"""The course's record of when what was handed in: ``receipts/<assignment>.jsonl`` in the staff project, append-only."""

from __future__ import annotations

from collections.abc import Sequence

from git_exchange.course.course import Course
from git_exchange.course.staff_files import Files, change_files, read_files
from git_exchange.errors import UnexpectedAnswer
from git_exchange.rules import layout
from git_exchange.rules.receipt import Ledger, Receipt, dump, load


def read_ledger(course: Course, assignment_id: str) -> Ledger:
    """Return what the staff have recorded about the assignment. Raise NotStaff, UnexpectedAnswer if it is damaged."""
    path = layout.receipts_path(assignment_id)
    return _ledger(path, read_files(course, [path]).get(path, b""))


def append_receipts(course: Course, assignment_id: str, receipts: Sequence[Receipt]) -> Ledger:
    """Append the receipts in one push and return the record as it then is.

    What somebody else recorded first stays: a pin for the same commit, or a removal, is not written a second time;
    only what the staff decided themselves ("staff") follows on an earlier pin.
    """
    path = layout.receipts_path(assignment_id)
    after: list[Ledger] = []

    def change(present: Files) -> Files:
        before = present.get(path, b"")
        ledger = _ledger(path, before)
        new = [receipt for receipt in receipts if not _known(ledger, receipt)]
        content = before + dump(new).encode()
        after.append(_ledger(path, content))
        return {path: content} if new else {}

    subject = f"Record {len(receipts)} receipts of {assignment_id}"
    change_files(course, subject, [path], change)
    return after[-1]


def _known(ledger: Ledger, receipt: Receipt) -> bool:
    key = (receipt.project_id, receipt.ref, receipt.commit)
    if receipt.kind == "pin":
        pin = ledger.pin(*key)
        if receipt.evidence == "staff":
            return pin is not None and (pin.evidence, pin.time, pin.reason) == ("staff", receipt.time, receipt.reason)
        return pin is not None
    if receipt.kind == "seen":
        return ledger.seen(*key) is not None or ledger.pin(*key) is not None
    return ledger.removed(*key)


def _ledger(path: str, content: bytes) -> Ledger:
    try:
        return Ledger(load(content.decode("utf-8")))
    except ValueError as error:
        raise UnexpectedAnswer(
            f"The course's record {path} in the staff project is damaged: {error}.",
            hint="Look at its history on the forge and put the last good version back.",
        ) from error
