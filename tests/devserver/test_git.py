"""git over HTTP with each role: real clones and pushes."""

from __future__ import annotations

import base64
import gzip
import shutil
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests.devserver.world import Person, World, eventually

PROTECTED = "You are not allowed to push code to protected branches on this project."
CREATE = "You are not allowed to create protected branches on this project."
FORCE = "You are not allowed to force push code to a protected branch on this project."
DELETE = "Only a project maintainer or owner can delete a protected branch."
BY_WEB = "You can only delete protected branches using the web interface."
DEFAULT = "The default branch of a project cannot be deleted."
TAG = "You are not allowed to create this tag as it is protected."
LOW = "You are not allowed to push code to this project."

# what -> the role -> what the answer holds; "" is success.
TABLE: dict[tuple[str, str], dict[str, str]] = {
    ("create", "refs/heads/submit/new"): {"reporter": LOW, "developer": "", "maintainer": "", "owner": ""},
    ("push", "refs/heads/submit/ps1"): {"reporter": LOW, "developer": "", "maintainer": "", "owner": ""},
    ("force", "refs/heads/submit/ps1"): {"reporter": LOW, "developer": FORCE, "maintainer": FORCE, "owner": FORCE},
    ("delete", "refs/heads/submit/ps1"): {"reporter": LOW, "developer": DELETE, "maintainer": BY_WEB, "owner": BY_WEB},
    ("create", "refs/heads/stray"): {"reporter": LOW, "developer": CREATE, "maintainer": "", "owner": ""},
    ("create", "refs/heads/feedback/ps1"): {"reporter": LOW, "developer": CREATE, "maintainer": "", "owner": ""},
    ("push", "refs/heads/main"): {"reporter": LOW, "developer": PROTECTED, "maintainer": "", "owner": ""},
    ("delete", "refs/heads/main"): {"reporter": LOW, "developer": DEFAULT, "maintainer": DEFAULT, "owner": DEFAULT},
    ("create", "refs/tags/v1"): {"reporter": LOW, "developer": TAG, "maintainer": "", "owner": ""},
    ("create", "refs/hidden/x"): {"reporter": LOW, "developer": "only push", "maintainer": "only push", "owner": ""},
}
TABLE["create", "refs/hidden/x"]["owner"] = "only push"
CASES = [(role, what, ref, said) for (what, ref), roles in TABLE.items() for role, said in roles.items()]


@pytest.mark.parametrize(("role", "what", "ref", "said"), CASES, ids=[f"{c[0]}-{c[1]}-{c[2][5:]}" for c in CASES])
def test_what_each_role_may_push(world: World, role: str, what: str, ref: str, said: str) -> None:
    project = world.project()
    world.rules(project)
    owner = world.person("teacher")
    project.members.create({"user_id": owner.id, "access_level": 50})
    ground = world.clone(project, owner, "ground")
    ground.commit("first")
    ground.commit("second")
    assert ground.push("HEAD:refs/heads/submit/ps1", "HEAD~1:refs/heads/main").returncode == 0
    person = world.member(project, role)
    work = world.clone(project, person)
    assert work.git("fetch", "origin").returncode == 0
    if what == "push":
        work.git("reset", "--hard", "--quiet", "origin/" + ref.removeprefix("refs/heads/"))
        work.commit("more")
    refspec = {"delete": f":{ref}", "force": f"+HEAD~1:{ref}"}.get(what, f"HEAD:{ref}")
    done = work.push(refspec)
    if said:
        assert done.returncode != 0
        assert said in done.stderr
        if role != "reporter":
            assert "GitLab: " in done.stderr
    else:
        assert done.returncode == 0, done.stderr


def test_without_rules_a_developer_pushes_forces_and_deletes(world: World) -> None:
    project = world.project()
    work = world.clone(project, world.member(project, "developer"))
    work.commit("one")
    assert work.push("HEAD:refs/heads/free").returncode == 0
    assert work.push("+HEAD~1:refs/heads/free").returncode == 0
    assert work.push(":refs/heads/free").returncode == 0
    # The default branch came with its own rule.
    assert PROTECTED in work.push("HEAD:refs/heads/main").stderr


