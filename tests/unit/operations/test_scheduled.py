"""Releases that wait for their time, on the development server."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from git_exchange.course.releases import releases
from git_exchange.errors import AlreadyReleased, AssignmentNotFound, CourseError, ForgeUnreachable, NotStaff
from git_exchange.operations import scheduled_release
from git_exchange.operations.release import release, withdraw
from git_exchange.operations.scheduled import cancel, carry_out_scheduled, next_scheduled, overdue, scheduled
from git_exchange.operations.scheduled_release import schedule_release
from git_exchange.rules import trailers
from git_exchange.rules.schedule import Scheduled
from git_exchange.transport.objects import history, list_tree
from tests.unit.operations.timed import SOON, carry_out, statuses
from tests.unit.school import RULES, School


def plan(school: School, text: str = "x", assignment_id: str = "ps1", **options: Any) -> Scheduled | None:
    folder = school.folder(f"release-{assignment_id}", {"p1.ipynb": text, "data/a.csv": "1,2"})
    (folder / "empty").mkdir()
    return schedule_release(school.course(), assignment_id, folder, RULES, **{"at": SOON, **options})


def commits(school: School, assignment_id: str = "ps1") -> list[str]:
    """Return the messages of the assignment's releases, oldest first."""
    course = school.course()
    (found,) = [one for one in releases(course) if one.assignment_id == assignment_id]
    scheduled_release.ensure_fetched(course, found)
    return course.in_repository(
        lambda cache: cache.releases(),
        lambda repository: [commit.message for commit in history(repository, found.commit, limit=100)],
    )


def paths(school: School, assignment_id: str = "ps1") -> list[bytes]:
    course = school.course()
    (found,) = [one for one in releases(course) if one.assignment_id == assignment_id]
    scheduled_release.ensure_fetched(course, found)
    return course.in_repository(
        lambda cache: cache.releases(),
        lambda repository: [entry.path for entry in list_tree(repository, found.commit)],
    )


def test_a_release_goes_out_when_it_is_due_and_not_before(school: School) -> None:
    school.open(staff=(("robot", "instructor"),))
    due = SOON + timedelta(days=7)
    assert plan(school, due=due) is None
    (waiting,) = scheduled(school.course())
    assert (waiting.kind, waiting.assignment_id, waiting.at, waiting.state) == ("release", "ps1", SOON, "waiting")
    assert next_scheduled(school.course()) == SOON
    assert carry_out(school, "robot", by=timedelta()) == []
    assert releases(school.course()) == []
    assert statuses(carry_out(school, "robot")) == [("release ps1", "released")]
    (found,) = releases(school.course())
    assert (found.due, found.notebooks) == (due, ("p1.ipynb",))
    assert paths(school) == [b"data/a.csv", b"p1.ipynb"]
    (message,) = commits(school)
    said = trailers.parse(message)
    assert (said.first(trailers.SCHEDULED_BY) or "").startswith("Teacher <")
    assert said.first(trailers.RELEASE_AT) is None
    assert said.all(trailers.EMPTY_DIRECTORY) == ("empty",)
    assert scheduled(school.course()) == []
    assert next_scheduled(school.course()) is None
    assert carry_out(school) == []


def test_nothing_goes_out_early_by_a_wrong_clock_of_the_collectors_machine(school: School) -> None:
    school.open()
    plan(school)
    course = school.course()
    report = carry_out_scheduled(course, course.forge, SOON + timedelta(days=1))
    assert report.outcomes == ()
    assert releases(school.course()) == []


