"""A student submits to a server that has ``hooks/pre-receive`` installed as an administrator installs it."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest

from git_exchange.rules import layout
from tests.exchange.classroom import Classroom
from tests.exchange.conftest import Server
from tests.hooks.conftest import SCRIPT


def repository(server: Server, classroom: Classroom, student: str) -> Path:
    """Return where the server keeps the student's project."""
    assert server.folder is not None
    if server.kind == "gitea":
        (found,) = server.folder.glob(f"data/*repositories/*{classroom.mark}*/{layout.seat_name(student)}.git")
        return found
    with sqlite3.connect(server.folder / "server.sqlite3") as database:
        query = "SELECT storage FROM projects WHERE id = ?"
        (storage,) = database.execute(query, (classroom.seat(student).id,)).fetchone()
    return server.folder / "repositories" / str(storage)


def install(server: Server, place: Path) -> None:
    hooks = place / ("hooks" if server.kind == "gitea" else "custom_hooks") / "pre-receive.d"
    hooks.mkdir(parents=True, exist_ok=True)
    shutil.copy(SCRIPT, hooks / "git-exchange")


def test_a_refused_submission_tells_the_student_what_to_change_and_the_next_one_arrives(
    server: Server, classroom: Classroom
) -> None:
    if server.folder is None:
        pytest.skip("only on a server of ours a hook can be installed")
    classroom.open("alice")
    classroom.release(data__csv="1,2\n")
    classroom.ok("alice", "fetch_assignment", "ps1")
    place = repository(server, classroom, "alice")
    install(server, place)
    subprocess.run(["git", "--git-dir", str(place), "config", "gitexchange.maxFileSize", "100k"], check=True)
    work = classroom.student("alice").work / "ps1"
    (work / "video.mp4").write_bytes(bytes(200_000))

    said = classroom.fails("alice", "submit", "ps1")
    assert "Nothing was submitted: the server does not take it." in said
    assert "video.mp4: it has 200,000 bytes, and 102,400 are allowed for a file." in said
    assert "Take it out or make it smaller, and submit again." in said
    assert "GL-HOOK-ERR" not in said
    assert "taken off the course" not in said
    assert str(place) not in said
    assert classroom.pushes("alice") == []

    (work / "video.mp4").unlink()
    assert "Submitted as: calc 101 ps1" in classroom.ok("alice", "submit", "ps1")
    assert len(classroom.pushes("alice")) == 1
