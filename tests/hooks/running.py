"""The hook as git starts it, on a repository that holds the new objects already, and what it took to run it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.hooks.conftest import SCRIPT

NONE = "0" * 40
REF = "refs/heads/submit/ps1"

# A small process in between: what a process took at most begins with what the one had that started it.
_MEASURE = """
import resource, subprocess, sys, time
started = time.monotonic()
ended = subprocess.run(sys.argv[1:], stderr=subprocess.STDOUT, stdout=subprocess.PIPE)
sys.stdout.buffer.write(ended.stdout)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
print(f"\\n{ended.returncode} {peak} {time.monotonic() - started}")
"""


@dataclass(frozen=True)
class Ran:
    """How it ended and what it said; ``peak`` is the memory of the largest process in bytes."""

    status: int
    said: str
    peak: int
    seconds: float


def run(git_dir: Path, *tips: str, ref: str = REF, lines: str | None = None, python: str = "", **more: str) -> Ran:
    """Run it for pushes of ``tips`` to ``ref`` and others beside it; ``more`` is environment."""
    refs = [ref, *(f"{ref}-{number}" for number in range(1, len(tips)))]
    stdin = "".join(f"{NONE} {tip} {name}\n" for tip, name in zip(tips, refs, strict=False)) if lines is None else lines
    environment = {"PATH": os.environ["PATH"], "GIT_DIR": ".", "GIT_CONFIG_NOSYSTEM": "1", "HOME": "/nonexistent"}
    started = [sys.executable, "-I", "-S", "-c", _MEASURE, *([python] if python else []), str(SCRIPT)]
    ended = subprocess.run(
        started, cwd=git_dir, env=environment | more, input=stdin.encode(), capture_output=True, timeout=120, check=True
    )
    said, _, last = ended.stdout.decode().rstrip("\n").rpartition("\n")
    status, peak, seconds = last.split()
    return Ran(int(status), said, int(peak), float(seconds))