def test_who_was_killed_before_noting_it_does_not_release_twice(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    school.open()
    plan(school)

    def killed(*_: object) -> bool:
        raise ForgeUnreachable("The cable was cut.")

    with monkeypatch.context() as broken:
        broken.setattr(scheduled_release, "end", killed)
        assert statuses(carry_out(school)) == [("release ps1", "failed")]
    assert len(commits(school)) == 1
    (left,) = scheduled(school.course())
    assert left.failed == ""
    school.release(force=True)
    assert statuses(carry_out(school)) == [("release ps1", "unchanged")]
    assert len(commits(school)) == 2
    assert scheduled(school.course()) == []


def test_a_second_collector_that_is_as_fast_finds_the_release_of_the_first(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    school.open(staff=(("robot", "instructor"),))
    plan(school)
    real = scheduled_release.put

    def overtaken(*arguments: Any, **options: Any) -> Any:
        monkeypatch.setattr(scheduled_release, "put", real)
        assert statuses(carry_out(school, "robot")) == [("release ps1", "released")]
        return real(*arguments, **options)

    monkeypatch.setattr(scheduled_release, "put", overtaken)
    assert statuses(carry_out(school)) == [("release ps1", "unchanged")]
    assert len(commits(school)) == 1


def test_scheduling_again_replaces_and_says_what_it_replaced(school: School) -> None:
    school.open()
    plan(school, "first")
    earlier = plan(school, "second", at=SOON + timedelta(minutes=5))
    assert earlier is not None
    assert earlier.at == SOON
    (waiting,) = scheduled(school.course())
    assert waiting.at == SOON + timedelta(minutes=5)
    carry_out(school)
    (message,) = commits(school)
    assert (trailers.parse(message).first(trailers.SCHEDULE)) == waiting.mark


def test_what_is_cancelled_does_not_go_out_and_can_be_scheduled_again(school: School) -> None:
    school.open()
    plan(school)
    assert cancel(school.course(), "release", "ps1").at == SOON
    assert scheduled(school.course()) == []
    with pytest.raises(AssignmentNotFound, match="scheduled list"):
        cancel(school.course(), "release", "ps1")
    assert carry_out(school) == []
    assert releases(school.course()) == []
    plan(school)
    assert statuses(carry_out(school)) == [("release ps1", "released")]


def test_a_release_by_hand_meanwhile_is_not_overwritten_and_the_list_says_so(school: School) -> None:
    school.open()
    plan(school, "scheduled")
    plan(school, assignment_id="ps2")
    folder = school.folder("by-hand", {"p1.ipynb": "by hand"})
    release(school.course(), "ps1", folder, RULES)
    outcomes = carry_out(school)
    assert statuses(outcomes) == [("release ps1", "failed"), ("release ps2", "released")]
    assert "released something else" in outcomes[0].detail
    (failed,) = scheduled(school.course())
    assert failed.state == "failed"
    assert "released something else" in failed.failed
    assert len(commits(school)) == 1
    head = school.course().forge.branches(school.course().staff().id, "scheduled/release/ps1")[0].commit
    assert statuses(carry_out(school)) == [("release ps1", "failed")]
    assert school.course().forge.branches(school.course().staff().id, "scheduled/release/ps1")[0].commit == head
    with pytest.raises(AlreadyReleased):
        plan(school, "scheduled")
    plan(school, "scheduled", force=True)
    assert statuses(carry_out(school)) == [("release ps1", "released")]
    assert len(commits(school)) == 2


def test_the_same_files_released_by_hand_meanwhile_are_no_failure(school: School) -> None:
    school.open()
    plan(school)
    release(school.course(), "ps1", school.place / "release-ps1", RULES)
    (outcome,) = carry_out(school)
    assert (outcome.status, outcome.detail) == ("unchanged", "released by hand with the same files")
    assert len(commits(school)) == 1
    assert scheduled(school.course()) == []


def test_an_assignment_that_was_withdrawn_meanwhile_stays_withdrawn(school: School) -> None:
    school.open()
    school.release()
    plan(school, force=True)
    withdraw(school.course(), "ps1")
    (outcome,) = carry_out(school)
    assert outcome.status == "failed"
    assert "withdrawn" in outcome.detail
    assert releases(school.course())[0].withdrawn


def test_bad_times_and_people_without_the_right_are_refused(school: School) -> None:
    school.open("ann", staff=(("gina", "grader"),))
    with pytest.raises(CourseError, match="Leave --at out"):
        plan(school, at=SOON - timedelta(hours=2))
    folder = school.folder("mine", {"p1.ipynb": "x"})
    for name in ("ann", "gina"):
        with pytest.raises(NotStaff):
            schedule_release(school.course(name), "ps1", folder, RULES, at=SOON)
    with pytest.raises(NotStaff):
        scheduled(school.course("ann"))
    assert scheduled(school.course()) == []


def test_what_nobody_carried_out_is_overdue() -> None:
    waiting = Scheduled("release", "ps1", SOON, "mark", "Teacher <t@example.invalid>")
    assert overdue([waiting], SOON + timedelta(minutes=5)) == []
    assert overdue([waiting], SOON + timedelta(hours=1)) == [waiting]
    assert overdue([replace(waiting, failed="it was withdrawn")], SOON + timedelta(hours=1)) == []
