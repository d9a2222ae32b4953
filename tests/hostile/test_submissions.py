"""Hostile submissions: nothing outside, nobody else stopped, memory and disk bounded, and each named with its reason.

Two readings of every case. The first goes through everything: pushed by the student, collected with everybody else's
work in one go. Most of it ends at git's own checks, in the forge or in our fetch. The second is what stands behind
them: the tree as it is, without any check of git's, written by what writes submissions.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from git_exchange.errors import GitExchangeError, HostileRepository
from git_exchange.events import Event, Progress
from git_exchange.files.paths import display
from git_exchange.operations import sidecar
from git_exchange.operations.handed_in import write_work
from git_exchange.operations.policy import EVERYTHING
from git_exchange.transport.cache import Repository
from git_exchange.transport.command import Git
from tests.hostile.case import Case
from tests.hostile.cases import BY_NAME, CASES
from tests.hostile.conftest import HONEST, Collected, student_of

OURS = set(sidecar.RESERVED)
MEGA = 1_000_000


def files_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir() or path.is_symlink()}


def written(case: Case) -> set[str]:
    return set() if case.kept is None else {"p1.ipynb", *case.kept}


def says(lines: list[str], name: str, reason: str) -> bool:
    return any(name in line and reason in line for line in lines)


def test_there_are_enough_cases_and_their_names_are_their_own() -> None:
    assert len(CASES) >= 100
    assert len(BY_NAME) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_hostile_submission_is_collected_without_harm_or_failed_with_the_reason(
    collected: Collected, case: Case
) -> None:
    student = student_of(case)
    (outcome,) = [outcome for outcome in collected.report.outcomes if outcome.subject == student]
    target = collected.school.submitted(student)
    about = (f"{student}:", f"Could not collect {student} ")
    lines = [event.message for event in collected.school.said if event.message.startswith(about)]
    assert (student in collected.accepted) != case.refused
    if not case.branch:
        assert outcome.status == "nothing"
    elif case.fails:
        assert (outcome.status, target.exists()) == ("failed", False)
        assert case.fails in outcome.detail
        assert len(outcome.detail) < 1_000
    else:
        assert outcome.status == "collected"
        assert files_in(target) == written(case) | OURS
        assert not any(path.is_symlink() for path in target.rglob("*"))
        assert (target / "p1.ipynb").read_text() == "mine"
        assert (target / "timestamp.txt").read_text().endswith(" UTC")
        assert not (target / "timestamp.txt").read_text().startswith("2000")
        for name, reason in case.left_out:
            assert says(lines, name, reason), lines
    assert all(display(line) == line for line in lines)
    assert len(lines) <= 12


@pytest.mark.parametrize("name", HONEST)
def test_everybody_else_is_collected(collected: Collected, name: str) -> None:
    assert (collected.school.submitted(name) / "p1.ipynb").read_text() == f"by {name}"


def test_the_outcomes_add_up(collected: Collected) -> None:
    assert len(collected.report.outcomes) == len(CASES) + len(HONEST)
    assert set(collected.report.counts) == {"collected", "failed", "nothing"}


def test_nothing_was_written_outside_of_the_students_own_folders(collected: Collected) -> None:
    assert collected.outside == {"course", "course/submitted"} & collected.outside
    submitted = collected.school.root / "submitted"
    students = {student_of(case) for case in CASES} | set(HONEST)
    assert {path.name for path in submitted.iterdir()} <= students
    assert all({path.name for path in folder.iterdir()} <= {"ps1"} for folder in submitted.iterdir())
    assert not list(submitted.rglob("*.part"))


def test_memory_and_disk_stay_bounded_whatever_is_handed_in(collected: Collected) -> None:
    # Eight at a time; one listing may have 16 MB, and what becomes of it some times that.
    assert collected.own_memory < 400 * MEGA, collected.own_memory
    assert 0 < collected.git_memory < 400 * MEGA, collected.git_memory
    assert collected.cache < 50 * MEGA
    assert sum(path.stat().st_size for path in collected.school.root.rglob("*") if path.is_file()) < 10 * MEGA


def test_no_object_may_ask_for_more_memory_than_there_is(collected: Collected, tmp_path: Path) -> None:
    """A forge may hand on the deltas that it got, in which a few bytes stand for gigabytes."""
    (pack,) = (collected.builds / student_of(BY_NAME["size: a delta that expands"])).glob("objects/pack/*.pack")
    git = Git()
    git.run(["init", "--quiet", "--bare"], git_dir=tmp_path / "here.git")
    with pytest.raises(HostileRepository, match="memory"):
        git.run(["index-pack", "--stdin"], git_dir=tmp_path / "here.git", stdin=pack.read_bytes())


READABLE = [case for case in CASES if case.left_out or (case.kept and not case.fails)]


@pytest.mark.parametrize("case", READABLE, ids=lambda case: case.name)
def test_behind_the_checks_of_git_stand_our_own(collected: Collected, tmp_path: Path, case: Case) -> None:
    student = student_of(case)
    git_dir = collected.builds / student
    repository = Repository(git_dir, Git())
    target = tmp_path / "deep" / "inside" / "target"
    target.mkdir(parents=True)
    lines: list[str] = []

    def listen(event: Event | Progress) -> None:
        if isinstance(event, Event):
            lines.append(event.message)

    commit = collected.commits[student]
    try:
        write_work(repository, commit, target, EVERYTHING, student_id=student, released=("p1.ipynb",), listener=listen)
    except GitExchangeError as error:
        lines.append(str(error))
    assert files_in(tmp_path) <= {f"deep/inside/target/{name}" for name in written(case)}
    for name, reason in case.left_out:
        assert says(lines, name, reason), lines
    assert all(display(line) == line for line in lines)
