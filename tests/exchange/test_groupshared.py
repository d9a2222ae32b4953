"""A course directory that several graders share: what one of them collects, all of them can use (``groupshared``)."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from tests.exchange.classroom import Classroom

SHARED = "--CourseDirectory.groupshared=True"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no mode bits")


@pytest.fixture
def strict_umask(classroom: Classroom) -> None:
    """Have the course, with everything in place, and a umask that would keep the group out."""
    classroom.open("ann")
    for assignment in ("ps1", "ps2"):
        classroom.release(assignment)
        classroom.ok("ann", "fetch_assignment", assignment)
        folder = classroom.student("ann").work / assignment / "data"
        folder.mkdir()
        (folder / "run.sh").write_text("#!/bin/sh\n")
        (folder / "run.sh").chmod(0o755)
        classroom.ok("ann", "submit", assignment)
    root = classroom.root()
    root.chmod(0o2775)
    with (root / "nbgrader_config.py").open("a") as file:
        file.write("import os\nos.umask(0o077)\n")


def modes(top: Path) -> dict[str, int]:
    found = [top, *(Path(parent, name) for parent, folders, files in os.walk(top) for name in (*folders, *files))]
    return {str(path.relative_to(top)): stat.S_IMODE(path.stat().st_mode) for path in found}


@pytest.mark.usefixtures("strict_umask")
def test_the_group_can_read_replace_and_add_to_what_was_collected(classroom: Classroom) -> None:
    classroom.ok("teacher", "collect", "ps1", SHARED)
    found = modes(classroom.root() / "submitted")
    folders = {".", "ann", "ann/ps1", "ann/ps1/data"}
    assert {name: oct(mode) for name, mode in found.items() if name in folders} == dict.fromkeys(folders, "0o2775")
    assert oct(found.pop("ann/ps1/data/run.sh")) == "0o775"
    files = {name: oct(mode) for name, mode in found.items() if name not in folders}
    assert files == dict.fromkeys(files, "0o664")
    assert {"ann/ps1/p1.ipynb", "ann/ps1/timestamp.txt", "ann/ps1/.git-exchange-attempt"} <= files.keys()


@pytest.mark.usefixtures("strict_umask")
def test_without_groupshared_the_umask_decides(classroom: Classroom) -> None:
    classroom.ok("teacher", "collect", "ps1")
    assert not any(mode & 0o077 for mode in modes(classroom.submitted("ann")).values())


@pytest.mark.usefixtures("strict_umask")
def test_a_second_grader_can_take_the_locks_and_collect_into_the_same_folders(classroom: Classroom) -> None:
    classroom.ok("teacher", "collect", "ps1", SHARED)
    left = modes(classroom.root() / ".git-exchange")
    assert left
    assert {name: oct(mode) for name, mode in left.items() if mode & 0o060 != 0o060} == {}
    classroom.ok("teacher", "collect", "ps2", SHARED)
    assert oct(modes(classroom.submitted("ann", "ps2"))["."]) == "0o2775"
