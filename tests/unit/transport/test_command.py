from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from git_exchange.errors import GitError, GitMissing, GitTimeout, HostileRepository, RemoteDenied, SignInRefused
from git_exchange.transport import command
from git_exchange.transport.cache import Cache, Repository
from git_exchange.transport.command import Git, check_git, git_credential_fill, located
from git_exchange.transport.fetch import fetch
from git_exchange.transport.objects import history, list_tree
from git_exchange.transport.protocol import ls_remote
from git_exchange.transport.push import push

from .conftest import AUTHORIZATION, REF, TOKEN, Server, make_commit, plain_git

linux_only = pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="looks into /proc")


def _processes_with(text: str) -> list[Path]:
    """Return the /proc folders of the processes whose command line holds the text."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                if text.encode() in (entry / "cmdline").read_bytes():
                    found.append(entry)
            except OSError:
                continue
    return found


def _is_running(text: str, expected: bool = True) -> bool:
    """Wait until a process has the text in its command line: starting takes a moment."""
    limit = time.monotonic() + 20
    while bool(_processes_with(text)) is not expected:
        if time.monotonic() > limit:
            return False
    return True


def _is_gone(text: str) -> bool:
    """Wait until no process has the text in its command line: what was killed still takes a moment to end."""
    return _is_running(text, expected=False)


def _program(folder: Path, name: str, script: str) -> Path:
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return program


@pytest.fixture
def trap(tmp_path: Path) -> Iterator[Path]:
    """A program that leaves a mark when it is run; that it never ran is checked at the end."""
    mark = tmp_path / "the-trap-was-run"
    yield _program(tmp_path, "trap", f"touch {mark}")
    assert not mark.exists()


@linux_only
def test_the_token_stands_in_no_command_line_and_only_in_git_s_environment(server: Server, seat: Repository) -> None:
    server.faults.hang = threading.Event()
    failures: list[Exception] = []

    def transfer() -> None:
        try:
            fetch(seat, server.url("alice"), [REF])
        except GitError as error:
            failures.append(error)

    thread = threading.Thread(target=transfer)
    thread.start()
    assert server.hanging.wait(20)
    running = _processes_with(server.url("alice"))
    lines = [(process / "cmdline").read_bytes() for process in running]
    environments = [(process / "environ").read_bytes() for process in running]
    server.faults.hang.set()
    thread.join()
    assert running
    for secret in (TOKEN, AUTHORIZATION, AUTHORIZATION.split()[1]):
        assert all(secret.encode() not in line for line in lines)
        assert all(secret not in repr(failure) + str(failure) for failure in failures)
    assert any(AUTHORIZATION.encode() in environment for environment in environments)


def test_the_token_goes_to_its_own_origin_only(server: Server, tmp_path: Path) -> None:
    server.create("alice")
    git = Git(authorization={"http://127.0.0.1:1": AUTHORIZATION, f"{server.origin}/other": AUTHORIZATION})
    with pytest.raises(RemoteDenied):
        ls_remote(git, server.url("alice"), [""])
    assert {header for _, header in server.requests} == {None}


def test_what_the_server_has_refused_is_not_sent_to_it_again(server: Server) -> None:
    server.create("alice")
    git = Git(authorization={server.origin: "Basic d3Jvbmc6d3Jvbmc="})
    for _ in range(10):
        with pytest.raises(SignInRefused, match="does not accept the credentials"):
            ls_remote(git, server.url("alice"), [""])
    assert len(server.requests) == 1


@linux_only
def test_local_commands_do_not_get_the_token(server: Server, git: Git, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    fake = _program(tmp_path, "git", f"if [ $1 = --version ]; then echo git version 2.39.5; else env >> {seen}; fi")
    ours = Git(authorization={server.origin: AUTHORIZATION}, executable=str(fake))
    ours.run(["rev-parse"], git_dir=tmp_path)
    assert AUTHORIZATION not in seen.read_text()
    ours.run(["ls-remote"], git_dir=None, remote=True)
    assert AUTHORIZATION in seen.read_text()


def test_a_git_from_before_the_numbered_configuration_works_as_well(
    server: Server, seat: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _ = located("git")
    monkeypatch.setattr(command, "located", lambda _: (path, (2, 30)))
    commit = make_commit(seat, a=b"1")
    push(seat, server.url("alice"), commit, REF)
    assert ls_remote(seat.git, server.url("alice"), [REF]) == {REF: commit}
    with pytest.raises(GitError):
        ls_remote(seat.git, str(server.root / "alice.git"), [REF])


def test_the_token_is_in_no_representation(git: Git) -> None:
    assert TOKEN not in repr(git)
    assert AUTHORIZATION not in repr(git)


@linux_only
def test_a_time_limit_ends_everything_that_git_started(server: Server, seat: Repository) -> None:
    server.faults.hang = threading.Event()
    patient = Repository(seat.git_dir, Git(authorization={server.origin: AUTHORIZATION}, stall=100_000))
    with pytest.raises(GitTimeout):
        fetch(patient, server.url("alice"), [REF], timeout=0.5)
    assert _is_gone(server.url("alice"))


@linux_only
@pytest.mark.parametrize("interruption", [KeyboardInterrupt, RuntimeError])
def test_an_interruption_ends_git(seat: Repository, interruption: type[BaseException]) -> None:
    def input_that_breaks_off() -> Iterator[bytes]:
        yield b"feature done\n"
        assert _is_running(str(seat.git_dir))
        raise interruption

    with pytest.raises(interruption):
        seat.git.run(["fast-import", "--quiet"], git_dir=seat.git_dir, stdin=input_that_breaks_off())
    assert _is_gone(str(seat.git_dir))


@linux_only
def test_leaving_a_stream_ends_git(seat: Repository) -> None:
    with seat.git.stream(["cat-file", "--batch"], git_dir=seat.git_dir):
        assert _is_running(str(seat.git_dir))
    assert _is_gone(str(seat.git_dir))


def test_a_stream_that_does_not_answer_ends_at_the_time_limit(tmp_path: Path) -> None:
    fake = _program(tmp_path, "git", "if [ $1 = --version ]; then echo git version 2.39.5; else exec sleep 60; fi")
    with Git(executable=str(fake)).stream(["cat-file"], git_dir=tmp_path, timeout=0.3) as stream:
        stream.write(b"request\n")
        with pytest.raises(GitTimeout, match="did not answer"):
            stream.read_line()


def test_a_stream_whose_git_dies_is_an_error(seat: Repository) -> None:
    with (
        seat.git.stream(["cat-file", "--batch"], git_dir=seat.git_dir / "nowhere") as stream,
        pytest.raises(GitError, match="damaged"),
    ):
        stream.write(b"x\n")
        stream.read_line()


def test_input_that_git_does_not_read_is_no_deadlock(seat: Repository) -> None:
    with pytest.raises(GitError):
        seat.git.run(["cat-file", "--no-such-option"], git_dir=seat.git_dir, stdin=(bytes(100_000) for _ in range(100)))


def test_a_flood_of_messages_does_not_fill_the_memory(tmp_path: Path) -> None:
    script = "if [ $1 = --version ]; then echo git version 2.39.5; else yes remote: x | head -c 5000000 >&2; exit 1; fi"
    with pytest.raises(GitError) as caught:
        Git(executable=str(_program(tmp_path, "git", script))).run(["fetch"], git_dir=tmp_path, remote=True)
    assert len(str(caught.value)) < 5_000


def test_a_flood_of_output_is_refused(tmp_path: Path) -> None:
    script = "if [ $1 = --version ]; then echo git version 2.39.5; else exec yes; fi"
    with pytest.raises(HostileRepository):
        Git(executable=str(_program(tmp_path, "git", script))).run(["ls-tree"], git_dir=tmp_path, max_output=100_000)


@pytest.mark.parametrize("operand", ["-x", "--upload-pack=touch /tmp/x", "", "a\0b"])
def test_what_comes_from_outside_is_never_an_option(git: Git, operand: str) -> None:
    with pytest.raises(ValueError, match="cannot be an operand"):
        git.run(["ls-remote"], git_dir=None, operands=[operand], remote=True)


@pytest.mark.parametrize("address", ["ext::sh -c true", "ssh://example.edu/x", "git://example.edu/x", "/tmp"])
def test_only_http_is_spoken(git: Git, address: str) -> None:
    with pytest.raises(GitError):
        ls_remote(git, address, [""])


def test_no_git_is_said_so_and_nothing_is_looked_for_before_it_is_needed(tmp_path: Path) -> None:
    git = Git(executable="no-such-git")
    with pytest.raises(GitMissing, match=r"Install git 2\.30"):
        git.run(["version"], git_dir=None)
    with pytest.raises(GitMissing):
        check_git("no-such-git")


@pytest.mark.parametrize("said", ["git version 2.29.9", "git version 1.8.3.1", "hello", ""])
def test_an_old_or_strange_git_is_refused(tmp_path: Path, said: str) -> None:
    with pytest.raises(GitMissing):
        check_git(str(_program(tmp_path, "git", f"echo '{said}'")))


def test_the_version_is_the_installed_git_s() -> None:
    said = subprocess.run(["git", "--version"], capture_output=True, check=True, text=True).stdout
    assert said == f"git version {check_git()}\n"


def _everything(server: Server, cache: Cache) -> None:
    """Use every kind of command once, through the wire and back."""
    seat = cache.seat(7)
    commit = make_commit(seat, a=b"1")
    push(seat, server.url("alice"), commit, REF)
    copy = cache.staff()
    assert fetch(copy, server.url("alice"), [REF]) == {REF: commit}
    assert ls_remote(copy.git, server.url("alice"), ["refs/heads/"]) == {REF: commit}
    assert len(history(copy, commit, limit=5)) == 1
    assert len(list_tree(copy, commit)) == 1


def _set_variables(monkeypatch: pytest.MonkeyPatch, trap: Path, tmp_path: Path) -> None:
    for name, value in {
        "GIT_DIR": str(tmp_path / "elsewhere"),
        "GIT_WORK_TREE": str(tmp_path),
        "GIT_INDEX_FILE": str(tmp_path / "index"),
        "GIT_OBJECT_DIRECTORY": str(tmp_path / "objects"),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(tmp_path / "objects"),
        "GIT_NAMESPACE": "elsewhere",
        "GIT_EXEC_PATH": str(tmp_path),
        "GIT_TEMPLATE_DIR": str(tmp_path),
        "GIT_CONFIG_PARAMETERS": f"'core.fsmonitor={trap}' 'core.hookspath={trap.parent}'",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.fsmonitor",
        "GIT_CONFIG_VALUE_0": str(trap),
        "GIT_ASKPASS": str(trap),
        "SSH_ASKPASS": str(trap),
        "GIT_SSH_COMMAND": str(trap),
        "GIT_PROXY_COMMAND": str(trap),
        "GIT_PAGER": str(trap),
        "GIT_EXTERNAL_DIFF": str(trap),
        "GIT_ALLOW_PROTOCOL": "ext",
        "GIT_SSL_NO_VERIFY": "1",
        "GIT_TRACE": str(tmp_path / "trace"),
        "GIT_TRACE_CURL": str(tmp_path / "trace"),
        "GIT_TRACE2_EVENT": str(tmp_path / "trace"),
        "GIT_DEFAULT_HASH": "sha256",
        "GIT_REPLACE_REF_BASE": "refs/heads/",
        "GIT_SHALLOW_FILE": str(tmp_path / "shallow"),
        "LC_ALL": "de_DE.UTF-8",
        "LANGUAGE": "de",
    }.items():
        monkeypatch.setenv(name, value)


def _set_configuration(home: Path, trap: Path, origin: str) -> None:
    hooks = home / "hooks"
    hooks.mkdir()
    for hook in ("reference-transaction", "pre-push", "post-update", "pre-auto-gc", "pre-receive"):
        (hooks / hook).symlink_to(trap)
    (home / ".gitconfig").write_text(
        f"""
