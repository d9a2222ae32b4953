"""Commands on submission: what they are made of, when they are refused, and what they cannot do."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from git_exchange.collector.config import CollectRule
from git_exchange.collector.on_submission import confinement
from git_exchange.collector.on_submission.arguments import Submission, check, substituted
from git_exchange.collector.on_submission.readiness import ready
from git_exchange.collector.on_submission.run import MAX_OUTPUT, run
from git_exchange.errors import ConfigurationError
from tests.collector import shut_in
from tests.collector.shut_in import SOMEBODY, rule

as_somebody = pytest.mark.skipif("shut_in.missing()", reason="told at the end")
ANN = Submission("calculus", "ps1", "ann")


@pytest.fixture
def root() -> Iterator[Path]:
    with shut_in.course_directory() as folder:
        yield folder


def refused(rule: CollectRule, *hidden: Path) -> str:
    with pytest.raises(ConfigurationError) as caught:
        ready(rule, hidden)
    assert caught.value.hint
    return str(caught.value)


def test_placeholders_become_whole_arguments() -> None:
    command = ("nbgrader", "autograde", "{assignment}", "--student={student}", "--course", "{course}", "; $(id)")
    student = "o'brien & {course}"
    assert substituted(command, replace(ANN, student=student)) == (
        *("nbgrader", "autograde", "ps1", f"--student={student}", "--course", "calculus", "; $(id)"),
    )


@pytest.mark.parametrize("student", ["-rf", "--help", "two\nlines", "a\x1b[2J", "*", "[a-z]n", "nul\0"])
def test_an_id_that_would_mean_something_else_is_refused(student: str) -> None:
    with pytest.raises(ConfigurationError, match="not run"):
        substituted(("nbgrader", "autograde", "{assignment}", "--student", "{student}"), replace(ANN, student=student))


def test_a_leading_dash_is_harmless_behind_an_option() -> None:
    assert substituted(("x", "--student={student}"), replace(ANN, student="-rf")) == ("x", "--student=-rf")


@pytest.mark.parametrize("command", [("x", "{home}"), ("x", ""), ("{student}",), ("a\0",)])
def test_a_command_that_cannot_be_understood_is_refused(command: tuple[str, ...]) -> None:
    with pytest.raises(ConfigurationError):
        check(command)


def test_a_command_for_nobody_in_particular_or_for_two_is_refused(root: Path) -> None:
    assert "neither run_as nor container" in refused(rule(root, "true", run_as=""))
    assert "both run_as and container" in refused(rule(root, "true", container="image"))


@pytest.mark.parametrize("name", [".", "..", "submitted", "source/ps1", ".git-exchange", "/etc", "not-there", "link"])
def test_a_command_may_not_write_where_others_rely_on_what_is_there(root: Path, name: str) -> None:
    (root / "link").symlink_to("/etc")
    for folder in ("submitted", "source/ps1", ".git-exchange"):
        (root / folder).mkdir(parents=True)
    assert name in refused(rule(root, "true", writable=("autograded", name)))


def test_a_secret_in_the_course_directory_is_refused_for_a_container_too(root: Path) -> None:
    (root / "token").touch(mode=0o600)
    assert "token" in refused(rule(root, "true", run_as="", container="image"), root / "token")


def test_who_is_not_root_cannot_run_as_another_user(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "not root" in refused(rule(root, "true"))


def test_without_an_engine_there_is_no_container(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(root))
    assert "neither podman nor docker" in refused(rule(root, "true", run_as="", container="image"))


def test_an_engine_without_the_image_or_that_does_not_answer_is_refused(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "docker").write_text("#!/bin/sh\necho No such image >&2\nexit 1\n")
    (root / "docker").chmod(0o755)
    os.chown(root / "autograded", 1000, -1)
    monkeypatch.setenv("PATH", str(root))
    said = refused(rule(root, "true", run_as="", container="image"))
    assert "No such image" in said
    assert "docker pull image" in said


def test_a_container_gets_no_network_no_rights_and_only_the_folders_that_are_named(root: Path) -> None:
    os.chown(root / "autograded", 1000, 1001)
    wanted = rule(root, run_as="", container="grader:1", writable=("autograded",), seconds=30.0)
    own = {"PATH": "/bin", "HOME": "/root", "GIT_EXCHANGE_TOKEN": "secret", "JUPYTERHUB_API_TOKEN": "secret"}
    started = confinement.in_container(
        wanted, confinement.place(wanted), "/usr/bin/docker", "run-1", ["nbgrader", "--student=ann"], own
    )
    assert started.command[:3] == ("/usr/bin/docker", "run", "--rm")
    assert started.command[-4:] == ("--", "grader:1", "nbgrader", "--student=ann")
    options = set(started.command[2:-4])
    assert {"--network=none", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges"} <= options
    assert {"--pull=never", "--pids-limit=512", "--memory=4000000000", "--user=1000:1001", "--name=run-1"} <= options
    assert [option for option in started.command if option.startswith("--mount")] == [
        f"--mount=type=bind,source={root},target={root},readonly",
        f"--mount=type=bind,source={root}/autograded,target={root}/autograded",
    ]
    assert dict(started.variables) == {"PATH": "/bin", "HOME": "/root"}
    assert started.ending == ("/usr/bin/docker", "kill", "run-1")
    by_podman = confinement.in_container(wanted, confinement.place(wanted), "/usr/bin/podman", "run-1", ["true"], own)
    assert "--timeout=40" in by_podman.command


def test_a_container_whose_user_would_be_root_is_refused(root: Path) -> None:
    os.chown(root / "autograded", 0, 0) if os.geteuid() == 0 else pytest.skip("nothing here belongs to root")
    wanted = rule(root, run_as="", container="grader:1")
    with pytest.raises(ConfigurationError, match="root"):
        confinement.in_container(wanted, confinement.place(wanted), "docker", "run-1", ["true"], {})


def test_a_container_that_takes_too_long_is_ended_by_its_engine(root: Path) -> None:
    told = root / "told"
    start = confinement.Start(("/bin/sleep", "60"), {}, ("/usr/bin/touch", str(told)))
    ended = run(start, 0.2)
    assert ended.timed_out
    assert told.exists()


@as_somebody
def test_a_command_runs_as_the_other_user_with_nothing_of_ours(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_EXCHANGE_TOKEN", "secret")
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "secret")
    wanted = rule(root, seconds=10.0)
    ended = shut_in.shut_in(wanted, ["sh", "-c", "id -un; pwd; env; umask; ls -A /run ~; cat /proc/1/environ"])
    lines = ended.output.decode().splitlines()
    assert lines[:2] == [SOMEBODY, str(root)]
    assert "0002" in lines
    assert "secret" not in ended.output.decode()
    assert {line.partition("=")[0] for line in lines if "=" in line} <= {
        *("USER", "LOGNAME", "HOME", "TMPDIR", "PATH", "PWD", "LANG", "TZ", "SHLVL", "_", "OLDPWD")
    }


@as_somebody
def test_a_command_writes_where_it_may_and_nowhere_else_in_the_course_directory(root: Path) -> None:
    (root / "submitted").mkdir()
    (root / "submitted").chmod(0o777)
    root.chmod(0o777)
    ended = shut_in.shut_in(
        rule(root),
        ["sh", "-c", "touch autograded/mine gradebook/mine; touch submitted/x; touch x; mv autograded y; ls"],
    )
    assert sorted(path.name for path in root.rglob("*")) == [
        *("autograded", "gradebook", "mine", "mine", "submitted"),
    ], ended.output
    assert ended.output.count(b"Read-only file system") == 3


@as_somebody
def test_the_network_is_a_loopback_of_its_own(root: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        look = f"import socket; socket.create_server(('127.0.0.1', 0)); socket.create_connection(('127.0.0.1', {port}))"
        ended = shut_in.shut_in(rule(root), [*_plain_python(), "-c", look])
        server.settimeout(0)
        with pytest.raises(BlockingIOError):
            server.accept()
    assert b"ConnectionRefusedError" in ended.output


@as_somebody
@pytest.mark.parametrize("after", ["", "sleep 60"])
def test_nothing_outlives_the_command_or_its_time(root: Path, after: str) -> None:
    beat = "(while true; do date >> autograded/alive; sleep 0.05; done)"
    begun = time.monotonic()
    ended = shut_in.shut_in(
        rule(root, seconds=3.0 if after else 30.0),
        ["sh", "-c", f"setsid sh -c '{beat}' & while ! test -s autograded/alive; do :; done; {after}"],
    )
    assert ended.timed_out == bool(after)
    assert time.monotonic() - begun < 25
    assert (root / "autograded" / "alive").stat().st_size
    assert not shut_in.processes_with("autograded/alive")


@as_somebody
def test_memory_processes_and_output_are_bounded(root: Path) -> None:
    python = _plain_python()
    small = rule(root, memory=200_000_000, processes=20, seconds=20.0)
    assert b"MemoryError" in shut_in.shut_in(small, [*python, "-c", "bytearray(10**9)"]).output
    fork = "import os\nfor n in range(100):\n    if not os.fork(): __import__('time').sleep(20)"
    ended = shut_in.shut_in(small, [*python, "-c", fork])
    assert b"BlockingIOError" in ended.output
    ended = shut_in.shut_in(small, ["sh", "-c", "yes | head -c 3000000"])
    assert (ended.status, ended.cut, len(ended.output)) == (0, True, MAX_OUTPUT)


@as_somebody
def test_a_command_as_root_or_nobody_known_is_refused(root: Path) -> None:
    assert "root" in refused(rule(root, "true", run_as="root"))
    assert "no user" in refused(rule(root, "true", run_as="who-is-this"))


@as_somebody
def test_a_user_who_could_read_or_write_a_secret_is_refused(root: Path) -> None:
    secret = root.parent / "token"
    secret.write_text("secret")
    secret.chmod(0o600)
    ready(rule(root, "true"), [secret])
    for mode in (0o604, 0o602):
        secret.chmod(mode)
        assert f"{SOMEBODY}, who can read or write token" in refused(rule(root, "true"), secret)


@as_somebody
def test_a_user_who_cannot_do_the_work_is_refused(root: Path) -> None:
    assert "finds no program not-there" in refused(rule(root, "not-there"))
    (root / "gradebook").chmod(0o755)
    assert "cannot write gradebook" in refused(rule(root, "true"))
    (root / "gradebook").chmod(0o2775)
    root.chmod(0o700)
    assert "cannot" in refused(rule(root, "true"))


@as_somebody
def test_without_the_means_to_shut_it_in_a_command_is_refused(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(root))
    assert "unshare is not installed" in refused(rule(root, "true"))
    (root / "unshare").write_text("#!/bin/sh\necho unshare failed: Operation not permitted >&2\nexit 1\n")
    (root / "unshare").chmod(0o755)
    monkeypatch.setenv("PATH", f"{root}:/usr/bin:/bin")
    assert "Operation not permitted" in refused(rule(root, "true"))


def _plain_python() -> list[str]:
    """Return a Python that everybody can start; without our packages it starts at once."""
    return ["/usr/bin/python3"] if Path("/usr/bin/python3").exists() else list(shut_in.python())
