from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from git_exchange.cli.collector import collector
from git_exchange.collector import worker as worker_module
from git_exchange.collector.config import Storage
from git_exchange.collector.health import health
from git_exchange.collector.jobs import Jobs
from git_exchange.course.attempts import Reading
from git_exchange.course.course import Course
from git_exchange.course.receipts import read_ledger
from git_exchange.course.seats import Seat
from git_exchange.devserver import RunningServer
from git_exchange.errors import ForgeUnreachable, InboxUnavailable, Incomplete
from git_exchange.forge.ports import RECEIVED
from git_exchange.operations.record import Recorded
from git_exchange.rules import layout
from git_exchange.rules.attempt import Attempt
from git_exchange.secret import Token
from tests.collector.desk import Desk, configuration, now, write_configuration
from tests.contract.working_copy import WorkingCopy
from tests.unit.school import COURSE, School

STUDENTS = ("ann", "ben", "cat", "dan")


@pytest.fixture(scope="module")
def school(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> School:
    """One course for the module; each test has students or assignments of its own."""
    opened = School(server.url, Token(server.admin_token), tmp_path_factory.mktemp("school"))
    opened.open(*STUDENTS)
    opened.release()
    return opened


@pytest.fixture
def desk(school: School, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("GIT_EXCHANGE_TOKEN", school.token("teacher").value)
    opened = Desk(school, configuration(school, f"sqlite:///{tmp_path}/inbox.db"))
    yield opened
    opened.inbox.close()
    school.control("faults", "DELETE")
    school.control("events", lag=0, release=True)
    school.control("clock", offset=0)


def test_what_a_hook_announced_is_recorded_once_and_the_student_sees_it(desk: Desk) -> None:
    commit = desk.submit("ann", "mine")
    desk.hook("ann", commit)
    assert desk.worker().work_off() == 1
    assert desk.pins("ann") == [commit]
    (shown,) = desk.statuses("ann", commit)
    assert (shown["name"], shown["status"]) == (RECEIVED, "success")
    assert shown["description"].startswith("Attempt 1, received ")
    assert sorted(desk.outcomes().values()) == ["done: recorded", "superseded: recorded"]
    before = desk.receipts("ann")
    desk.hook("ann", commit)  # again, and late
    desk.worker().work_off()
    assert desk.receipts("ann") == before
    assert [status["id"] for status in desk.statuses("ann", commit)] == [shown["id"]]
    assert desk.inbox.counts(COURSE).recorded == 1


def test_several_students_are_recorded_by_one_push(desk: Desk) -> None:
    commits = {student: desk.submit(student, "first") for student in ("ben", "cat")}
    url, token = desk.school.course().forge.git_url(desk.school.course().staff()), desk.school.token("teacher")
    copy = WorkingCopy(desk.school.place / "staff-copy")
    before = copy.read(url, token)
    assert desk.worker().work_off() == 2
    assert {student: desk.pins(student)[-1] for student in commits} == commits
    after = copy.read(url, token)
    assert before is not None
    assert after is not None
    copy.git("fetch", "-q", url, "refs/heads/main", token=token)
    pushed = copy.git("rev-list", "--count", f"{before['refs/heads/main']}..FETCH_HEAD").stdout.strip()
    assert pushed == "1"


def test_a_time_that_the_forge_records_late_is_pinned_when_it_is_there_and_that_is_no_failure(desk: Desk) -> None:
    desk.school.release("late")
    desk.school.control("events", hold=True)
    commit = desk.submit("ann", "mine", "late")
    worker = desk.worker()
    assert worker.work_off() == 1
    assert [receipt.kind for receipt in desk.receipts("ann", "late")] == ["seen"]
    assert desk.statuses("ann", commit) == []
    assert worker.work_off() == 0
    desk.ahead += 2.5
    worker.work_off()
    assert desk.inbox.counts().waiting == 1
    desk.school.control("events", release=True)
    desk.ahead += 10.5
    worker.work_off()
    assert [receipt.kind for receipt in desk.receipts("ann", "late")] == ["seen", "pin"]
    assert desk.receipts("ann", "late")[1].event_id is not None
    assert list(desk.outcomes().values()) == ["done: recorded"]


def test_a_hook_that_comes_before_the_push_does_not_make_the_time_early(desk: Desk) -> None:
    """Webhook announced before the push: a delivery says where to look, never when something came."""
    due = now() + timedelta(minutes=10)
    desk.school.release("trick", due=due)
    course, token = desk.school.course(), desk.school.token("dan")
    url = course.forge.git_url(course.seat_project("dan"))
    copy = WorkingCopy(desk.school.place / "dan-copy")
    work = copy.commit("made early, handed in late")
    # The forge even has the commit in time: on another branch.
    assert copy.push(url, token, f"{work}:refs/heads/submit/other").accepted
    forged = desk.hook("dan", work, "trick")
    worker = desk.worker()
    for pause in (0, 2.5, 10.5, 60.5, 600.5, 0):
        desk.ahead += pause
        worker.work_off()
    assert desk.receipts("dan", "trick") == []
    assert desk.outcomes()[forged.delivery] == "done: nothing on the branch"
    assert desk.statuses("dan", work) == []
    desk.school.control("clock", offset=3600)
    assert copy.push(url, token, f"{work}:{layout.submit_ref('trick')}").accepted
    replayed = replace(forged, delivery="hook:replayed")
    desk.inbox.receive(replayed)
    assert replayed.received < due
    worker.work_off()
    (receipt,) = desk.receipts("dan", "trick")
    assert (receipt.kind, receipt.commit) == ("pin", work)
    assert receipt.time > due + timedelta(minutes=30)


def test_what_is_not_ours_is_done_with(desk: Desk) -> None:
    mistaken = {
        desk.hook("ann", "a" * 40, project=999_999).delivery: "done: not ours",
        desk.hook("ann", "a" * 40, course="algebra").delivery: "done: not ours",
        desk.hook("ann", "a" * 40, assignment="never released").delivery: "done: no such assignment",
    }
    desk.worker().work_off()
    assert desk.outcomes() == mistaken


def test_one_seat_that_makes_recording_fail_does_not_hold_up_the_others(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.school.release("poison")
    commits = {student: desk.submit(student, "mine", "poison") for student in ("ann", "cat")}
    real = worker_module.record

    def fails(course: Course, assignment: str, seats: list[Seat]) -> Recorded:
        if any(seat.student_id == "cat" for seat in seats):
            raise ValueError("poison")
        return real(course, assignment, seats)

    worker = desk.worker()
    with monkeypatch.context() as patched:
        patched.setattr(worker_module, "record", fails)
        worker.work_off()
        assert desk.pins("ann", "poison") == [commits["ann"]]
        for _ in range(3):
            desk.ahead += 901
            worker.work_off()
    (letter,) = desk.inbox.dead()
    assert (letter.project_id, letter.tries, letter.reason) == (desk.project("cat"), 3, "ValueError: poison")
    assert any("dead letters" in trouble for trouble in health(desk.config, desk.inbox).troubles)
    assert desk.inbox.revive() == 1
    worker.work_off()
    assert desk.pins("cat", "poison") == [commits["cat"]]


def test_a_project_that_lost_its_name_fails_for_itself(desk: Desk) -> None:
    desk.school.release("renamed")
    commits = {student: desk.submit(student, "mine", "renamed") for student in ("ann", "cat")}
    cat = desk.project("cat")
    desk.school.api("PUT", f"/projects/{cat}", path="student-renamed")
    try:
        assert desk.worker().work_off() == 2
    finally:
        desk.school.api("PUT", f"/projects/{cat}", path="student-cat")
    assert desk.pins("ann", "renamed") == [commits["ann"]]
    (failed,) = [outcome for outcome in desk.outcomes().values() if outcome.startswith("waiting")]
    assert "'cat' has no project" in failed


def test_a_forge_that_is_down_is_nobodys_failure(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.school.release("down")
    commit = desk.submit("ann", "mine", "down")

    def gone(*_: object) -> Course:
        raise ForgeUnreachable("The forge cannot be reached.")

    for _ in range(5):
        with monkeypatch.context() as patched:
            patched.setattr(desk.courses, "course", gone)
            desk.worker().work_off()
            swept = desk.sweeper.sweep()
            assert swept is not None
            assert swept.failed == (COURSE,)
        desk.ahead += 301
    assert desk.inbox.counts().waiting == 1
    notes = health(desk.config, desk.inbox).courses[0].notes
    assert notes[0].startswith("the forge did not answer: 5 times")
    desk.worker().work_off()
    assert desk.pins("ann", "down") == [commit]


def test_an_inbox_that_goes_away_in_the_middle_is_nobodys_failure(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.school.release("gone")
    commit = desk.submit("ann", "mine", "gone")
    worker = desk.worker()

    def gone(*_: object) -> bool:
        raise InboxUnavailable("The collector's inbox cannot be used.")

    with monkeypatch.context() as patched:
        patched.setattr(Jobs, "finish", gone)
        assert worker.work_off() == 0
    assert worker.work_off() == 1
    assert desk.pins("ann", "gone") == [commit]
    assert len(desk.statuses("ann", commit)) == 1
    with desk.inbox.database.reading() as connection:
        assert connection.exec_driver_sql("SELECT state, tries FROM arrivals").all() == [("done", 0)]


def test_one_run_sweeps_and_does_what_is_due(desk: Desk, tmp_path: Path) -> None:
    desk.school.release("once")
    commit = desk.school.submit("ben", "mine", "once").commit
    config = replace(desk.config, storage=Storage(desk.config.storage.database, f"sqlite:///{tmp_path}/queue.db"))
    desk.config = config
    file = write_configuration(desk, tmp_path)
    done = CliRunner().invoke(collector, ["work", "--config", str(file), "--once"])
    assert done.exit_code == 0, done.output
    assert "jobs done." in done.output
    assert desk.pins("ben", "once") == [commit]
    file.write_text(file.read_text().replace(f'"{COURSE}"', f'"{COURSE}", "nowhere"'))
    done = CliRunner().invoke(collector, ["work", "--config", str(file), "--once"])
    assert done.exit_code == 1
    assert "jobs done." in done.output
    assert isinstance(done.exception, Incomplete)
    assert "nowhere" in str(done.exception)
    assert COURSE not in str(done.exception)


def test_a_status_that_the_forge_refuses_changes_nothing_and_is_counted(desk: Desk) -> None:
    desk.school.release("quiet")
    desk.school.control("faults", path="statuses", status=403, times=20)
    commits = [desk.submit(student, "mine", "quiet") for student in ("ann", "ben")]
    desk.worker().work_off()
    assert [desk.pins("ann", "quiet"), desk.pins("ben", "quiet")] == [[commits[0]], [commits[1]]]
    assert set(desk.outcomes().values()) == {"done: recorded"}
    assert desk.inbox.marks("status refused")[COURSE].number == 2


def test_what_follows_on_recording_is_called_once_for_each_attempt_and_may_fail(desk: Desk) -> None:
    desk.school.release("after")
    called: list[tuple[str, str, str]] = []

    def follow(course: Course, assignment: str, reading: Reading, attempt: Attempt) -> None:
        called.append((course.course_id, assignment, attempt.commit))

    def fail(*_: Any) -> None:
        raise ValueError("broken")

    desk.afterwards = (fail, follow)
    first = desk.submit("ann", "first", "after")
    desk.worker().work_off()
    desk.hook("ann", first, "after")
    second = desk.submit("ann", "second", "after")
    desk.worker().work_off()
    assert called == [(COURSE, "after", first), (COURSE, "after", second)]
    assert desk.pins("ann", "after") == [first, second]
    assert desk.inbox.marks("afterwards failed")[COURSE].note == "ValueError: broken"


def test_an_attempt_around_its_due_date_is_for_the_staff_and_its_job_is_done(desk: Desk) -> None:
    due = now()
    desk.school.release("span", due=due)
    commit = desk.submit("ann", "mine", "span")
    desk.worker().work_off()
    assert desk.pins("ann", "span") == []
    assert list(desk.outcomes().values()) == ["done: recorded"]
    assert len(desk.statuses("ann", commit)) == 1
    swept = desk.sweeper.sweep()
    assert swept is not None
    assert f"sweep:{desk.project('ann')}:{layout.submit_ref('span')}:{commit}" not in desk.outcomes()


def test_the_sweep_finds_what_no_hook_told_and_what_was_done_without_being_recorded(desk: Desk) -> None:
    desk.sweeper.sweep()  # what other tests left
    desk.worker().work_off()
    desk.school.release("missed")
    commit = desk.school.submit("ben", "mine", "missed").commit
    swept = desk.sweeper.sweep()
    assert swept is not None
    assert (swept.found, swept.failed) == (1, ())
    again = desk.sweeper.sweep()
    assert again is not None
    assert again.found == 0  # it waits already
    key = f"sweep:{desk.project('ben')}:{layout.submit_ref('missed')}:{commit}"
    with desk.inbox.database.writing() as connection:
        connection.exec_driver_sql("UPDATE arrivals SET state = 'done'")
    assert desk.worker().work_off() == 0
    found = desk.sweeper.sweep()
    assert found is not None
    assert found.found == 1
    assert desk.worker().work_off() == 1
    assert desk.pins("ben", "missed") == [commit]
    assert desk.outcomes()[key] == "done: recorded"
    assert desk.sweeper.sweep() == replace(again, found=0)


def test_the_sweep_does_not_come_back_to_a_branch_without_an_attempt_each_time(desk: Desk) -> None:
    desk.school.release("untouched")
    course = desk.school.course()
    copy = WorkingCopy(desk.school.place / "untouched-copy")
    copy.git("fetch", course.forge.git_url(course.assignments()), layout.release_ref("untouched"), token=desk.token())
    url = course.forge.git_url(course.seat_project("dan"))
    assert copy.push(url, desk.school.token("dan"), f"FETCH_HEAD:{layout.submit_ref('untouched')}").accepted
    found = []
    for _ in range(3):
        swept = desk.sweeper.sweep()
        assert swept is not None
        found.append(swept.found)
        for pause in (0, 2.5, 10.5, 60.5, 600.5):
            desk.ahead += pause
            desk.worker().work_off()
    assert found[1:] == [0, 0]
    assert desk.receipts("dan", "untouched") == []


def test_a_sweep_after_the_due_date_is_evidence_that_nothing_else_had_come(desk: Desk) -> None:
    due = now() + timedelta(hours=1)
    desk.school.release("evidence", due=due)
    commit = desk.submit("ann", "in time", "evidence")
    desk.worker().work_off()
    desk.sweeper.sweep()
    assert read_ledger(desk.school.course(), "evidence").other_reads == ()
    desk.school.control("clock", offset=3700)
    desk.sweeper.sweep()
    (read,) = read_ledger(desk.school.course(), "evidence").other_reads
    assert read.projects == {desk.project(student) for student in STUDENTS}
    assert read.at >= due
    desk.sweeper.sweep()
    assert len(read_ledger(desk.school.course(), "evidence").other_reads) == 1
    assert desk.pins("ann", "evidence") == [commit]


def test_a_sweep_is_due_around_each_due_date_and_extension(desk: Desk) -> None:
    from git_exchange.operations.extend import extend

    due = now() + timedelta(hours=2)
    desk.school.release("moments", due=due)
    extend(desk.school.course(), "moments", ["ann"], due + timedelta(hours=1), reason="ill")
    desk.sweeper.sweep()
    times, last = [], now() + timedelta(hours=1, minutes=57)
    for _ in range(3):
        last = desk.sweeper.next_after(last)
        times.append(round((last - due).total_seconds()))
    assert times == [-30, 5, 305]
    late: datetime = due + timedelta(minutes=58)
    assert round((desk.sweeper.next_after(late) - due).total_seconds()) == 3600 - 30


def test_only_one_machine_sweeps_at_a_time(desk: Desk) -> None:
    assert desk.inbox.lease("sweep", "another machine", 60)
    assert desk.sweeper.sweep() is None
    desk.inbox.end_lease("sweep", "another machine")
    assert desk.sweeper.sweep() is not None
