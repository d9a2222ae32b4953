"""``git-exchange release purge`` and ``feedback purge``, as people run them, on every forge."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from git_exchange.course.protection import SEAT_RULES, STAFF_RULES
from git_exchange.rules import layout, trailers
from tests.exchange.classroom import COURSE, Classroom, Result
from tests.exchange.test_cycle import submit_work

SOLUTION = "the solution is 42"


def purge(classroom: Classroom, what: str, *arguments: str, name: str = "teacher") -> Result:
    return classroom.run(classroom.people[name], ["git-exchange", what, "purge", *arguments, "--course", COURSE])


def give(classroom: Classroom, student: str, page: str) -> None:
    """Release a page of feedback on what was collected last."""
    folder = classroom.root() / "feedback" / student / "ps1"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("timestamp.txt", "submission_secret.txt", ".git-exchange-attempt"):
        (folder / name).write_bytes((classroom.submitted(student) / name).read_bytes())
    (folder / "p1.html").write_text(page)
    classroom.ok("teacher", "release_feedback", "ps1")


def pages(classroom: Classroom, student: str) -> list[str]:
    """Return the pages that the student gets into an empty folder."""
    folder = classroom.student(student).work / "ps1" / "feedback"
    if folder.exists():
        shutil.rmtree(folder)
    classroom.ok(student, "fetch_feedback", "ps1")
    return sorted(path.read_text() for path in folder.rglob("*.html"))


def holding(folder: Path, text: str) -> list[str]:
    """Return the git repositories below the folder that have the text in any object, reachable or not."""
    found = []
    for git_dir in [*folder.rglob("releases.git"), *folder.rglob("seats/*.git")]:
        command = ["git", "--git-dir", str(git_dir), "cat-file", "--batch-all-objects", "--batch"]
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
        done = subprocess.run(command, env=environment, capture_output=True, check=True, timeout=60)
        found += [git_dir.name] if text.encode() in done.stdout else []
    return found


def head(classroom: Classroom, project_id: int, branch: str) -> tuple[str, str]:
    (found,) = [one for one in classroom.forge().branches(project_id, branch) if one.ref == f"refs/heads/{branch}"]
    return found.commit, found.message


@pytest.fixture
def released(classroom: Classroom) -> Classroom:
    """A course in which a solution was released, and ann has submitted on top of it."""
    classroom.open("ann", "ben")
    classroom.release("ps1", solution__txt=SOLUTION)
    submit_work(classroom, "ann", "x = 1")
    return classroom


def assignments(classroom: Classroom) -> int:
    path = layout.group_path(classroom.namespace, COURSE)
    return classroom.forge().find_project(f"{path}/{layout.ASSIGNMENTS}").id


def test_a_dry_run_names_what_goes_and_who_keeps_it_and_changes_nothing(released: Classroom) -> None:
    project = assignments(released)
    before = head(released, project, "release/ps1")
    result = purge(released, "release", "ps1", "--dry-run")
    assert result.status == 0, result.output
    assert "solution.txt" in result.output
    assert "1 submitted on top of the release" in result.output
    assert "not rewritten: ann" in result.output
    assert "does not record who fetched" in result.output
    assert head(released, project, "release/ps1") == before


def test_a_purged_release_is_out_of_the_branch_and_what_can_still_be_had_is_said(released: Classroom) -> None:
    project, forge = assignments(released), released.forge()
    old, _ = head(released, project, "release/ps1")
    result = purge(released, "release", "ps1", "--yes", "--reason", "the solution")
    assert result.status == 0, result.output
    now, message = head(released, project, "release/ps1")
    said = trailers.parse(message)
    assert now != old
    assert said.first(trailers.WITHDRAWN) == "yes"
    assert (said.first(trailers.PURGED) or "").endswith(f"by {released.people['teacher'].username}: the solution")
    assert set(forge.rules(project)) >= set(STAFF_RULES)
    assert not forge.ensure_rules(project, STAFF_RULES)
    # Both kinds of forge still answer by the id; that has to be said, and who can make them stop.
    assert forge.has_commit(project, old)
    assert "it can still be had as" in result.output
    assert "commits by their id, through the API" in result.output
    assert "commits by their id, through git fetch" in result.output
    assert ("at least 30 minutes" in result.output) is (released.kind == "gitlab")
    assert ("git gc --prune=now" in result.output) is (released.kind == "gitea")
    checked = purge(released, "release", "ps1", "--check")
    assert checked.status == 1
    assert f"{COURSE} ps1" not in released.ok("ben", "list").partition("Released assignments:")[2]


def test_purging_leaves_nothing_in_the_local_copies_of_who_did_it(released: Classroom) -> None:
    released.ok("teacher", "collect", "ps1")
    assert holding(released.teacher.place, SOLUTION)
    assert purge(released, "release", "ps1", "--yes", "--reason", "the solution").status == 0
    assert not holding(released.teacher.place, SOLUTION)
    # The corrected release goes on top; ann's work is collected as before, from a history that is fetched again.
    released.release("ps1")
    submit_work(released, "ben", "x = 2")
    submit_work(released, "ann", "x = 3")
    assert "Updating submission: ann ps1" in released.ok("teacher", "collect", "ps1", "--update")
    assert released.submitted("ben").is_dir()
    assert "nothing (more) to purge" not in purge(released, "release", "ps1", "--dry-run").output


def test_purging_needs_a_reason_and_a_yes(released: Classroom) -> None:
    project = assignments(released)
    before = head(released, project, "release/ps1")
    assert "--reason" in purge(released, "release", "ps1", "--yes").output
    assert purge(released, "release", "ps1", "--reason", "x").status == 130
    assert head(released, project, "release/ps1") == before


def test_a_student_cannot_purge(released: Classroom) -> None:
    result = purge(released, "release", "ps1", "--yes", "--reason", "x", name="ann")
    assert result.status == 1
    assert "not on the staff" in result.output


def test_feedback_on_one_attempt_is_purged_and_the_rest_stays(released: Classroom) -> None:
    for text, page in (("x = 2", "meant for ben"), ("x = 3", "meant for ann")):
        submit_work(released, "ann", text)
        released.pushes("ann")
        released.ok("teacher", "collect", "ps1", "--update")
        give(released, "ann", page)
    seat, forge = released.seat("ann"), released.forge()
    assert pages(released, "ann") == ["meant for ann", "meant for ben"]
    assert holding(released.teacher.place, "meant for ben")
    # The fixture's submission is attempt 1.
    options = ("ps1", "--student", "ann", "--attempt", "2", "--yes", "--reason", "went to the wrong person")
    result = purge(released, "feedback", *options)
    assert result.status == 0, result.output
    assert "What ann fetched before stays" in result.output
    assert not forge.ensure_rules(seat.id, SEAT_RULES)
    assert pages(released, "ann") == ["meant for ann"]
    assert not holding(released.teacher.place, "meant for ben")
    assert holding(released.teacher.place, "meant for ann")
    assert "nothing (more) to purge" in purge(released, "feedback", *options).output
    everything = purge(released, "feedback", "ps1", "--student", "ann", "--yes", "--reason", "all of it")
    assert everything.status == 0, everything.output
    assert not holding(released.teacher.place, "meant for ann")
    assert "(feedback ready to be fetched)" not in released.ok("ann", "list", "--cached")
