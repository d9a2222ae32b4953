"""Throttling and failures on request."""

from __future__ import annotations

import gitlab
import pytest
from gitlab.exceptions import GitlabHttpError

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
