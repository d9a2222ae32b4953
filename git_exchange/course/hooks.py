"""Which webhook each seat's project has: ``hooks.csv`` in the staff project. It holds no secret.

By it a run that has nothing to change asks the forge about no project.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields

from git_exchange.course.course import Course
from git_exchange.course.staff_files import Files, change_files, read_files
from git_exchange.errors import UnexpectedAnswer
from git_exchange.rules import layout


@dataclass(frozen=True)
class RecordedHook:
    """One project's hook as it was installed: ``key`` is the fingerprint of the key that its secret is made from.

    ``signs``: whether what it sends is signed; a plain secret alone does not.
    """

    project_id: int
    hook_id: int
    url: str
    key: str
    signs: bool


_COLUMNS = tuple(field.name for field in fields(RecordedHook))
_SIGNS = {"yes": True, "no": False}


def read_hooks(course: Course) -> dict[int, RecordedHook]:
    """Return project number -> hook, {} where none was installed. Raise NotStaff, UnexpectedAnswer if it is damaged."""
    return _load(read_files(course, [layout.HOOKS_PATH]).get(layout.HOOKS_PATH, b""))


def record_hooks(course: Course, installed: Iterable[RecordedHook], removed: Iterable[int] = ()) -> bool:
    """Add or replace hooks, take those of the projects ``removed`` out, in one push; True if something changed."""
    new, gone = {hook.project_id: hook for hook in installed}, set(removed)

    def change(present: Files) -> Files:
        known = _load(present.get(layout.HOOKS_PATH, b"")) | new
        return {layout.HOOKS_PATH: _dump(hook for hook in known.values() if hook.project_id not in gone)}

    said = f"Record {len(new)} webhooks" if new else f"Forget {len(gone)} webhooks"
    return bool(new or gone) and change_files(course, said, [layout.HOOKS_PATH], change)


def _dump(hooks: Iterable[RecordedHook]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for hook in sorted(hooks, key=lambda hook: hook.project_id):
        writer.writerow((*astuple(hook)[:-1], "yes" if hook.signs else "no"))
    return text.getvalue().encode()


def _load(content: bytes) -> dict[int, RecordedHook]:
    try:
        hooks = [
            RecordedHook(int(row["project_id"]), int(row["hook_id"]), row["url"], row["key"], _SIGNS[row["signs"]])
            for row in csv.DictReader(io.StringIO(content.decode("utf-8")))
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise UnexpectedAnswer(
            f"The list of webhooks {layout.HOOKS_PATH} in the staff project is damaged.",
            hint="Put its last good version back, or delete it and apply the roster again.",
        ) from error
    return {hook.project_id: hook for hook in hooks}
