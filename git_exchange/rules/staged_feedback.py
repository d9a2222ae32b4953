"""Whose feedback waits for its time, as ``feedback.jsonl`` of a staged commit tells it: one object a line."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from git_exchange.rules import times


@dataclass(frozen=True)
class StagedFor:
    """One student's: the seat's project, the attempt it is about (or what stands for it), and that one's time.

    ``was`` is the head of the student's feedback branch when it was staged, empty if there was none.
    """

    student_id: str
    project_id: int
    attempt: str
    submitted: datetime | None
    was: str


def dump(staged: Iterable[StagedFor]) -> bytes:
    """Return the file's content."""
    lines = (
        json.dumps(
            {
                "student_id": one.student_id,
                "project_id": one.project_id,
                "attempt": one.attempt,
                "submitted": times.isoformat(one.submitted) if one.submitted is not None else None,
                "was": one.was,
            },
            sort_keys=True,
        )
        for one in sorted(staged, key=lambda one: one.student_id)
    )
    return "".join(f"{line}\n" for line in lines).encode()


def load(content: bytes) -> list[StagedFor]:
    """Return what the file says. Raise ValueError if it is damaged."""
    try:
        return [_one(json.loads(line)) for line in content.decode("utf-8").splitlines()]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"a line without {error}") from error


def _one(said: dict[str, object]) -> StagedFor:
    submitted = said["submitted"]
    return StagedFor(
        student_id=str(said["student_id"]),
        project_id=int(str(said["project_id"])),
        attempt=str(said["attempt"]),
        submitted=times.parse_iso(str(submitted)) if submitted is not None else None,
        was=str(said["was"]),
    )