[core]
    hooksPath = {hooks}
    fsmonitor = {trap}
    askPass = {trap}
    sshCommand = {trap}
    gitProxy = {trap}
    pager = {trap}
    alternateRefsCommand = {trap}
[credential]
    helper = {trap}
[url "http://127.0.0.1:1/"]
    insteadOf = {origin}/
    pushInsteadOf = {origin}/
[http]
    proxy = http://127.0.0.1:1
    extraHeader = X-Evil: yes
[init]
    templateDir = {home}
    defaultObjectFormat = sha256
[push]
    followTags = true
    gpgSign = true
[commit]
    gpgSign = true
[log]
    showSignature = true
[gpg]
    program = {trap}
[alias]
    fetch = !{trap}
""",
        encoding="utf-8",
    )
    (home / ".netrc").write_text("machine 127.0.0.1 login evil password evil\n")
    (home / ".netrc").chmod(0o600)


def test_variables_of_the_user_do_not_reach_git(
    server: Server, cache: Cache, trap: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.create("alice")
    _set_variables(monkeypatch, trap, tmp_path)
    _everything(server, cache)
    assert not (tmp_path / "trace").exists()
    assert not (tmp_path / "objects").exists()


def test_the_user_s_configuration_does_not_reach_git(server: Server, cache: Cache, trap: Path, own_home: Path) -> None:
    server.create("alice")
    _set_configuration(own_home, trap, server.origin)
    _everything(server, cache)
    assert {header for _, header in server.requests} == {AUTHORIZATION}


def test_a_repository_around_us_does_not_reach_git(
    server: Server, cache: Cache, trap: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.create("alice")
    work = tmp_path / "work"
    plain_git("init", "--quiet", str(work))
    with (work / ".git" / "config").open("a") as config:
        config.write(
            f'[url "http://127.0.0.1:1/"]\n    insteadOf = {server.origin}/\n[credential]\n    helper = {trap}\n'
        )
    monkeypatch.chdir(work)
    _everything(server, cache)
    assert git_credential_fill(server.origin) is None


def test_the_folder_of_a_repository_may_be_relative(
    server: Server, git: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.create("alice")
    monkeypatch.chdir(tmp_path)
    _everything(server, Cache(Path("here"), git))


def _helper(home: Path, script: str) -> None:
    program = _program(home, "helper", script)
    (home / ".gitconfig").write_text(f"[credential]\n    helper = {program}\n")


def test_git_s_own_credential_helper_is_read(own_home: Path) -> None:
    _helper(own_home, "cat > $HOME/asked; echo username=alice; echo password=s3cret=x")
    assert git_credential_fill("https://forge.example.edu") == ("alice", "s3cret=x")
    assert "host=forge.example.edu" in (own_home / "asked").read_text().splitlines()


@pytest.mark.parametrize("script", ["", "exit 1", "echo username=alice", "echo quit=1"])
def test_a_helper_that_has_nothing_is_no_error_and_asks_nobody(own_home: Path, script: str) -> None:
    _helper(own_home, script)
    assert git_credential_fill("https://forge.example.edu") is None


def test_a_helper_that_hangs_is_given_up(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "_CREDENTIAL_TIMEOUT", 0.3)
    _helper(own_home, "exec sleep 60")
    assert git_credential_fill("https://forge.example.edu") is None


def test_no_helper_and_no_git_are_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    assert git_credential_fill("https://forge.example.edu") is None

    def missing(_: str) -> tuple[str, tuple[int, int]]:
        raise GitMissing("none")

    monkeypatch.setattr(command, "located", missing)
    assert git_credential_fill("https://forge.example.edu") is None


@pytest.mark.parametrize("url", ["https://a\nhost=evil", "https://a b", "https://a\r"])
def test_an_address_cannot_smuggle_lines_to_the_helper(url: str) -> None:
    with pytest.raises(ValueError, match="control characters"):
        git_credential_fill(url)


def test_many_threads_use_one_git(seat: Repository) -> None:
    commit = make_commit(seat, a=b"1")
    failures: list[BaseException] = []

    def read(look: Callable[[], object]) -> None:
        try:
            for _ in range(5):
                look()
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=read, args=(lambda: list_tree(seat, commit),)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_importing_starts_no_git() -> None:
    code = (
        "import subprocess\n"
        "def forbidden(*a, **k): raise SystemExit('started a process')\n"
        "subprocess.Popen = forbidden\n"
        "import git_exchange.transport.push, git_exchange.transport.objects\n"
        "git_exchange.transport.command.Git()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(command.__file__).parents[2])
