"""A branch of the student's that is in the way of the submission, and how staff put it aside."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from git_exchange.cli.main import cli
from git_exchange.devserver import RunningServer
from git_exchange.errors import CourseError, NotStaff
from git_exchange.operations.repair import repair
from git_exchange.report import Report
from git_exchange.secret import Token
from tests.contract.working_copy import WorkingCopy
from tests.unit.school import COURSE, School

BLOCKING = "refs/heads/submit/ps1/x"


@pytest.fixture
def school(server: RunningServer, tmp_path: Path) -> Iterator[School]:
    opened = School(server.url, Token(server.admin_token), tmp_path)
    opened.open("ann", "ben", staff=(("grader", "grader"),))
    opened.release()
    yield opened


def repaired(school: School, by: str = "teacher") -> Report:
    return repair(school.course(by), school.forge(by), "ps1", "ann", listener=school.listen)


def block(school: School) -> str:
    copy = WorkingCopy(school.place / "copy")
    commit = copy.commit("in the way")
    url = school.course().forge.git_url(school.course().seat_project("ann"))
    assert copy.push(url, school.token("ann"), f"{commit}:{BLOCKING}", f"{commit}:{BLOCKING}2/y").accepted
    return commit


def test_the_student_is_told_what_is_in_the_way_and_who_can_help(school: School) -> None:
    block(school)
    with pytest.raises(CourseError, match="submit/ps1/x, which is in the way") as caught:
        school.submit("ann", "mine")
    assert "git-exchange repair ps1 ann" in caught.value.hint


def test_staff_put_it_aside_with_its_commits_and_the_student_submits(school: School) -> None:
    commit = block(school)
    report = repaired(school)
    assert report.counts == {"put aside": 2}
    branches = {
        branch.ref: branch.commit for branch in school.forge().branches(school.course().seat_project("ann").id, "")
    }
    kept = f"refs/heads/archive/xsubmit_2fps1_2fx-{commit[:12]}"
    assert branches[kept] == commit
    assert not [ref for ref in branches if ref.startswith("refs/heads/submit/")]
    school.submit("ann", "mine")
    assert school.collect().counts == {"collected": 1, "nothing": 1}
    assert repaired(school).counts == {}
    assert repaired(school).notes == ("Nothing is in the way of a submission.",)


def test_the_command_says_what_it_moved(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    block(school)
    monkeypatch.chdir(school.place)
    settings = school.settings()
    command = ["repair", "ps1", "ann", "--course", COURSE, "--kind", "gitlab"]
    command += ["--url", settings.url, "--namespace", settings.namespace]
    done = CliRunner().invoke(cli, command, env={"GIT_EXCHANGE_TOKEN": school.token("teacher").value})
    assert done.exit_code == 0, done.output
    assert "The branch submit/ps1/x is now archive/xsubmit_2fps1_2fx-" in done.output.replace("\n", " ")
    school.submit("ann", "mine")


def test_an_attempt_is_never_put_aside(school: School) -> None:
    submitted = school.submit("ann", "mine")
    assert repaired(school).counts == {}
    (branch,) = school.forge().branches(school.course().seat_project("ann").id, "submit/")
    assert (branch.ref, branch.commit) == ("refs/heads/submit/ps1", submitted.commit)


@pytest.mark.parametrize("who", ["ann", "ben", "grader"])
def test_who_is_no_instructor_is_refused_plainly(school: School, who: str) -> None:
    block(school)
    with pytest.raises(NotStaff):
        repaired(school, who)
    branches = school.forge().branches(school.course().seat_project("ann").id, "submit/")
    assert BLOCKING in {branch.ref for branch in branches}
