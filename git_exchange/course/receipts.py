"""The course's record of when what was handed in: ``receipts/<assignment>.jsonl`` in the staff project, append-only."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from git_exchange.course.course import Course
from git_exchange.course.staff_files import Files, change_files, read_files
from git_exchange.errors import UnexpectedAnswer
from git_exchange.rules import layout
from git_exchange.rules.receipt import Ledger, Read, Receipt, dump, dump_read, load, load_reads


def read_ledger(course: Course, assignment_id: str) -> Ledger:
    """Return what the staff have recorded about the assignment. Raise NotStaff, UnexpectedAnswer if it is damaged."""
    path = layout.receipts_path(assignment_id)
    return _ledger(path, read_files(course, [path]).get(path, b""))


def read_ledgers(course: Course, assignment_ids: Collection[str]) -> dict[str, Ledger]:
    """Return the same of several assignments, in one look. Raise NotStaff, UnexpectedAnswer if one is damaged."""
    paths = {assignment_id: layout.receipts_path(assignment_id) for assignment_id in assignment_ids}
    files = read_files(course, list(paths.values()))
    return {assignment_id: _ledger(path, files.get(path, b"")) for assignment_id, path in paths.items()}


def append_receipts(
    course: Course, assignment_id: str, receipts: Sequence[Receipt], read: Read | None = None
) -> Ledger:
    """Append the receipts, and the read that found nothing new, in one push and return the record as it then is.

    What somebody else recorded first stays: a pin for the same commit, or a removal, is not written a second time;
    only what the staff decided themselves ("staff") follows on an earlier pin.
    """
    path = layout.receipts_path(assignment_id)
    after: list[Ledger] = []

    def change(present: Files) -> Files:
        before = present.get(path, b"")
        ledger = _ledger(path, before)
        new = [found for receipt in receipts if (found := _new(ledger, receipt)) is not None]
        content = before + (dump(new) + (dump_read(read) if read is not None else "")).encode()
        after.append(_ledger(path, content))
        return {path: content} if content != before else {}

    subject = f"Record {len(receipts)} receipts of {assignment_id}"
    change_files(course, subject, [path], change)
    return after[-1]


def _new(ledger: Ledger, receipt: Receipt) -> Receipt | None:
    """Return what is to be written of the receipt, None if it is known.

    Where somebody else was faster with a pin, an earlier look than theirs is still worth a line: later reads of the
    branch tell something only of commits that nobody had seen by then.
    """
    key = (receipt.project_id, receipt.ref, receipt.commit)
    pin = ledger.pin(*key)
    if receipt.kind == "removed":
        return None if ledger.removed(*key) else receipt
    if receipt.evidence == "staff":
        decided = pin is not None and (pin.evidence, pin.time, pin.reason) == ("staff", receipt.time, receipt.reason)
        return None if decided else receipt
    if receipt.kind == "pin" and pin is None:
        return receipt
    first = ledger.first_read(*key)
    return replace(receipt, kind="seen") if first is None or receipt.read_at < first else None


def _ledger(path: str, content: bytes) -> Ledger:
    try:
        return Ledger(load(text := content.decode("utf-8")), load_reads(text))
    except ValueError as error:
        raise UnexpectedAnswer(
            f"The course's record {path} in the staff project is damaged: {error}.",
            hint="Look at its history on the forge and put the last good version back.",
        ) from error
