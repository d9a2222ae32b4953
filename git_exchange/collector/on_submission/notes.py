"""What is still to be done for a course directory, as files in its work area, and what commands wrote last."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path

from git_exchange.collector.on_submission.arguments import Submission
from git_exchange.collector.on_submission.run import Ended
from git_exchange.files import replace
from git_exchange.files.paths import display
from git_exchange.rules import slug, times

FOLDER = "on-submission"


class Notes:
    """The notes and logs of one course directory: at most one of each per student and assignment."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, work: Submission, *, collected: bool = False) -> None:
        """Note that this is to be handled; ``collected``: that only the command is left. Raise FilesError."""
        said = {**asdict(work), "collected": collected}
        replace.write_file(self._file(work, "waiting"), [json.dumps(said).encode()])

    def is_collected(self, work: Submission) -> bool:
        """Return whether it is noted that only the command is left."""
        return _read(self._file(work, "waiting"))[1]

    def forget(self, work: Submission) -> None:
        """Take the note away."""
        with suppress(OSError):
            self._file(work, "waiting").unlink(missing_ok=True)

    def all(self) -> Iterator[Submission]:
        """Yield what is noted; what is no note of ours is left alone."""
        for file in sorted(replace.work_area(self._root).glob(f"{FOLDER}/*.waiting")):
            work, _ = _read(file)
            if work is not None:
                yield work

    def log(self, work: Submission, command: Sequence[str], how: str, ended: Ended) -> str:
        """Keep what the command wrote, each line harmless on a terminal; return where, from the course directory."""
        path = self._file(work, "log")
        lines = [
            " ".join(display(part) for part in command),
            f"{times.timestamp(datetime.now(timezone.utc))}: {how}, {ended.seconds:.1f} seconds",
            *(display(line) for line in ended.output.splitlines()),
            *(["(There was more.)"] if ended.cut else []),
        ]
        replace.write_file(path, ["".join(f"{line}\n" for line in lines).encode()])
        return str(path.relative_to(self._root))

    def _file(self, work: Submission, kind: str) -> Path:
        name = f"{slug.encode(work.assignment)}--{slug.encode(work.student)}.{kind}"
        return replace.own_folder(self._root, FOLDER) / name


def _read(file: Path) -> tuple[Submission | None, bool]:
    try:
        said = json.loads(file.read_bytes())
        return Submission(str(said["course"]), str(said["assignment"]), str(said["student"])), bool(said["collected"])
    except (OSError, ValueError, KeyError, TypeError):
        return None, False
