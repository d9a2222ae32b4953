"""Collecting by itself, and what is run then: after a new attempt was recorded, by the rules of the configuration."""

from __future__ import annotations

import json
import logging
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from click.testing import CliRunner
from nbgrader.api import Gradebook

from git_exchange.cli.collector.collecting import collect_here
from git_exchange.cli.main import cli
from git_exchange.collector.config import CollectRule
from git_exchange.collector.on_submission.afterwards import CollectAndRun
from git_exchange.course.course import Course
from git_exchange.course.seats import Seat
from git_exchange.devserver import RunningServer
from git_exchange.errors import ForgeUnreachable
from git_exchange.operations.extend import extend
from git_exchange.operations.pin_attempts import pin_attempts
from git_exchange.operations.record import record
from git_exchange.report import Outcome
from git_exchange.secret import Token
from tests.collector import shut_in
from tests.unit.school import COURSE, School

as_somebody = pytest.mark.skipif("shut_in.missing()", reason="told at the end")
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with RunningServer(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="module")
def school(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> School:
    """A course in which every test has an assignment of its own."""
    opened = School(server.url, Token(server.admin_token), tmp_path_factory.mktemp("school"))
    opened.open("ann", "ben")
    return opened


@pytest.fixture
def root(school: School) -> Iterator[Path]:
    """The instructor's course directory, made as the how-to says."""
    with shut_in.course_directory() as folder:
        (folder / "nbgrader_config.py").write_text(
            "c = get_config()\n"
            "from git_exchange.plugin import configure\n"
            f"configure(c, {school.url!r}, namespace={school.settings().namespace!r}, kind='gitlab')\n"
            f"c.CourseDirectory.course_id = {COURSE!r}\n"
            f"c.CourseDirectory.db_url = 'sqlite:///{folder}/gradebook/gradebook.db'\n"
            "c.CourseDirectory.groupshared = True\n"
            f"c.GitExchange.cache_dir = {str(school.place / 'cache')!r}\n"
        )
        yield folder


@pytest.fixture(scope="module")
def empty_gradebook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """nbgrader takes seconds to make one."""
    path = tmp_path_factory.mktemp("gradebook") / "gradebook.db"
    Gradebook(f"sqlite:///{path}", COURSE).close()
    return path


def gradebook(root: Path) -> Gradebook:
    return Gradebook(f"sqlite:///{root}/gradebook/gradebook.db", COURSE)


def handled(school: School, root: Path, assignment: str, student: str = "ann", **rule: object) -> dict[str, int]:
    """Do what a worker does after it has recorded the student's attempt, and return what came of it."""
    afterwards = CollectAndRun([shut_in.rule(root, **rule)], [], collect_here)
    call(afterwards, school, assignment, student)
    afterwards.close(wait=True)
    assert not list((root / ".git-exchange").glob("on-submission/*.waiting"))
    return afterwards.counts()


def call(afterwards: CollectAndRun, school: School, assignment: str, student: str) -> None:
    course = school.course()
    reading = record(course, assignment, [Seat(student, course.seat_project(student))]).readings[0]
    assert reading is not None
    afterwards(course, assignment, reading, reading.attempts[-1])


def wait_until(reached: Callable[[], object]) -> None:
    limit = time.monotonic() + 60
    while not reached():
        assert time.monotonic() < limit
        time.sleep(0.02)


def text(root: Path, assignment: str, student: str = "ann") -> str:
    return (root / "submitted" / student / assignment / "p1.ipynb").read_text()


def test_a_new_attempt_comes_into_the_course_directory_and_a_newer_one_replaces_it(school: School, root: Path) -> None:
    school.release("newer")
    for name in ("first", "second"):
        school.submit("ann", name, "newer")
        assert handled(school, root, "newer") == {"collected" if name == "first" else "updated": 1}
        assert text(root, "newer") == name
    assert handled(school, root, "newer") == {"unchanged": 1}
    assert not (root / "submitted" / "ben").exists()


def test_only_assignments_and_courses_of_a_rule_are_collected(school: School, root: Path) -> None:
    school.release("other")
    school.submit("ann", "work", "other")
    assert handled(school, root, "other", assignments=("ps*",)) == {}
    assert handled(school, root, "other", course="algebra") == {}
    assert handled(school, root, "other", assignments=("ps*", "o*")) == {"collected": 1}


def test_what_came_after_the_deadline_stays_where_it_is_but_for_an_extension(school: School, root: Path) -> None:
    school.release("late", due=datetime.now(timezone.utc) + timedelta(seconds=60))
    school.submit("ann", "in time", "late")
    assert handled(school, root, "late") == {"collected": 1}
    school.control("clock", offset=120)
    course = school.course()
    # As the sweep does at every deadline.
    record(course, "late", [Seat(name, course.seat_project(name)) for name in ("ann", "ben")])
    school.control("clock", offset=180)
    for name in ("ann", "ben"):
        school.submit(name, "late", "late")
    assert handled(school, root, "late") == {"unchanged": 1}
    assert handled(school, root, "late", "ben") == {"nothing": 1}
    extend(school.course(), "late", ["ben"], datetime.now(timezone.utc) + HOUR)
    assert handled(school, root, "late", "ben") == {"collected": 1}
    school.control("clock", offset=0)
    assert text(root, "late") == "in time"


def test_work_that_was_graded_by_hand_is_not_replaced(school: School, root: Path, empty_gradebook: Path) -> None:
    shutil.copy(empty_gradebook, root / "gradebook")
    school.release("marked")
    school.submit("ann", "first", "marked")
    handled(school, root, "marked")
    with gradebook(root) as book:
        book.add_assignment("marked")
        book.add_notebook("p1", "marked")
        book.add_grade_cell("q1", "p1", "marked", max_score=3, cell_type="code")
        book.update_or_create_student("ann")
        with book.db.no_autoflush:
            book.add_submission("marked", "ann")
        book.find_grade("q1", "p1", "marked", "ann").manual_score = 2
        book.db.commit()
    with (root / "nbgrader_config.py").open("a") as file:
        file.write("c.ExchangeCollect.replace_graded = True\n")  # who sits at collect may say so, nobody sits here
    school.submit("ann", "second", "marked")
    assert handled(school, root, "marked", on_submission=("false",)) == {"graded by hand": 1}
    assert text(root, "marked") == "first"


def test_the_attempt_that_the_staff_pinned_stays(school: School, root: Path) -> None:
    school.release("pinned")
    school.submit("ann", "first", "pinned")
    handled(school, root, "pinned")
    pin_attempts(school.course(), "pinned", {"ann": "1"})
    school.submit("ann", "second", "pinned")
    assert handled(school, root, "pinned") == {"unchanged": 1}
    assert text(root, "pinned") == "first"


def test_a_course_directory_of_another_course_is_refused_and_the_record_stands(
    school: School, root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    school.release("wrong")
    school.submit("ann", "work", "wrong")
    with (root / "nbgrader_config.py").open("a") as file:
        file.write("c.CourseDirectory.course_id = 'algebra'\n")
    assert handled(school, root, "wrong") == {"refused": 1}
    assert "algebra" in caplog.text
    course = school.course()
    assert record(course, "wrong", [Seat("ann", course.seat_project("ann"))]).after.pins


def test_a_gradebook_that_a_command_has_made_a_link_to_elsewhere_is_not_touched(school: School, root: Path) -> None:
    school.release("linked")
    school.submit("ann", "work", "linked")
    for name in ("gradebook.db", "gradebook.db-journal"):
        (root / "gradebook" / name).symlink_to(school.place / "elsewhere")
        assert handled(school, root, "linked") == {"failed": 1}
        (root / "gradebook" / name).unlink()


def test_any_failure_is_counted_and_the_next_one_is_handled(
    school: School, root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(rule: CollectRule, *_: object) -> Outcome:
        raise ZeroDivisionError(rule.course)

    school.release("broken")
    school.submit("ann", "work", "broken")
    afterwards = CollectAndRun([shut_in.rule(root)], [], broken)
    for _ in range(2):
        call(afterwards, school, "broken", "ann")
    afterwards.close(wait=True)
    assert afterwards.counts() == {"failed": 2}
    assert "Its record stands" in caplog.text


def test_what_was_not_done_when_the_collector_ended_is_done_after_the_next_start(school: School, root: Path) -> None:
    school.release("left")
    school.submit("ann", "work", "left")
    ended = CollectAndRun([shut_in.rule(root)], [], lambda *_: pytest.fail("it has ended"))
    ended.close()
    call(ended, school, "left", "ann")
    (root / ".git-exchange" / "on-submission" / "damaged.waiting").write_text("{")
    started = CollectAndRun([shut_in.rule(root, assignments=("left",))], [], collect_here)
    assert started.catch_up(lambda course_id: school.course(course_id=course_id)) == 1
    started.close(wait=True)
    assert started.counts() == {"collected": 1}
    assert text(root, "left") == "work"


def test_what_was_recorded_elsewhere_or_while_the_forge_was_away_is_caught_up_with(school: School, root: Path) -> None:
    away = True

    def while_away(rule: CollectRule, course: Course, assignment_id: str, seat: Seat) -> Outcome:
        if away:
            raise ForgeUnreachable("not at the moment")
        return collect_here(rule, course, assignment_id, seat)

    school.release("elsewhere")
    school.submit("ann", "older", "elsewhere")
    school.submit("ann", "work", "elsewhere")
    course = school.course()
    record(course, "elsewhere", [Seat("ann", course.seat_project("ann"))])
    told: list[str] = []
    here = CollectAndRun(
        [shut_in.rule(root, assignments=("else*",))], [], while_away, lambda _, reason: told.append(reason)
    )
    for expected in (1, 1):
        assert here.catch_up(lambda course_id: school.course(course_id=course_id)) == expected
        wait_until(here.counts)
        away = False
    wait_until(lambda: here.counts() == {"away": 1, "collected": 1})
    wait_until(lambda: not list(root.glob(".git-exchange/on-submission/*.waiting")))
    assert here.catch_up(lambda course_id: school.course(course_id=course_id)) == 0
    here.close()
    assert (root / "submitted" / "ann" / "elsewhere" / "p1.ipynb").read_text() == "work"
    assert [reason for reason in told if "not at the moment" in reason] == told != []


def test_check_says_of_each_rule_whether_it_would_be_carried_out(school: School, root: Path) -> None:
    config = root.parent / "collector.toml"
    rule = f'[[collect]]\ncourse = "{COURSE}"\nassignments = ["ps*"]\ncourse_dir = "{root}"\n'
    config.write_text(
        f'url = "{school.url}"\nnamespace = "teaching"\ncourses = ["{COURSE}"]\n'
        f'[hooks]\npublic_url = "https://collector.example.edu"\nkeys_file = "keys"\n'
        f'[storage]\ndatabase = "sqlite:///{root.parent}/inbox.db"\nqueue = "sqlite:///{root.parent}/queue.db"\n{rule}'
    )
    done = CliRunner().invoke(cli, ["collector", "check", "--config", str(config)])
    assert (done.exit_code, done.output) == (0, f"{COURSE} ps*: collected into {root}.\n")
    with config.open("a") as file:
        file.write(f'{rule}on_submission = ["true"]\n{rule.replace(COURSE, "algebra")}')
    done = CliRunner().invoke(cli, ["collector", "check", "--config", str(config)])
    assert done.exit_code == 1
    assert done.output.count(": refused. ") == 2
    assert "neither run_as nor container" in done.output
    assert "algebra is none of the collector's courses" in done.output


@as_somebody
def test_a_command_runs_after_what_is_new_and_its_output_is_kept(
    school: School, root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    school.release("run")
    school.submit("ann", "first", "run")
    command = ("sh", "-c", 'echo "$@"; printf "\\033[2J\\n"; cat submitted/$2/$1/p1.ipynb', "sh", "{assignment}")
    assert handled(school, root, "run", on_submission=(*command, "{student}")) == {"collected": 1, "ran": 1}
    (log,) = (root / ".git-exchange" / "on-submission").glob("*.log")
    lines = log.read_text().splitlines()
    assert lines[2:] == ["run ann", "\\x1b[2J", "first"]
    assert handled(school, root, "run", on_submission=("false",)) == {"unchanged": 1}
    school.submit("ann", "second", "run")
    assert handled(school, root, "run", on_submission=("false",)) == {"updated": 1, "run failed": 1}
    assert "ended with status 1" in caplog.text
    assert "ended with status 1" in log.read_text()
    assert text(root, "run") == "second"
    school.submit("ann", "third", "run")
    assert handled(school, root, "run", on_submission=("true",), run_as="root") == {"updated": 1, "refused": 1}
    assert json.loads((root / "submitted/ann/run/.git-exchange-attempt").read_text())["ref"]


@as_somebody
def test_a_command_that_ran_when_the_collector_was_stopped_runs_after_the_next_start(
    school: School, root: Path
) -> None:
    school.release("stopped")
    school.submit("ann", "work", "stopped")
    command = ("sh", "-c", "echo run >> autograded/runs; test -s autograded/go || sleep 60")
    rule = shut_in.rule(root, *command, assignments=("stopped",))
    first = CollectAndRun([rule], [], collect_here)
    call(first, school, "stopped", "ann")
    wait_until((root / "autograded" / "runs").exists)
    first.close()
    assert first.counts() == {"collected": 1}
    (root / "autograded" / "go").write_text("on")
    second = CollectAndRun([rule], [], collect_here)
    assert second.catch_up(lambda course_id: school.course(course_id=course_id)) == 1
    second.close(wait=True)
    assert second.counts() == {"unchanged": 1, "ran": 1}
    assert (root / "autograded" / "runs").read_text() == "run\nrun\n"
