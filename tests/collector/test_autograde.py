"""From a student's `nbgrader submit` to the grade: delivered, recorded, collected and autograded as another user.

The notebook that is autograded tries what a student's code could do there, and writes down what came of it.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.api import Gradebook
from nbgrader.utils import compute_checksum

from git_exchange.cli.main import cli
from git_exchange.collector.inbox import Inbox
from git_exchange.collector.values import Arrival
from git_exchange.devserver import RunningServer
from git_exchange.operations import release
from git_exchange.secret import Token
from tests.collector import shut_in
from tests.unit.school import COURSE, RULES, School

pytestmark = pytest.mark.skipif("shut_in.missing() or not shut_in.python()", reason="told at the end")

TEST = "assert x == 1"
HOSTILE = """\
import glob, json, os, socket, subprocess
x, found = 1, {{}}

def attempt(name, action):
    try:
        found[name] = repr(action())
    except Exception as error:
        found[name] = type(error).__name__

attempt("token", lambda: open({token!r}).read())
attempt("key", lambda: open({key!r}).read())
attempt("database", lambda: open({database!r}, "ab"))
attempt("configuration", lambda: open({course!r} + "/nbgrader_config.py", "a"))
attempt("others", lambda: open({course!r} + "/submitted/ann/ps1/timestamp.txt", "a"))
attempt("server", lambda: socket.create_connection(("127.0.0.1", {port}), 5))
attempt("outside", lambda: socket.create_connection(("192.0.2.1", 80), 5))
attempt("root", lambda: os.setuid(0))
environments = [open(file, "rb").read() for file in glob.glob("/proc/[0-9]*/environ") if os.access(file, os.R_OK)]
found["environments"] = sum(b"GIT_EXCHANGE" in one or b"JUPYTERHUB" in one for one in environments)
found["user"] = os.getuid()
subprocess.Popen(["setsid", "sh", "-c", "while true; do date >> {course}/autograded/alive; sleep 0.1; done"])
print(json.dumps(found))
"""
CONFIGURATION = """\
from git_exchange.plugin import configure
c = get_config()
configure(c, {url!r}, namespace={namespace!r}, kind="gitlab")
c.CourseDirectory.course_id = {course!r}
"""


@pytest.fixture
def school(tmp_path: Path) -> Iterator[School]:
    with RunningServer(tmp_path / "server") as server:
        opened = School(server.url, Token(server.admin_token), tmp_path)
        opened.open("ann")
        yield opened


@pytest.fixture
def root(school: School) -> Iterator[Path]:
    """The instructor's course directory with ps1 as `nbgrader generate_assignment` leaves it."""
    with shut_in.course_directory() as folder:
        more = f"c.CourseDirectory.db_url = 'sqlite:///{folder}/gradebook/gradebook.db'\n"
        (folder / "nbgrader_config.py").write_text(configuration(school) + more)
        (folder / "nbgrader_config.py").chmod(0o666)
        source = folder / "source" / "ps1" / "p1.ipynb"
        write(source, "x = ...")
        answer, test = (compute_checksum(cell) for cell in nbformat.read(source, as_version=4).cells)
        with Gradebook(f"sqlite:///{folder}/gradebook/gradebook.db", COURSE) as book:
            book.add_assignment("ps1")
            book.add_notebook("p1", "ps1")
            book.add_solution_cell("answer", "p1", "ps1")
            book.add_grade_cell("test", "p1", "ps1", max_score=3, cell_type="code")
            book.add_source_cell("answer", "p1", "ps1", cell_type="code", source="x = ...", checksum=answer)
            book.add_source_cell("test", "p1", "ps1", cell_type="code", source=TEST, locked=True, checksum=test)
        (folder / "gradebook" / "gradebook.db").chmod(0o664)
        yield folder


def configuration(school: School) -> str:
    return CONFIGURATION.format(url=school.url, namespace=school.settings().namespace, course=COURSE)


def write(path: Path, answer: str) -> None:
    cells = [
        new_code_cell(source, metadata={"nbgrader": {**said, "schema_version": 3, "task": False}})
        for source, said in (
            (answer, {"grade_id": "answer", "grade": False, "solution": True, "locked": False}),
            (TEST, {"grade_id": "test", "grade": True, "solution": False, "locked": True, "points": 3}),
        )
    ]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    path.parent.mkdir(parents=True)
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(new_notebook(cells=cells, metadata=kernel), path)


