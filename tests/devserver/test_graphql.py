"""Heads of many projects by GraphQL."""

from __future__ import annotations

from typing import Any

import requests

from tests.devserver.world import Person, World

HEADS = """
query($g: ID!, $c: String) {
  group(fullPath: $g) {
    id
    projects(first: 2, after: $c) {
      pageInfo { hasNextPage endCursor }
      nodes { id path archived repository { rootRef
        a0: commit(ref: "refs/heads/submit/ps1") { sha }
        a1: tree(ref: "submit/ps1") { lastCommit { sha } } } }
    }
  }
  queryComplexity { score limit }
}
"""


def ask(world: World, query: str, token: str | None = None, **variables: Any) -> Any:
    secret = token or world.server.admin_token
    answer = requests.post(
        f"{world.server.url}/api/graphql",
        json={"query": query, "variables": variables},
        headers={"Authorization": f"Bearer {secret}"},
        timeout=30,
    )
    assert answer.status_code == 200
    return answer.json()


def test_the_heads_of_a_group_come_in_pages(world: World) -> None:
    heads = {}
    for number in range(3):
        project = world.project(f"p{number}")
        heads[f"gid://gitlab/Project/{project.id}"] = project.branches.create(
            {"branch": "submit/ps1", "ref": "main"}
        ).commit["id"]
    found, cursor = {}, None
    while True:
        answer = ask(world, HEADS, g=world.group.full_path, c=cursor)
        projects = answer["data"]["group"]["projects"]
        found |= {node["id"]: node["repository"]["a0"]["sha"] for node in projects["nodes"]}
        assert answer["data"]["queryComplexity"]["limit"] == 250
        if not projects["pageInfo"]["hasNextPage"]:
            break
        cursor = projects["pageInfo"]["endCursor"]
    assert found == heads


def test_a_missing_branch_is_null(world: World) -> None:
    world.project()
    (node,) = ask(world, HEADS, g=world.group.full_path)["data"]["group"]["projects"]["nodes"]
    assert node["repository"]["a0"] is None
    assert node["repository"]["a1"]["lastCommit"] is None


def test_the_last_commit_of_a_tree_passes_over_commits_that_change_nothing(world: World) -> None:
    project = world.project()
    work = world.clone(project, world.member(project, "maintainer"))
    first = work.commit("one")
    work.git("commit", "--quiet", "--allow-empty", "-m", "nothing")
    second = work.head()
    work.push("HEAD:refs/heads/submit/ps1")
    (node,) = ask(world, HEADS, g=world.group.full_path)["data"]["group"]["projects"]["nodes"]
    assert node["repository"]["a0"]["sha"] == second
    assert node["repository"]["a1"]["lastCommit"]["sha"] == first


def test_what_is_hidden_is_null(world: World) -> None:
    project = world.project()
    stranger, guest = world.person("stranger"), world.member(project, "guest")
    assert ask(world, HEADS, stranger.token, g=world.group.full_path)["data"]["group"] is None
    (node,) = ask(world, HEADS, guest.token, g=world.group.full_path)["data"]["group"]["projects"]["nodes"]
    assert node["repository"] is None
    one = "query($p: ID!) { project(fullPath: $p) { id } }"
    assert ask(world, one, stranger.token, p=project.path_with_namespace)["data"]["project"] is None
    assert ask(world, one, guest.token, p=project.path_with_namespace)["data"]["project"] is not None


def test_a_query_that_is_too_complex_is_refused_in_gitlabs_words(world: World) -> None:
    def query(number: int) -> str:
        aliases = " ".join(f'a{i}: tree(ref: "submit/{i}") {{ lastCommit {{ sha }} }}' for i in range(number))
        return (
            "query($g: ID!) { group(fullPath: $g) { projects(first: 100) { pageInfo { hasNextPage endCursor }"
            f" nodes {{ id fullPath repository {{ {aliases} }} }} }} }} queryComplexity {{ score limit }} }}"
        )

    assert "errors" not in ask(world, query(7), g=world.group.full_path)
    answer = ask(world, query(8), g=world.group.full_path)
    assert answer["errors"][0]["message"] == "Query has complexity of 263, which exceeds max complexity of 250"
    assert "data" not in answer


def test_who_asks_is_told(world: World) -> None:
    person: Person = world.person("alice")
    user = ask(world, "{ currentUser { username id } }", person.token)["data"]["currentUser"]
    assert user == {"username": person.username, "id": f"gid://gitlab/User/{person.id}"}
    wrong = requests.post(
        f"{world.server.url}/api/graphql",
        json={"query": "{ currentUser { id } }"},
        headers={"Authorization": "Bearer wrong"},
        timeout=30,
    )
    assert wrong.status_code == 401
    assert "errors" in ask(world, "{ nothing }")
    assert "errors" in ask(world, "{")
