"""Start, end, crash: what stays and what goes."""

from __future__ import annotations

import base64
import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import gitlab
import pytest
import requests

from git_exchange.devserver import RunningServer, StartError
from git_exchange.devserver.server import check_loopback
from tests.devserver.world import World, eventually


@pytest.mark.parametrize("crash", [False, True], ids=["ended", "killed"])
def test_everything_is_there_after_a_restart(tmp_path: Path, crash: bool) -> None:
    server = RunningServer(tmp_path / "state")
    server.start()
    token = server.admin_token
    world = World(server, tmp_path)
    project = world.project()
    person = world.member(project, "developer")
    work = world.clone(project, person)
    head = work.commit()
    assert work.push("HEAD:refs/heads/x").returncode == 0
    if crash:
        server.kill()
    else:
        server.stop()
    with RunningServer(tmp_path / "state") as again:
        assert again.admin_token == token
        client = gitlab.Gitlab(again.url, private_token=person.token)
        same = client.projects.get(project.id)
        assert same.branches.get("x").commit["id"] == head
        assert [event.push_data["commit_to"] for event in same.events.list(get_all=True)] == [head]
        assert same.members_all.get(person.id).access_level == 30


def test_a_push_that_a_killed_server_did_not_record_is_recorded_at_the_next_start(tmp_path: Path) -> None:
    server = RunningServer(tmp_path / "state")
    server.start()
    world = World(server, tmp_path)
    project = world.project()
    head = project.branches.get("main").commit["id"]
    server.kill()
    report = tmp_path / "state" / "pushes" / f"{project.id}-1-abc"
    report.write_text(f"{'0' * 40} {head} refs/heads/late\n")
    with RunningServer(tmp_path / "state") as again:
        client = gitlab.Gitlab(again.url, private_token=again.admin_token)
        (event,) = client.projects.get(project.id).events.list(get_all=True)
        assert (event.push_data["ref"], event.push_data["commit_to"]) == ("late", head)
    assert not report.exists()


def test_the_administrators_token_is_in_a_file_for_the_owner_only(server: RunningServer) -> None:
    path = server.state / "admin-token"
    assert path.read_text().strip() == server.admin_token
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_second_server_on_the_same_folder_is_refused(server: RunningServer) -> None:
    with pytest.raises(StartError, match="Another development server"):
        RunningServer(server.state).start()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.0.1", "::", "example.com", ""])
def test_only_loopback_is_listened_on(host: str) -> None:
    with pytest.raises(ValueError, match="loopback only"):
        check_loopback(host)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_loopback_is_taken_in_every_spelling(host: str) -> None:
    assert check_loopback(host) == host


def test_an_address_off_loopback_ends_the_start(tmp_path: Path) -> None:
    done = run("--host", "0.0.0.0", "--state", str(tmp_path))
    assert done.returncode == 1
    assert "loopback only" in done.stderr


def test_without_gits_http_backend_the_start_says_what_to_install(tmp_path: Path) -> None:
    fake = tmp_path / "bin" / "git"
    fake.parent.mkdir()
    fake.write_text(f"#!/bin/sh\necho {tmp_path}\n")
    fake.chmod(0o755)
    done = run("--state", str(tmp_path / "state"), PATH=str(fake.parent))
    assert done.returncode == 1
    assert "install the full git package" in done.stderr
    assert "install git" in run("--state", str(tmp_path / "state"), PATH=str(tmp_path)).stderr


def test_the_command_prints_address_and_token_and_leaves_nothing_behind(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "git_exchange.cli.main", "devserver"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        token = process.stdout.readline().split()[-1]
        answer = requests.get(f"{url}/api/v4/user", headers={"PRIVATE-TOKEN": token}, timeout=30)
        assert answer.json()["is_admin"]
        assert list(tmp_path.glob("git-exchange-devserver-*"))
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        process.stdout.close()
    assert not list(tmp_path.glob("git-exchange-devserver-*"))


def test_the_end_of_the_server_ends_git_under_way(tmp_path: Path) -> None:
    server = RunningServer(tmp_path / "state")
    server.start()
    world = World(server, tmp_path)
    project = world.project()
    pid = server.pid
    host, port = server.url.removeprefix("http://").split(":")
    basic = base64.b64encode(f"x:{server.admin_token}".encode()).decode()
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(
            f"POST /{project.path_with_namespace}.git/git-receive-pack HTTP/1.1\r\nHost: x\r\n"
            f"Authorization: Basic {basic}\r\nContent-Type: application/x-git-receive-pack-request\r\n"
            "Content-Length: 1000\r\n\r\n0".encode()
        )
        children = Path(f"/proc/{pid}/task/{pid}/children")
        (child,) = eventually(lambda: children.read_text().split())
        server.stop()
        eventually(lambda: not Path(f"/proc/{child}").exists())


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "git_exchange.devserver", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=60,
        check=False,
    )