def outputs(path: Path) -> dict[str, Any]:
    document = nbformat.read(path, as_version=4)
    (printed,) = [output["text"] for output in document.cells[0].outputs if output.get("name") == "stdout"]
    found: dict[str, Any] = json.loads(printed)
    return found


def test_a_submission_is_recorded_collected_and_autograded_by_itself_and_its_code_gets_nowhere(
    school: School, root: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    place = root.parent
    for name, text in (("token", school.token("teacher").value), ("keys", "0" * 64)):
        (place / name).touch(mode=0o600)
        (place / name).write_text(f"{text}\n")
    config = place / "collector.toml"
    command = [*shut_in.python(), "-m", "nbgrader", "autograde", "{assignment}", "--student={student}"]
    config.write_text(
        f'url = "{school.url}"\nnamespace = "{school.settings().namespace}"\nkind = "gitlab"\ncourses = ["{COURSE}"]\n'
        f'cache_dir = "{school.place}/cache/collector"\n'
        f'[hooks]\npublic_url = "https://collector.example.edu"\nkeys_file = "keys"\n'
        f'[storage]\ndatabase = "sqlite:///{place}/inbox.db"\nqueue = "sqlite:///{place}/queue.db"\n'
        f'[[collect]]\ncourse = "{COURSE}"\nassignments = ["ps*"]\ncourse_dir = "{root}"\nseconds = 120\n'
        f'run_as = "{shut_in.SOMEBODY}"\non_submission = {json.dumps(command)}\n'
    )
    release.release(school.course(), "ps1", root / "source" / "ps1", RULES)

    # The student.
    work = school.place / "ann"
    with socket.create_server(("127.0.0.1", 0)) as server:
        hostile = HOSTILE.format(
            token=str(place / "token"),
            key=str(place / "keys"),
            database=str(place / "inbox.db"),
            course=str(root),
            port=server.getsockname()[1],
        )
        write(work / "ps1" / "p1.ipynb", hostile)
        (work / "nbgrader_config.py").write_text(configuration(school))
        submitted = subprocess.run(
            [sys.executable, "-m", "nbgrader", "submit", "ps1"],
            cwd=work,
            env={**os.environ, "GIT_EXCHANGE_TOKEN": school.token("ann").value},
            capture_output=True,
            text=True,
            check=False,
        )
        assert submitted.returncode == 0, submitted.stderr

        # The collector.
        inbox = Inbox.open(f"sqlite:///{place}/inbox.db")
        seat = school.course().seat_project("ann")
        head = school.forge().branches(seat.id, "submit/")[0]
        assert inbox.receive(Arrival("hook:1:a", COURSE, seat.id, head.ref, head.commit, datetime.now(timezone.utc)))
        monkeypatch.setenv("GIT_EXCHANGE_TOKEN_FILE", str(place / "token"))
        cli.main(["collector", "check", "--config", str(config)], standalone_mode=False)
        assert f"is run as the user {shut_in.SOMEBODY}" in capfd.readouterr().out
        cli.main(["collector", "work", "--config", str(config), "--once"], standalone_mode=False)
        server.settimeout(0)
        with pytest.raises(BlockingIOError):
            server.accept()

    assert inbox.counts().recorded == 1
    (log,) = (root / ".git-exchange" / "on-submission").glob("*.log")
    assert not inbox.marks("afterwards failed"), log.read_text()
    inbox.close()
    with Gradebook(f"sqlite:///{root}/gradebook/gradebook.db", COURSE) as book:
        assert book.find_submission("ps1", "ann").score == 3
    found = outputs(root / "autograded" / "ann" / "ps1" / "p1.ipynb")
    assert found.pop("user") not in (0, os.getuid())
    assert found == {
        "token": "PermissionError",
        "key": "PermissionError",
        "database": "PermissionError",
        "configuration": "OSError",  # whatever its mode: the file system is read-only
        "others": "PermissionError",
        "server": "ConnectionRefusedError",
        "outside": "OSError",  # no such network
        "root": "PermissionError",
        "environments": 0,
    }
    assert not shut_in.processes_with("autograded/alive")
