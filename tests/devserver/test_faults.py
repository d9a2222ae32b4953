"""Throttling and failures on request."""

from __future__ import annotations

from pathlib import Path

import gitlab
import pytest
import requests
from gitlab.exceptions import GitlabHttpError

from git_exchange.devserver import RunningServer
from tests.devserver.world import World


def test_the_next_requests_are_throttled_in_front_of_the_application(world: World) -> None:
    project = world.project()
    fault = {"path": f"/projects/{project.id}$", "times": 2, "plain": True, "retry_after": 7}
    assert world.control("POST", "/faults", json=fault).status_code == 201
    person = world.member(project, "developer")
    for _ in range(2):
        answer = person.call("GET", f"/projects/{project.id}")
        assert (answer.status_code, answer.text) == (429, "Retry later\n")
        assert answer.headers["Retry-After"] == "7"
        assert answer.headers["Content-Type"].startswith("text/plain")
    assert person.call("GET", f"/projects/{project.id}").status_code == 200


def test_an_application_limit_is_json_without_a_time(world: World) -> None:
    project = world.project()
    world.control("POST", "/faults", json={"path": f"/projects/{project.id}$", "method": "GET"})
    with pytest.raises(GitlabHttpError) as refused:
        world.admin.http_get(f"/projects/{project.id}", obey_rate_limit=False)
    assert refused.value.response_code == 429


def test_any_status_can_be_asked_for_and_faults_forgotten(world: World) -> None:
    project = world.project()
    world.control("POST", "/faults", json={"path": project.path_with_namespace, "status": 503, "times": 99})
    assert world.clone_fails(project)
    assert world.control("DELETE", "/faults").status_code == 204
    assert not world.clone_fails(project)


def test_python_gitlab_waits_and_goes_on(world: World) -> None:
    project = world.project()
    world.control("POST", "/faults", json={"path": f"/projects/{project.id}$", "plain": True, "retry_after": 0})
    client = gitlab.Gitlab(world.server.url, private_token=world.server.admin_token)
    assert client.projects.get(project.id).id == project.id


def test_an_address_with_many_failed_git_sign_ins_is_shut_out_for_an_hour(tmp_path: Path) -> None:
    with RunningServer(tmp_path / "server") as server:
        world = World(server, tmp_path)
        person = world.member(project := world.project(), "developer")

        def status(token: str) -> int:
            path = f"{server.url}/{project.path_with_namespace}.git/info/refs"
            asked = {"service": "git-upload-pack"}
            return requests.get(path, params=asked, auth=("oauth2", token), timeout=30).status_code

        assert {status("wrong") for _ in range(40)} == {401}
        assert status(person.token) == 200  # it is off by default
        world.control("POST", "/bans", json={"on": True})
        assert {status("wrong") for _ in range(29)} == {401}
        assert world.control("POST", "/bans").json() == {"on": True, "failed": 29}
        assert status(person.token) == 200
        assert world.control("POST", "/bans").json()["failed"] == 0
        assert {status("wrong") for _ in range(30)} == {401}
        assert (status("wrong"), status(person.token)) == (403, 403)
        assert person.call("GET", "/user").status_code == 200
        world.control("POST", "/clock", json={"offset": 3601})
        assert status(person.token) == 200
