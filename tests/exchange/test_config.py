"""``git-exchange config``: nbgrader works with the file as it was written."""

from __future__ import annotations

import pytest

from tests.exchange.classroom import COURSE, Classroom, Result, write_notebook


def config(classroom: Classroom, name: str, *options: str) -> Result:
    someone = classroom.person(name)
    folder = classroom.root() if name == "teacher" else someone.work
    return classroom.run(someone, ["git-exchange", "config", *options], folder)


def test_instructor_and_student_work_with_what_was_written(classroom: Classroom) -> None:
    classroom.open("ann")
    for name in ("teacher", "ann"):
        folder = classroom.root() if name == "teacher" else classroom.student(name).work
        (folder / "nbgrader_config.py").unlink()
    chosen = {"teacher": ("--role", "instructor", "--course", COURSE), "ann": ("--role", "student")}
    for name, options in chosen.items():
        done = config(classroom, name, *options, "--output", "nbgrader_config.py")
        assert (done.status, "Fill in" in done.output) == (0, False), done.output
    classroom.release()
    assert f"{COURSE} ps1" in classroom.ok("ann", "list")
    for command in ("fetch_assignment", "submit"):
        classroom.ok("ann", command, "--course", COURSE, "ps1")
        if command == "fetch_assignment":
            write_notebook(classroom.student("ann").work / COURSE / "ps1" / "p1.ipynb", "x = 2")
    collected = classroom.ok("teacher", "collect", "ps1")
    assert "Collecting submission: ann ps1" in collected
    assert (classroom.submitted("ann") / "p1.ipynb").exists()


def test_a_file_that_exists_is_not_overwritten_unless_one_says_so(classroom: Classroom) -> None:
    file = classroom.teacher.work / "written.py"
    file.write_text("mine")
    arguments = ("--course", COURSE, "--output", str(file))
    refused = config(classroom, "teacher", *arguments)
    assert refused.status == 1
    assert "--force" in refused.output
    assert file.read_text() == "mine"
    assert config(classroom, "teacher", *arguments, "--force").status == 0
    assert classroom.url in file.read_text()


def test_what_is_not_known_is_asked_for(classroom: Classroom) -> None:
    done = classroom.run(
        classroom.teacher,
        ["git-exchange", "config"],
        GIT_EXCHANGE_URL="",
        GIT_EXCHANGE_NAMESPACE="",
        GIT_EXCHANGE_KIND="",
    )
    assert done.status == 0
    assert "run this with --url, --namespace, --course" in done.output


@pytest.mark.parametrize("option", ["c.GitExchange.url", "c.ExchangeCollect.update", "c.Exchange.timezone"])
def test_help_all_explains_every_option(classroom: Classroom, option: str) -> None:
    done = config(classroom, "teacher", "--help-all")
    assert done.status == 0
    assert f"{option}: " in done.output
