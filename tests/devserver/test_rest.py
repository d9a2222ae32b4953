"""The REST API by plain requests, as GitLab documents it: codes, bodies, paging."""

from __future__ import annotations

import pytest
import requests

from tests.devserver.world import World, check


def test_nobody_and_the_wrong_are_401_and_the_hidden_is_404(world: World) -> None:
    project = world.project()
    api = f"{world.server.url}/api/v4"
    for headers in ({}, {"PRIVATE-TOKEN": "wrong"}, {"Authorization": "Bearer wrong"}):
        answer = requests.get(f"{api}/user", headers=headers, timeout=30)
        assert (answer.status_code, answer.json()) == (401, {"message": "401 Unauthorized"})
    stranger = world.person("stranger")
    answer = stranger.call("GET", f"/projects/{project.id}")
    assert (answer.status_code, answer.json()) == (404, {"message": "404 Project Not Found"})
    assert stranger.call("GET", "/projects/999999").json() == answer.json()
    answer = stranger.call("GET", f"/groups/{world.group.id}")
    assert (answer.status_code, answer.json()) == (404, {"message": "404 Group Not Found"})
    assert stranger.call("GET", "/no/such/thing").status_code == 404
    assert stranger.call("DELETE", "/user").status_code == 405


def test_too_low_a_level_is_403(world: World) -> None:
    project = world.project()
    guest = world.member(project, "guest")
    assert guest.call("GET", f"/projects/{project.id}").status_code == 200
    answer = guest.call("GET", f"/projects/{project.id}/repository/branches")
    assert (answer.status_code, answer.json()) == (403, {"message": "403 Forbidden"})
    assert guest.call("DELETE", f"/projects/{project.id}").status_code == 403
    assert guest.call("GET", f"/projects/{project.id}/events").json() == []


def test_a_scope_that_only_reads_may_not_write(world: World) -> None:
    person = world.person("reader", "read_api")
    assert person.call("GET", "/user").status_code == 200
    answer = person.call("POST", "/projects", json={"name": "x"})
    assert answer.status_code == 403
    assert answer.json()["error"] == "insufficient_scope"
    writer = world.person("writer", "write_repository")
    assert writer.call("GET", "/user").status_code == 403
    assert writer.call("GET", "/personal_access_tokens/self").status_code == 200


def test_a_revoked_token_says_so(world: World) -> None:
    person = world.person("gone")
    assert person.call("DELETE", "/personal_access_tokens/self").status_code == 204
    answer = person.call("GET", "/user")
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")


def test_an_expired_token_is_refused(world: World) -> None:
    person = world.person("late")
    token = world.token(person.id, days=1)
    headers = {"PRIVATE-TOKEN": token}
    assert requests.get(f"{world.server.url}/api/v4/user", headers=headers, timeout=30).status_code == 200
    try:
        world.control("POST", "/clock", json={"offset": 86_400})
        answer = requests.get(f"{world.server.url}/api/v4/user", headers=headers, timeout=30)
    finally:
        world.control("POST", "/clock", json={"offset": 0})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")


@pytest.mark.parametrize("how", ["params", "json", "data"])
def test_parameters_come_as_query_json_or_form(world: World, how: str) -> None:
    person = world.person("maker")
    body = {"name": f"By {how}", "path": f"by-{how}", "visibility": "private"}
    answer = person.call("POST", "/projects", **{how: body})
    assert answer.status_code == 201, answer.text
    check("project_simple", answer.json())
    assert answer.json()["path_with_namespace"] == f"{person.username}/by-{how}"


def test_missing_and_wrong_parameters_are_400(world: World) -> None:
    project = world.project()
    admin = world.admin
    for path, body, error in (
        (f"/projects/{project.id}/protected_branches", {}, "name is missing"),
        (
            f"/projects/{project.id}/protected_branches",
            {"name": "x", "push_access_level": 20},
            "push_access_level does not have a valid value",
        ),
        (f"/projects/{project.id}/members", {"user_id": 1}, "access_level is missing"),
        ("/groups", {"name": "x"}, "path is missing"),
        ("/projects", {}, "name, path are missing, at least one parameter must be provided"),
        ("/projects", {"name": "x", "visibility": "secret"}, "visibility does not have a valid value"),
    ):
        answer = requests.post(
            f"{admin.api_url}{path}", json=body, headers={"PRIVATE-TOKEN": world.server.admin_token}, timeout=30
        )
        assert (answer.status_code, answer.json()) == (400, {"error": error})