def test_server_hooks_of_an_administrator_run_after_the_rights_and_may_refuse(world: World) -> None:
    project = world.project()
    work = world.clone(project, world.member(project, "developer"))
    work.commit("one")
    hook = world.server.state / "git" / "hooks" / "pre-receive.d" / "refuse"
    hook.parent.mkdir()
    script = f'#!/bin/sh\ntest "$GL_PROJECT_PATH" != {project.path_with_namespace} || {{ cat >&2; exit 3; }}\n'
    hook.write_text(script)
    hook.chmod(0o755)
    try:
        refused = work.push("HEAD:refs/heads/free")
        assert f"{work.head()} refs/heads/free" in refused.stderr
        assert PROTECTED in work.push("HEAD:refs/heads/main").stderr
        hook.chmod(0o644)
        assert work.push("HEAD:refs/heads/free").returncode == 0
    finally:
        shutil.rmtree(hook.parent)


def test_a_guest_may_not_read_and_a_stranger_finds_nothing(world: World) -> None:
    project = world.project()
    guest, stranger = world.member(project, "guest"), world.person("stranger")
    assert info_refs(world, project, guest).status_code == 403
    answer = info_refs(world, project, stranger)
    assert answer.status_code == 404
    assert answer.text == info_refs(world, project, stranger, path="no/such").text


@pytest.mark.parametrize("token", [None, "glpat-wrong"])
def test_missing_and_wrong_credentials_are_asked_for(world: World, token: str | None) -> None:
    project = world.project()
    answer = requests.get(
        f"{world.server.url}/{project.path_with_namespace}.git/info/refs?service=git-upload-pack",
        auth=None if token is None else ("x", token),
        timeout=30,
    )
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic realm=")


def test_git_takes_basic_credentials_only(world: World) -> None:
    project = world.project()
    url = f"{world.server.url}/{project.path_with_namespace}.git/info/refs?service=git-upload-pack"
    for headers in (
        {"PRIVATE-TOKEN": world.server.admin_token},
        {"Authorization": f"Bearer {world.server.admin_token}"},
    ):
        assert requests.get(url, headers=headers, timeout=30).status_code == 401
    basic = base64.b64encode(f"oauth2:{world.server.admin_token}".encode()).decode()
    assert requests.get(url, headers={"Authorization": f"Basic {basic}"}, timeout=30).status_code == 200


@pytest.mark.parametrize(
    ("scopes", "reads", "writes"),
    [
        (("api",), 200, 200),
        (("write_repository",), 200, 200),
        (("read_repository",), 200, 403),
        (("read_api",), 403, 403),
        (("read_api", "write_repository"), 200, 200),
    ],
)
def test_the_scopes_of_a_token_hold_for_git(world: World, scopes: tuple[str, ...], reads: int, writes: int) -> None:
    project = world.project()
    person = world.member(project, "developer", *scopes)
    assert info_refs(world, project, person).status_code == reads
    assert info_refs(world, project, person, service="git-receive-pack").status_code == writes


def test_anybody_reads_a_public_project_and_the_signed_in_an_internal_one(world: World) -> None:
    world.group.visibility = "public"
    world.group.save()
    public = world.project("open", visibility="public")
    internal = world.project("inside", visibility="internal")
    world.clone(public, None, "public")
    assert info_refs(world, internal, None).status_code == 401
    stranger = world.person("stranger")
    work = world.clone(internal, stranger, "internal")
    assert LOW in work.push("HEAD:refs/heads/x").stderr


def test_a_repository_is_found_without_its_ending_too(world: World) -> None:
    project = world.project()
    answer = requests.get(
        f"{world.server.url}/{project.path_with_namespace}/info/refs?service=git-upload-pack",
        auth=("x", world.server.admin_token),
        timeout=30,
    )
    assert answer.headers["Content-Type"] == "application/x-git-upload-pack-advertisement"


def test_the_dumb_protocol_gives_nothing(world: World) -> None:
    project = world.project()
    base = f"{world.server.url}/{project.path_with_namespace}.git"
    for path in ("/info/refs", "/HEAD", "/config", "/objects/info/packs"):
        assert requests.get(base + path, auth=("x", world.server.admin_token), timeout=30).status_code in (403, 404)


