"""What the pre-receive hook costs an ordinary submission, and what a push costs the hook that unfolds to gigabytes."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.contract.working_copy import WorkingCopy
from tests.hooks.conftest import SCRIPT
from tests.hooks.running import run
from tests.hostile.cases import BY_NAME
from tests.hostile.plumbing import Bare

REF = "refs/heads/submit/ps1"
BOMBS = ("size: a gigabyte in a megabyte", "size: a delta that expands", "size: trees that unfold")


def submission(copy: WorkingCopy, number: int, parent: str | None) -> str:
    """Commit four notebooks of 50 kB and data of 2 MB, of which only one notebook changes from attempt to attempt."""
    for name in range(4):
        (copy.folder / f"p{name}.ipynb").write_text(
            f"{number * (name == 0)} {name}\n" + "a cell of the notebook\n" * 2_000
        )
    (copy.folder / "data").mkdir(exist_ok=True)
    (copy.folder / "data" / "data.csv").write_text("1,2,3,4,5\n" * 200_000)
    copy.git("add", ".")
    return copy.commit(f"Attempt {number}", parent=parent)


def main(attempts: int) -> None:
    """Print medians over so many pushes to two repositories in turn, on this machine's disk, and their ratio."""
    # The hook's first line asks for python3: this one, not a version manager's wrapper, which takes longer itself.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        servers = {"without the hook": place / "plain.git", "with the hook": place / "hooked.git"}
        for server in servers.values():
            subprocess.run(["git", "init", "--quiet", "--bare", str(server)], check=True)
        shutil.copy(SCRIPT, servers["with the hook"] / "hooks" / "pre-receive")
        copy, commit = WorkingCopy(place / "work"), None
        seconds: dict[str, list[float]] = {name: [] for name in servers}
        for number in range(attempts):
            commit = submission(copy, number, commit)
            for name, server in servers.items():
                started = time.perf_counter()
                copy.git("push", "--quiet", str(server), f"{commit}:{REF}")
                seconds[name].append(time.perf_counter() - started)
        medians = {name: statistics.median(found[1:]) for name, found in seconds.items()}
        for name, median in medians.items():
            print(f"an ordinary submission {name:18}{median * 1000:8.0f} ms")
        plain, hooked = medians.values()
        print(f"ratio {hooked / plain:.2f}, {(hooked - plain) * 1000:.0f} ms more ({attempts} attempts, no network)")
        for number, bomb in enumerate(BOMBS):
            bare = Bare(place / f"bomb-{number}")
            ran = run(bare.folder, BY_NAME[bomb].build(bare))
            refused = "refused" if ran.status else "taken"
            print(f"{bomb:32}{refused} in {ran.seconds:6.2f} s with {ran.peak / 1_000_000:4.0f} MB at most")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 30)
