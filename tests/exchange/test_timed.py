"""Timed releases by the commands that people use, on every forge; and that no student reads them before."""

from __future__ import annotations

import json
import shutil
import time
from datetime import datetime, timedelta, timezone

import pytest

from git_exchange.course.course import Course
from git_exchange.course.releases import releases
from git_exchange.errors import GitExchangeError, RemoteDenied
from git_exchange.forge.connect import connect
from git_exchange.rules import layout
from git_exchange.transport.fetch import fetch
from git_exchange.transport.protocol import ls_remote
from tests.exchange.classroom import COURSE, Classroom, Result
from tests.exchange.test_cycle import submit_work


def run(classroom: Classroom, *arguments: str) -> Result:
    return classroom.run(classroom.teacher, ["git-exchange", *arguments], classroom.root())


def course_of(classroom: Classroom, name: str) -> Course:
    settings = classroom.settings(f"cache-{name}")
    token = classroom.tokens[name]
    return Course(settings, COURSE, connect(settings, token), token)


def carry_out(classroom: Classroom) -> None:
    """Run what cron runs until something is released."""
    limit = time.monotonic() + 60
    while "1 released" not in (said := run(classroom, "scheduled", "run")).output:
        assert said.status == 0, said.output
        assert time.monotonic() < limit, said.output


def test_students_read_nothing_of_a_timed_release_before_it_is_due_and_fetch_it_then(classroom: Classroom) -> None:
    classroom.open("ann")
    classroom.make_release("ps1", data__txt="1")
    late = datetime.now(timezone.utc) + timedelta(days=1)
    done = run(classroom, "release", "ps1", "--at", f"{late:%Y-%m-%d %H:%M} UTC")
    assert done.status == 0, done.output
    assert "Scheduled: release ps1" in done.output
    (listed,) = json.loads(run(classroom, "scheduled", "list", "--json").output)
    assert (listed["kind"], listed["assignment_id"], listed["state"]) == ("release", "ps1", "waiting")
    teacher, ann = course_of(classroom, "teacher"), course_of(classroom, "ann")
    staff = teacher.staff()
    (staged,) = teacher.forge.branches(staff.id, layout.SCHEDULED)

    assert layout.STAFF not in [project.path for project in ann.projects()]
    with pytest.raises(GitExchangeError):
        ann.forge.find_project(f"{staff.group_path}/{layout.STAFF}")
    with pytest.raises(GitExchangeError):
        ann.forge.branches(staff.id, "")
    with pytest.raises(RemoteDenied):
        ls_remote(ann.git, ann.forge.git_url(staff), [staged.ref])
    with pytest.raises(RemoteDenied):
        ann.in_repository(
            lambda cache: cache.releases(), lambda copy: fetch(copy, ann.forge.git_url(staff), [staged.ref])
        )
    for project in ann.projects():
        assert not ann.forge.has_commit(project.id, staged.commit)
        assert [one.ref for one in ann.forge.branches(project.id, "") if "ps1" in one.ref] == []
    assert releases(ann) == []

    assert "Nothing" not in run(classroom, "scheduled", "list").output
    assert run(classroom, "scheduled", "cancel", "release", "ps1").status == 0
    assert "Nothing is scheduled" in run(classroom, "scheduled", "list").output

    soon = datetime.now(timezone.utc) + timedelta(seconds=5)
    done = run(classroom, "release", "ps1", "--at", soon.isoformat(timespec="seconds"))
    assert done.status == 0, done.output
    carry_out(classroom)
    assert datetime.now(timezone.utc) >= soon.replace(microsecond=0)
    classroom.ok("ann", "fetch_assignment", "ps1")
    assert (classroom.student("ann").work / "ps1" / "data.txt").read_text() == "1"
    assert run(classroom, "scheduled", "run").output.strip() == "nothing to do (of 0)"


def test_feedback_waits_among_the_staff_and_reaches_the_student_then(classroom: Classroom) -> None:
    classroom.open("ann")
    classroom.release()
    submit_work(classroom, "ann", "x = 2")
    classroom.ok("teacher", "collect", "ps1")
    nothing = run(classroom, "feedback", "ps1", "--at", "2030-01-01 10:00 UTC")
    assert (nothing.status, "generate_feedback" in nothing.output) == (1, True), nothing.output
    shutil.copytree(classroom.submitted("ann"), classroom.root() / "feedback" / "ann" / "ps1")
    (classroom.root() / "feedback" / "ann" / "ps1" / "p1.html").write_text("well done")
    soon = datetime.now(timezone.utc) + timedelta(seconds=5)
    done = run(classroom, "feedback", "ps1", "--at", soon.isoformat(timespec="seconds"))
    assert (done.status, "Scheduled: feedback ps1" in done.output) == (0, True), done.output
    shutil.rmtree(classroom.root() / "feedback")
    teacher, ann = course_of(classroom, "teacher"), course_of(classroom, "ann")
    (staged,) = teacher.forge.branches(teacher.staff().id, layout.SCHEDULED)
    for project in ann.projects():
        assert not ann.forge.has_commit(project.id, staged.commit)
        assert ann.forge.branches(project.id, "feedback/") == []
    carry_out(classroom)
    classroom.ok("ann", "fetch_feedback", "ps1")
    (page,) = (classroom.student("ann").work / "ps1" / "feedback").rglob("*.html")
    assert page.read_text() == "well done"


def test_release_is_a_command_beside_its_own(classroom: Classroom) -> None:
    classroom.open()
    classroom.make_release("ps1")
    classroom.make_release("purge")
    now = run(classroom, "release", "ps1")
    assert (now.status, "Released: ps1" in now.output) == (0, True), now.output
    again = run(classroom, "release", "ps1")
    assert again.status == 1
    assert "--force" in again.output
    assert "Traceback" not in again.output
    assert run(classroom, "release", "--force", "ps1").status == 0
    assert run(classroom, "release", "--", "purge").status == 0
    assert [one.assignment_id for one in releases(course_of(classroom, "teacher"))] == ["ps1", "purge"]
    assert "never" not in run(classroom, "release", "purge", "ps1", "--dry-run").output
    missing = run(classroom, "release", "ps9", "--at", "2030-01-01 10:00 UTC")
    assert missing.status == 1
    assert "Traceback" not in missing.output
    assert run(classroom, "scheduled", "cancel", "feedback", "ps1").status == 1
