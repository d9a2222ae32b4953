"""``git-exchange export`` and ``verify``, as people run them, on every forge."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

from tests.exchange.classroom import COURSE, Classroom, Result, write_notebook


def export(classroom: Classroom, folder: Path) -> Result:
    return classroom.run(classroom.teacher, ["git-exchange", "export", COURSE, str(folder)])


def verify(classroom: Classroom, folder: Path, *options: str) -> Result:
    """Verify as somebody without a token, whose every way to a network is closed."""
    nowhere = {"GIT_EXCHANGE_URL": "", "GIT_EXCHANGE_TOKEN_FILE": "", "HTTPS_PROXY": "http://127.0.0.1:1"}
    stranger = classroom.person("stranger", scopes=("read_api",))
    (stranger.work / "nbgrader_config.py").unlink(missing_ok=True)
    return classroom.run(stranger, ["git-exchange", "verify", str(folder), *options], **nowhere)


def git(*arguments: str, folder: Path) -> str:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def index(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "index.json").read_text())
    return found


def worked(classroom: Classroom, *students: str) -> None:
    """Open a course in which these students have submitted."""
    classroom.open(*students)
    classroom.release()
    for student in students:
        classroom.ok(student, "fetch_assignment", "ps1")
        write_notebook(classroom.student(student).work / "ps1" / "p1.ipynb", f"x = '{student}'")
        classroom.ok(student, "submit", "ps1")


def test_a_course_is_exported_and_every_bundle_can_be_cloned_alone(classroom: Classroom, tmp_path: Path) -> None:
    worked(classroom, "ann", "ben")
    folder = tmp_path / "archive"
    result = export(classroom, folder)
    assert result.status == 0, result.output
    assert "4 exported (of 4)" in result.output
    projects = {one["path"]: one for one in index(folder)["projects"]}
    assert set(projects) == {"assignments", "staff", "student-ann", "student-ben"}
    ann = projects["student-ann"]
    assert (ann["project_id"], ann["student_id"]) == (classroom.seat("ann").id, "ann")
    # The seat's copy borrows from the releases; its bundle must not.
    git("clone", "--quiet", str(folder / ann["file"]), "ann", folder=tmp_path)
    assert "x = 'ann'" in git("show", "origin/submit/ps1:p1.ipynb", folder=tmp_path / "ann")
    assert len(git("log", "--format=%H", "origin/submit/ps1", folder=tmp_path / "ann").split()) == 2
    verified = verify(classroom, folder)
    assert verified.status == 0, verified.output
    assert "4 ok (of 4)" in verified.output
    (checksum,) = re.findall(r"kept elsewhere: ([0-9a-f]{64})", result.output)
    assert verify(classroom, folder, "--checksum", checksum).status == 0
    assert verify(classroom, folder, "--checksum", "0" * 64).status == 1


def test_an_export_run_again_fetches_only_what_changed(classroom: Classroom, tmp_path: Path) -> None:
    worked(classroom, "ann", "ben")
    folder = tmp_path / "archive"
    assert export(classroom, folder).status == 0
    again = export(classroom, folder)
    assert "4 unchanged (of 4)" in again.output
    write_notebook(classroom.student("ann").work / "ps1" / "p1.ipynb", "x = 3")
    classroom.ok("ann", "submit", "ps1")
    (folder / next(one["file"] for one in index(folder)["projects"] if one["path"] == "staff")).write_bytes(b"rot")
    third = export(classroom, folder)
    assert "2 exported" in third.output
    assert "2 unchanged" in third.output
    assert verify(classroom, folder).status == 0


def test_students_cannot_export(classroom: Classroom, tmp_path: Path) -> None:
    worked(classroom, "ann")
    command = ["git-exchange", "export", COURSE, str(tmp_path / "mine")]
    result = classroom.run(classroom.student("ann"), command)
    assert result.status == 1
    assert "not on the staff" in result.output
