"""Run nbgrader's other command-line tests with and without git-exchange configured: it must not disturb them.

``python -m tests.conformance.no_harm [-n WORKERS] [PYTEST OPTION ...]`` takes fifteen minutes and is no part of the
suite. The exchange is configured as an institution would, by Jupyter's configuration path, for a forge that does not
answer: none of these tests is about the exchange. Prints passed and failed per file, and what differs; exit status 1 if
something does.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import nbgrader.tests.apps

from tests.conformance.upstream import SUITES

CONFIGURATION = """\
from git_exchange.plugin import configure

c = get_config()
configure(c, "http://127.0.0.1:9", namespace="nowhere", kind="gitlab")
"""


def other_files() -> list[Path]:
    """Return nbgrader's test files that the conformance suite does not take over."""
    taken = {Path(str(suite.module.__file__)).name for suite in SUITES.values()}
    folder = Path(str(nbgrader.tests.apps.__file__)).parent
    return [path for path in sorted(folder.glob("test_*.py")) if path.name not in taken]


def run(place: Path, configuration: str, options: list[str]) -> dict[str, str]:
    """Return how each test ended (passed, failed, error, skipped), by "file::test"."""
    for name in ("config", "home", "temporary"):
        (place / name).mkdir(parents=True)
    (place / "config" / "nbgrader_config.py").write_text(configuration)
    report = place / "report.xml"
    environment = {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        "USER": os.environ.get("USER", "root"),
        "HOME": str(place / "home"),
        "LANG": "C.UTF-8",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "JUPYTER_CONFIG_PATH": str(place / "config"),
        "TMPDIR": str(place / "temporary"),
    }
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", *options]
    with (place / "output").open("wb") as output:
        subprocess.run(
            [*command, *map(str, other_files())], cwd=place, env=environment, stdout=output, stderr=output, check=False
        )
    assert report.exists(), (place / "output").read_text(errors="replace")[-4000:]
    ended = {}
    for case in ElementTree.parse(report).iter("testcase"):
        file = next(part for part in str(case.get("classname")).split(".") if part.startswith("test_"))
        how = next((child.tag for child in case if child.tag in ("failure", "error", "skipped")), "passed")
        ended[f"{file}.py::{case.get('name')}"] = {"failure": "failed"}.get(how, how)
    return ended


def main() -> int:
    """Run both and print the comparison."""
    place = Path(tempfile.mkdtemp(prefix="git-exchange-no-harm-"))
    without = run(place / "without", "c = get_config()\n", sys.argv[1:])
    configured = run(place / "configured", CONFIGURATION, sys.argv[1:])
    for path in other_files():
        counts = [
            ", ".join(
                f"{number} {how}"
                for how, number in sorted(
                    Counter(how for name, how in ended.items() if name.startswith(f"{path.name}::")).items()
                )
            )
            for ended in (without, configured)
        ]
        print(f"{path.name}: without {counts[0] or 'nothing'}; with {counts[1] or 'nothing'}")
    different = sorted(name for name in without.keys() | configured.keys() if without.get(name) != configured.get(name))
    for name in different:
        print(f"DIFFERENT {name}: without {without.get(name)}; with {configured.get(name)}")
    print(f"{len(configured)} tests, {len(different)} different. The outputs are in {place}")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
