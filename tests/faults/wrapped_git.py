"""A git on PATH that does what a test asks of its k-th call and passes every other one on."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from git_exchange.transport.command import located

# What becomes of the call: shell, after which the script ends.
ACTIONS = {
    "fails": 'echo "fatal: something went wrong" >&2; exit 128',
    "disk full": 'echo "fatal: write error: No space left on device" >&2; exit 128',
    "killed before": "kill -9 $$",
    "killed after": '"$real" "$@"; kill -9 $$',
    "hangs": "exec sleep 60",
}


class WrappedGit:
    """``place`` holds the script; ``calls`` counts since the last plan. Calls must come one at a time."""

    def __init__(self, place: Path) -> None:
        self._place = place
        place.mkdir(parents=True)
        real = shutil.which("git")
        cases = "\n".join(f'"{name}") {action} ;;' for name, action in ACTIONS.items())
        script = place / "git"
        script.write_text(
            f'#!/bin/sh\nreal="{real}"\n'
            f'read -r n <"{place}/count"; n=$((n + 1)); echo "$n" >"{place}/count"\n'
            f'read -r at how <"{place}/plan"\n'
            f'if [ "$n" = "$at" ]; then case "$how" in\n{cases}\nesac; fi\nexec "$real" "$@"\n'
        )
        script.chmod(0o755)
        self._plan(0, "nothing")

    @property
    def calls(self) -> int:
        return int((self._place / "count").read_text())

    @contextmanager
    def at(self, call: int, action: str = "nothing") -> Iterator[None]:
        """Do this with the ``call``-th git from now on (0: with none); count them meanwhile."""
        before = os.environ["PATH"]
        os.environ["PATH"] = os.pathsep.join([str(self._place), before])
        located.cache_clear()
        try:
            located("git")
            self._plan(call, action)
            yield
        finally:
            os.environ["PATH"] = before
            located.cache_clear()

    def _plan(self, call: int, action: str) -> None:
        assert action == "nothing" or action in ACTIONS, action
        (self._place / "plan").write_text(f"{call} {action}\n")
        (self._place / "count").write_text("0\n")