def test_an_archived_project_is_read_but_not_written(world: World) -> None:
    project = world.project()
    person = world.member(project, "maintainer")
    work = world.clone(project, person)
    project.archive()
    work.commit()
    assert "archived" in work.push("HEAD:refs/heads/x").stderr
    world.clone(project, person, "again")
    project.unarchive()
    assert work.push("HEAD:refs/heads/x").returncode == 0


def test_large_files_travel_both_ways(world: World) -> None:
    project = world.project()
    person = world.member(project, "developer")
    work = world.clone(project, person)
    content = bytes(range(256)) * 4096 * 12
    (work.folder / "big.bin").write_bytes(content)
    work.git("config", "core.compression", "0")
    work.commit("big")
    assert work.push("HEAD:refs/heads/big").returncode == 0
    again = world.clone(project, person, "again")
    again.git("checkout", "--quiet", "big")
    assert (again.folder / "big.bin").read_bytes() == content


def test_a_compressed_request_is_understood(world: World) -> None:
    project = world.project()
    body = gzip.compress(b"0014command=ls-refs\n00010009peel\n0000")
    answer = requests.post(
        f"{world.server.url}/{project.path_with_namespace}.git/git-upload-pack",
        data=body,
        headers={
            "Content-Type": "application/x-git-upload-pack-request",
            "Content-Encoding": "gzip",
            "Git-Protocol": "version=2",
        },
        auth=("x", world.server.admin_token),
        timeout=30,
    )
    assert answer.status_code == 200
    assert b"refs/heads/main" in answer.content


def test_many_clients_at_once_are_all_served(world: World) -> None:
    project = world.project()
    person = world.member(project, "developer")
    works = [world.clone(project, person, f"clone{i}") for i in range(8)]
    for number, work in enumerate(works):
        work.commit(str(number))
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda pair: pair[1].push(f"HEAD:refs/heads/w{pair[0]}"), enumerate(works)))
    assert [one.returncode for one in done] == [0] * 8
    events = project.events.list(action="pushed", get_all=True)
    assert {event.push_data["ref"] for event in events} == {f"w{i}" for i in range(8)}


def test_a_push_that_is_cut_off_changes_nothing_and_the_server_goes_on(world: World) -> None:
    project = world.project()
    person = world.member(project, "developer")
    url = f"{world.server.url}/{project.path_with_namespace}.git/git-receive-pack"

    def torn() -> object:
        yield b"0094" + b"0" * 40
        raise ConnectionAbortedError

    with pytest.raises(requests.ConnectionError):
        requests.post(url, data=torn(), auth=("x", person.token), timeout=30)  # type: ignore[arg-type]
    work = world.clone(project, person)
    work.commit()
    assert work.push("HEAD:refs/heads/x").returncode == 0
    assert eventually(lambda: len(project.events.list(action="pushed", get_all=True))) == 1


def info_refs(
    world: World, project: object, person: Person | None, *, service: str = "git-upload-pack", path: str = ""
) -> requests.Response:
    place = path or getattr(project, "path_with_namespace", "")
    return requests.get(
        f"{world.server.url}/{place}.git/info/refs?service={service}",
        auth=("x", person.token) if person else None,
        timeout=30,
    )


def test_a_client_that_goes_away_leaves_no_backend_behind(world: World) -> None:
    project = world.project()
    host, port = world.server.url.removeprefix("http://").split(":")
    basic = base64.b64encode(f"x:{world.server.admin_token}".encode()).decode()
    children = Path(f"/proc/{world.server.pid}/task/{world.server.pid}/children")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(
            f"POST /{project.path_with_namespace}.git/git-receive-pack HTTP/1.1\r\nHost: x\r\n"
            f"Authorization: Basic {basic}\r\nContent-Type: application/x-git-receive-pack-request\r\n"
            "Content-Length: 1000\r\n\r\n0".encode()
        )
        eventually(lambda: children.read_text().split())
    eventually(lambda: not children.read_text().split())
