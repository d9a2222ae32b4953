"""Another user of this machine, a course directory shared with that user, and a Python that both can start."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import git_exchange
from git_exchange.collector.config import CollectRule
from git_exchange.collector.on_submission.readiness import Ready, ready
from git_exchange.collector.on_submission.run import Ended, run
from git_exchange.errors import ConfigurationError

SOMEBODY = "nobody"
COURSE = "calculus"


@functools.cache
def missing() -> str:
    """Return why commands cannot be run as another user here, "" if they can."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        return "commands on submission as another user did not run: that takes root on Linux"
    with course_directory() as root:
        try:
            ready(rule(root, "true"), [])
        except ConfigurationError as error:
            return f"commands on submission as another user did not run: {error}"
    return ""


@functools.cache
def python() -> tuple[str, ...]:
    """Return how somebody else starts a Python with our packages, () if nothing of ours can be read by others."""
    packages = [path for path in sys.path if path.endswith("site-packages")]
    ours = str(Path(git_exchange.__file__).parent.parent)
    same_version = f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    with course_directory() as root:
        for found in ((sys.executable,), ("/usr/bin/env", f"PYTHONPATH={':'.join([*packages, ours])}", same_version)):
            if shut_in(rule(root), [*found, "-c", "import nbgrader, ipykernel, git_exchange.plugin"]).status == 0:
                return found
    return ()


@functools.cache
def engine() -> str:
    """Return podman or docker if its daemon really answers, "" otherwise."""
    for name in ("podman", "docker"):
        asked = [name, "info"]
        if shutil.which(name) and subprocess.run(asked, capture_output=True, timeout=30, check=False).returncode == 0:
            return name
    return ""


def rule(root: Path, *command: str, **changes: object) -> CollectRule:
    """Return a rule for the course directory that runs the command as somebody else."""
    plain = CollectRule(COURSE, ("*",), root, command, run_as=SOMEBODY, seconds=60.0)
    return replace(plain, **changes)  # type: ignore[arg-type]  # whatever the test wants


def shut_in(rule: CollectRule, command: list[str]) -> Ended:
    """Run a command as the rule would."""
    allowed: Ready = ready(replace(rule, on_submission=("true",)), [])
    with allowed.started(command) as start:
        return run(start, rule.seconds)


@contextmanager
def course_directory() -> Iterator[Path]:
    """Give a course directory as the how-to sets it up: pytest's own folders can be read by nobody else."""
    with tempfile.TemporaryDirectory(prefix="git-exchange-course-") as place:
        Path(place).chmod(0o755)
        yield shared(Path(place) / "course")


def shared(root: Path) -> Path:
    """Make the folders that somebody else may write to."""
    import grp
    import pwd

    group = pwd.getpwnam(SOMEBODY).pw_gid
    assert grp.getgrgid(group)
    for folder in (root / "autograded", root / "gradebook"):
        folder.mkdir(parents=True)
        os.chown(folder, -1, group)
        folder.chmod(0o2775)
    return root


def processes_with(text: str) -> list[str]:
    """Return the running commands that hold the text."""
    found = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in found.splitlines() if text in line and "ps -eo" not in line]
