"""Bad input and failures: each says what to do, nothing is lost, and running the command again finishes the job."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from git_exchange.demo.people import Someone
from tests.exchange.classroom import COURSE, Classroom, write_notebook
from tests.exchange.proxy import CuttingProxy


@pytest.fixture
def running(classroom: Classroom) -> Classroom:
    """A course with one student who has fetched the assignment."""
    classroom.open("ann")
    classroom.release()
    classroom.ok("ann", "fetch_assignment", "ps1")
    write_notebook(classroom.student("ann").work / "ps1" / "p1.ipynb", "x = 2")
    return classroom


def path_without_git(place: Path) -> str:
    """Return a PATH on which there is Python and no git."""
    folder = place / "no-git"
    folder.mkdir(exist_ok=True)
    for name in ("env", "sh"):
        found = shutil.which(name)
        if found and not (folder / name).exists():
            (folder / name).symlink_to(found)
    return str(folder)


def test_without_git_the_message_says_to_install_it(running: Classroom) -> None:
    output = running.fails("ann", "submit", "ps1", PATH=path_without_git(running.place))
    assert "Install git" in output
    running.ok("ann", "submit", "ps1")


def test_without_a_token_the_message_says_where_to_put_one(running: Classroom) -> None:
    running.student("ann").token_file.rename(running.place / "token-elsewhere")
    output = running.fails("ann", "submit", "ps1", GIT_EXCHANGE_TOKEN_FILE="")
    assert "GIT_EXCHANGE_TOKEN" in output
    assert "no token" in output


def test_a_wrong_or_expired_token_is_named_by_its_source_and_never_shown(running: Classroom) -> None:
    student = running.student("ann")
    good = student.token_file.read_text()
    student.token_file.write_text("glpat-wrongwrongwrongwrong\n")
    output = running.fails("ann", "submit", "ps1")
    assert "Make a new token" in output
    assert "wrongwrong" not in output
    student.token_file.write_text(good)
    running.ok("ann", "submit", "ps1")


def test_a_refused_token_gives_way_to_the_next_source(running: Classroom) -> None:
    running.ok("ann", "submit", "ps1", GIT_EXCHANGE_TOKEN="glpat-expiredexpiredexpired")
    assert len(running.pushes("ann")) == 1


def test_a_token_file_that_others_can_read_is_refused(running: Classroom) -> None:
    running.student("ann").token_file.chmod(0o644)
    output = running.fails("ann", "submit", "ps1")
    assert "chmod 600" in output


def test_a_wrong_url_is_named(running: Classroom) -> None:
    output = running.fails("ann", "submit", "ps1", "--GitExchange.url=http://127.0.0.1:9")
    assert "http://127.0.0.1:9" in output
    assert running.pushes("ann") == []


def test_a_url_that_is_no_forge_is_noticed(running: Classroom, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<h1>Welcome</h1>")
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        port = server.stdout.readline().split("port ")[1].split()[0]
        output = running.fails("ann", "submit", "ps1", f"--GitExchange.url=http://127.0.0.1:{port}")
        server.terminate()
    assert "Submitted as" not in output


def test_the_server_going_down_in_the_middle_of_a_push_loses_nothing(running: Classroom) -> None:
    with CuttingProxy(running.url, cut="git-receive-pack", after_bytes=200) as proxy:
        output = running.fails("ann", "submit", "ps1", f"--GitExchange.url={proxy.url}")
    assert "Submitted as" not in output
    assert (running.student("ann").work / "ps1" / "p1.ipynb").exists()
    assert "Submitted as" in running.ok("ann", "submit", "ps1")
    running.ok("teacher", "collect", "ps1")
    assert "x = 2" in (running.submitted("ann") / "p1.ipynb").read_text()


def test_an_answer_lost_after_the_push_arrived_is_found_by_reading_back(running: Classroom) -> None:
    with CuttingProxy(running.url, cut="git-receive-pack", answers=True) as proxy:
        running.nbgrader("ann", "submit", "ps1", f"--GitExchange.url={proxy.url}")
    attempts = running.pushes("ann")
    assert len(attempts) == 1
    running.ok("teacher", "collect", "ps1")
    assert "x = 2" in (running.submitted("ann") / "p1.ipynb").read_text()


def test_the_server_going_down_in_the_middle_of_a_fetch_leaves_no_half_folder(running: Classroom) -> None:
    student = running.student("ann")
    shutil.rmtree(student.work / "ps1")
    shutil.rmtree(student.place / "home" / ".cache")
    with CuttingProxy(running.url, cut="git-upload-pack", answers=True) as proxy:
        output = running.fails("ann", "fetch_assignment", "ps1", f"--GitExchange.url={proxy.url}")
    assert "Fetched as" not in output
    assert not (student.work / "ps1").exists()
    assert [path.name for path in student.work.iterdir() if not path.name.startswith(".")] == ["nbgrader_config.py"]
    running.ok("ann", "fetch_assignment", "ps1")
    assert (student.work / "ps1" / "p1.ipynb").exists()


def test_an_unknown_course_is_named(running: Classroom) -> None:
    output = running.fails("ann", "fetch_assignment", "ps1", "--course", "nosuch")
    assert "Course not found: nosuch" in output
    assert "Course not found: nosuch" in running.fails("teacher", "collect", "ps1", "--course", "nosuch")


def test_who_is_not_a_member_cannot_submit_and_is_told_whom_to_ask(running: Classroom) -> None:
    stranger = running.student("mallory")
    shutil.copytree(running.student("ann").work / "ps1", stranger.work / "ps1")
    output = running.fails("mallory", "submit", "ps1")
    assert "You do not have access to this course." in output
    assert "roster" in output


def test_a_rival_cannot_submit_collect_or_read_for_another_student(running: Classroom) -> None:
    running.enrol("ann", "ben")
    running.ok("ann", "submit", "ps1")
    running.ok("ben", "fetch_assignment", "ps1")
    output = running.fails("ben", "submit", "ps1", "--student", "ann")
    assert "You do not have access" in output
    assert "ann ps1" not in running.ok("ben", "list", "--cached")
    running.fails("ben", "list", "--cached", "--student", "ann")
    assert len(running.pushes("ann")) == 1


@pytest.mark.parametrize(
    "command", [["release_assignment", "ps1", "--force"], ["collect", "ps1"], ["release_feedback", "ps1"]]
)
def test_a_student_cannot_do_what_staff_do(running: Classroom, command: list[str]) -> None:
    work = running.student("ann").work
    for folder in ("release/ps1", "feedback/ann/ps1"):
        (work / folder).mkdir(parents=True)
        write_notebook(work / folder / "p1.ipynb", "x = 'mine'")
        (work / folder / "p1.html").write_text("<p>A+</p>")
        (work / folder / "timestamp.txt").write_text("2026-01-01 00:00:00.000000 UTC")
    output = running.fails("ann", *command)
    assert "staff" in output
    running.enrol("ann", "ben")
    running.ok("ben", "fetch_assignment", "ps1")
    assert "mine" not in (running.student("ben").work / "ps1" / "p1.ipynb").read_text()


def test_staff_without_a_seat_cannot_submit_for_themselves_and_are_told_how_to_submit_for_a_student(
    running: Classroom,
) -> None:
    shutil.copytree(running.student("ann").work / "ps1", running.root() / "ps1")
    assert "--student" in running.fails("teacher", "submit", "ps1")
    running.ok("teacher", "submit", "ps1", "--student", "ann")
    output = running.ok("teacher", "collect", "ps1")
    assert f"was submitted by the staff member {running.teacher.username} for ann" in output
    assert "was pushed by" not in running.ok(
        "teacher", "collect", "ps1", "--update", "--ExchangeCollect.check_owner=False"
    )


def test_an_assignment_that_is_not_released_can_be_neither_fetched_nor_submitted(running: Classroom) -> None:
    assert "has not been released" in running.fails("ann", "fetch_assignment", "ps2")
    shutil.copytree(running.student("ann").work / "ps1", running.student("ann").work / "ps2")
    assert "has not been released" in running.fails("ann", "submit", "ps2")


def test_a_folder_that_is_not_there_is_named_with_the_most_similar_one(running: Classroom) -> None:
    output = running.fails("ann", "submit", "ps11")
    assert "Assignment not found at" in output
    assert "Did you mean" in output


def test_an_empty_folder_is_not_submitted(running: Classroom) -> None:
    (running.student("ann").work / "ps1" / "p1.ipynb").unlink()
    assert "Nothing to submit" in running.fails("ann", "submit", "ps1")
    assert running.pushes("ann") == []


def test_missing_and_extra_notebooks_are_warned_of_and_missing_ones_refused_with_strict(running: Classroom) -> None:
    work = running.student("ann").work / "ps1"
    (work / "p1.ipynb").rename(work / "mine.ipynb")
    assert "There are missing notebooks" in running.fails("ann", "submit", "ps1", "--strict")
    assert running.pushes("ann") == []
    output = running.ok("ann", "submit", "ps1")
    assert "p1.ipynb: MISSING" in output
    assert "mine.ipynb: EXTRA" in output


def test_a_nested_git_repository_is_left_alone_and_never_becomes_a_submodule(running: Classroom) -> None:
    nested = running.student("ann").work / "ps1" / "library"
    nested.mkdir()
    git = ["git", "-C", str(nested), "-c", "user.name=ann", "-c", "user.email=a@example.invalid"]
    for command in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "mine"]):
        subprocess.run([*git, *command], check=True)
    (nested / "code.py").write_text("y = 1\n")
    before = sorted(path.name for path in (nested / ".git").iterdir())
    running.ok("ann", "submit", "ps1")
    assert sorted(path.name for path in (nested / ".git").iterdir()) == before
    running.ok("teacher", "collect", "ps1")
    assert (running.submitted("ann") / "library" / "code.py").read_text() == "y = 1\n"
    assert not list(running.submitted("ann").rglob(".git"))


def test_two_submissions_at_the_same_instant_from_two_machines_both_become_attempts(running: Classroom) -> None:
    student = running.student("ann")
    second = Someone(
        student.name, student.username, running.place / "second-machine", student.url, student.namespace, student.kind
    )
    second.settle_in(running.tokens["ann"])
    second.configure(second.work, COURSE)
    shutil.copytree(student.work / "ps1", second.work / "ps1")
    write_notebook(second.work / "ps1" / "p1.ipynb", "x = 'from the laptop'")
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda who: running.run(who, ["nbgrader", "submit", "ps1"]), (student, second)))
    assert [result.status for result in results] == [0, 0], results
    attempts = running.pushes("ann")
    assert len(set(attempts)) == 2
    running.ok("teacher", "collect", "ps1")
    listed = running.ok("teacher", "list", "--inbound")
    assert listed.count("ann ps1") == 2


def test_an_empty_course_and_an_assignment_that_nobody_submitted_are_no_errors(classroom: Classroom) -> None:
    classroom.open()
    assert "Released assignments:" in classroom.ok("teacher", "list")
    classroom.release()
    output = classroom.ok("teacher", "collect", "ps1")
    assert f"No submissions of 'ps1' for course '{COURSE}' to collect" in output
    assert not (classroom.root() / "submitted").exists()


def test_who_did_not_submit_does_not_stop_the_others_from_being_collected(running: Classroom) -> None:
    running.enrol("ann", "ben")
    running.ok("ann", "submit", "ps1")
    output = running.ok("teacher", "collect", "ps1")
    assert "1 collected, 1 nothing (of 2)" in output


def test_fetching_over_a_folder_that_exists_is_refused(running: Classroom) -> None:
    assert "You already have a copy of the assignment" in running.fails("ann", "fetch_assignment", "ps1")
    assert "x = 2" in (running.student("ann").work / "ps1" / "p1.ipynb").read_text()


def test_without_a_course_the_message_is_nbgraders(running: Classroom) -> None:
    for command in (["fetch_assignment", "ps1"], ["submit", "ps1"]):
        assert "No course id specified" in running.fails("ann", *command, "--course", "")
    assert "No course id specified" in running.fails("teacher", "collect", "ps1", "--course", "")


def test_a_file_over_the_limit_is_left_out_with_a_warning_and_a_folder_over_it_is_refused(running: Classroom) -> None:
    (running.student("ann").work / "ps1" / "big.bin").write_bytes(os.urandom(50_000))
    output = running.ok("ann", "submit", "ps1", "--CourseDirectory.max_file_size=10")
    assert "big.bin" in output
    assert "max_file_size" in output
    running.ok("teacher", "collect", "ps1")
    assert not (running.submitted("ann") / "big.bin").exists()
    result = running.nbgrader("ann", "submit", "ps1", "--CourseDirectory.max_dir_size=10")
    assert result.status != 0
    assert "Directory size is too big" in result.output


def test_a_cache_that_vanishes_or_is_damaged_loses_nothing(running: Classroom) -> None:
    running.ok("ann", "submit", "ps1")
    cache = running.student("ann").place / "home" / ".cache"
    for damaged in cache.rglob("*.pack"):
        damaged.chmod(0o644)
        damaged.write_bytes(b"not a pack")
    running.ok("ann", "submit", "ps1")
    shutil.rmtree(cache)
    running.ok("ann", "submit", "ps1")
    assert len(set(running.pushes("ann"))) == 3


def test_the_token_leaves_the_environment_when_the_configuration_is_loaded(running: Classroom) -> None:
    student = running.student("ann")
    code = (
        "import os\n"
        "from traitlets.config import Config\n"
        "from git_exchange.plugin import configure\n"
        "configure(Config(), 'https://forge.example', namespace='x')\n"
        "print('GIT_EXCHANGE_TOKEN' in os.environ)\n"
    )
    environment = student.environment() | {"GIT_EXCHANGE_TOKEN": "glpat-abcdefabcdef"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "False"