def test_a_taken_name_is_refused_in_gitlabs_words(world: World) -> None:
    world.project("work")
    headers = {"PRIVATE-TOKEN": world.server.admin_token}
    body = {"name": "work", "path": "Work", "namespace_id": world.group.id}
    answer = requests.post(f"{world.admin.api_url}/projects", json=body, headers=headers, timeout=30)
    taken = ["has already been taken"]
    assert (answer.status_code, answer.json()) == (400, {"message": {"name": taken, "path": taken}})
    answer = requests.post(
        f"{world.admin.api_url}/groups", json={"name": "x", "path": world.group.path}, headers=headers, timeout=30
    )
    assert answer.status_code == 400
    assert answer.json()["message"] == 'Failed to save group {:path=>["has already been taken"]}'


def test_a_project_cannot_be_more_visible_than_its_group(world: World) -> None:
    body = {"name": "x", "namespace_id": world.group.id, "visibility": "internal"}
    headers = {"PRIVATE-TOKEN": world.server.admin_token}
    answer = requests.post(f"{world.admin.api_url}/projects", json=body, headers=headers, timeout=30)
    assert (answer.status_code, list(answer.json()["message"])) == (400, ["visibility_level"])


def test_pages_say_where_they_are(world: World) -> None:
    for number in range(5):
        world.project(f"p{number}", initialize_with_readme=False)
    headers = {"PRIVATE-TOKEN": world.server.admin_token}
    url = f"{world.admin.api_url}/groups/{world.group.id}/projects?simple=true&per_page=2&order_by=name&sort=asc"
    seen = []
    pages = []
    while url:
        answer = requests.get(url, headers=headers, timeout=30)
        check("project_simple", answer.json())
        seen += [one["path"] for one in answer.json()]
        pages.append([answer.headers[f"X-{name}"] for name in ("Page", "Next-Page", "Prev-Page", "Total")])
        assert answer.headers["X-Per-Page"] == "2"
        assert answer.headers["X-Total-Pages"] == "3"
        url = answer.links.get("next", {}).get("url", "")
    assert seen == [f"p{number}" for number in range(5)]
    assert pages == [["1", "2", "", "5"], ["2", "3", "1", "5"], ["3", "", "2", "5"]]
    many = requests.get(f"{world.admin.api_url}/users?per_page=1000", headers=headers, timeout=30)
    assert many.headers["X-Per-Page"] == "100"


def test_keyset_pages_follow_the_id(world: World) -> None:
    made = [world.project(f"p{number}", initialize_with_readme=False).id for number in range(5)]
    headers = {"PRIVATE-TOKEN": world.server.admin_token}
    url = (
        f"{world.admin.api_url}/projects?pagination=keyset&order_by=id&sort=asc&per_page=2&id_after={made[0] - 1}"
        f"&search={world.group.path}&search_namespaces=true"
    )
    seen = []
    while url:
        answer = requests.get(url, headers=headers, timeout=30)
        seen += [one["id"] for one in answer.json()]
        assert "X-Total" not in answer.headers
        url = answer.links.get("next", {}).get("url", "")
    assert seen == made


def test_lists_show_only_what_somebody_is_a_member_of(world: World) -> None:
    mine, other = world.project("mine"), world.project("other")
    person = world.member(mine, "developer")
    found = person.call("GET", "/projects?membership=true&min_access_level=30&simple=true").json()
    assert [one["id"] for one in found] == [mine.id]
    assert person.call("GET", "/projects?membership=true&min_access_level=40").json() == []
    # Who belongs to a project sees the group around it, and of its projects only the own one.
    assert person.call("GET", f"/groups/{world.group.id}").json()["id"] == world.group.id
    assert [p["id"] for p in person.call("GET", f"/groups/{world.group.id}/projects").json()] == [mine.id]
    assert person.call("GET", f"/projects/{other.id}").status_code == 404
    shown = person.call("GET", f"/projects/{mine.id}").json()
    assert shown["permissions"]["project_access"]["access_level"] == 30


def test_a_developer_of_a_group_may_make_projects_only_where_the_group_says_so(world: World) -> None:
    person = world.person("dev")
    world.group.members.create({"user_id": person.id, "access_level": 30})
    body = {"name": "x", "namespace_id": world.group.id}
    made = person.call("POST", "/projects", json=body)
    assert made.status_code == 201
    assert made.json()["permissions"]["project_access"]["access_level"] == 40
    world.group.project_creation_level = "maintainer"
    world.group.save()
    answer = person.call("POST", "/projects", json=body | {"name": "y"})
    assert (answer.status_code, answer.json()) == (400, {"message": {"namespace": ["is not valid"]}})


def test_every_answer_has_a_date(world: World) -> None:
    for path in ("/api/v4/user", "/api/v4/nothing", "/nothing", "/a/b.git/info/refs?service=git-upload-pack"):
        assert "GMT" in requests.get(world.server.url + path, timeout=30).headers["Date"]
