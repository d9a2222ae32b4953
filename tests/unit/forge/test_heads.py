from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from git_exchange.errors import ForgeUnreachable, NotFound, Throttled, UnexpectedAnswer
from git_exchange.forge.ports import Group, Project, Visibility
from git_exchange.rules.times import parse_iso
from tests.unit.forge.conftest import URL, Scripted

GROUP = Group(3, "teaching/calc", "calc", "", Visibility.SIGNED_IN, f"{URL}/teaching/calc")
PS1, PS2 = "refs/heads/submit/ps1", "refs/heads/submit/ps2"
OID = "1" * 40
LATER = "Fri, 20 Nov 2026 10:00:07 GMT"


def projects(*numbers: int) -> list[Project]:
    return [
        Project(number, GROUP.full_path, f"student-{number}", "", Visibility.PRIVATE, False, f"{URL}/{number}")
        for number in numbers
    ]


def node(number: int, *commits: str | None) -> dict[str, Any]:
    fields = {f"r{place}": {"sha": commit} if commit else None for place, commit in enumerate(commits)}
    return {"id": f"gid://gitlab/Project/{number}", "repository": fields}


def page(*nodes: dict[str, Any], cursor: str | None = None, errors: list[Any] | None = None) -> dict[str, Any]:
    info = {"hasNextPage": cursor is not None, "endCursor": cursor}
    document: dict[str, Any] = {"data": {"group": {"projects": {"pageInfo": info, "nodes": list(nodes)}}}}
    return document | ({"errors": errors} if errors else {})


def sent(scripted: Scripted) -> list[dict[str, Any]]:
    bodies = [call.request.body for call in scripted.mock.calls if (call.request.url or "").endswith("/graphql")]
    return [json.loads(body or b"{}")["variables"] for body in bodies]


def test_all_projects_and_refs_come_in_one_request_a_page(scripted: Scripted) -> None:
    scripted.graphql(page(node(1, OID, None), node(2, None, None), cursor="c1"))
    scripted.graphql(page(node(3, None, "2" * 64), node(9, OID, OID)), date=LATER)
    found = scripted.forge.heads(GROUP, projects(1, 2, 3), [PS1, PS2])
    assert found.heads == {(1, PS1): OID, (3, PS2): "2" * 64}
    assert found.unreadable == {}
    assert found.at == parse_iso("2026-11-20T10:00:08Z")
    assert [one["after"] for one in sent(scripted)] == [None, "c1"]
    assert {sent(scripted)[0]["r0"], sent(scripted)[0]["r1"]} == {PS1, PS2}


def test_a_ref_is_a_variable_and_never_part_of_the_query(scripted: Scripted) -> None:
    evil = 'refs/heads/submit/x"){sha}} #'
    scripted.graphql(page(node(1, None), node(2, None), node(3, None)))
    scripted.forge.heads(GROUP, projects(1, 2, 3), [evil])
    body = json.loads(scripted.mock.calls[0].request.body or b"")
    assert evil not in body["query"]
    assert body["variables"]["r0"] == evil


def test_a_query_that_is_too_complex_is_halved(scripted: Scripted) -> None:
    refs = [f"refs/heads/submit/ps{number}" for number in range(4)]
    scripted.graphql({"errors": [{"message": "Query has complexity of 300, which exceeds max complexity of 250"}]})
    scripted.graphql(page(node(1, OID, OID), node(2, None, None), node(3, None, None)))
    scripted.graphql(page(node(1, None, OID), node(2, None, None), node(3, None, None)))
    found = scripted.forge.heads(GROUP, projects(1, 2, 3), refs)
    assert set(found.heads) == {(1, refs[0]), (1, refs[1]), (1, refs[3])}


@pytest.mark.parametrize(
    "refusal",
    [
        {"json": {"errors": [{"message": "Field 'commit' doesn't exist on type 'Repository'"}]}},
        {"json": {"error": "404 Not Found"}, "status": 404},
        {"json": {"message": "403 Forbidden"}, "status": 403},
        {"json": {"errors": [{"message": "Internal server error"}]}, "status": 500},
        {"body": requests.ReadTimeout("slow")},
    ],
)
def test_where_graphql_does_not_help_each_project_is_asked(scripted: Scripted, refusal: dict[str, Any]) -> None:
    scripted.answers("POST", f"{URL}/api/graphql", **refusal)
    for number in (1, 2, 3):
        commit = {"id": OID, "message": "m"}
        branches = [{"name": "submit/ps1", "commit": commit}, {"name": "submit/ps10", "commit": commit}]
        scripted.answers("GET", f"/projects/{number}/repository/branches", json=branches)
    found = scripted.forge.heads(GROUP, projects(1, 2, 3), [PS1])
    assert found.heads == {(number, PS1): OID for number in (1, 2, 3)}
    assert found.at == parse_iso("2026-11-20T10:00:01Z")


def test_a_project_that_graphql_could_not_read_is_asked_alone_and_never_taken_for_empty(scripted: Scripted) -> None:
    error = {"message": "13:Internal", "path": ["group", "projects", "nodes", 1, "repository", "r0"]}
    scripted.graphql(page(node(1, OID), node(2, None), node(3, None), errors=[error]))
    branch = {"name": "submit/ps1", "commit": {"id": "2" * 40, "message": "m"}}
    scripted.answers("GET", "/projects/2/repository/branches", json=[branch])
    found = scripted.forge.heads(GROUP, projects(1, 2, 3), [PS1])
    assert found.heads == {(1, PS1): OID, (2, PS1): "2" * 40}


def test_a_project_that_nothing_can_read_is_named_with_the_reason(scripted: Scripted) -> None:
    scripted.graphql(page(node(1, OID), {"id": "gid://gitlab/Project/2", "repository": None}))
    scripted.answers("GET", "/projects/2/repository/branches", json={"message": "403 Forbidden"}, status=403)
    scripted.answers("GET", "/projects/3/repository/branches", json={"message": "broken"}, status=500)
    found = scripted.forge.heads(GROUP, projects(1, 2, 3), [PS1])
    assert found.heads == {(1, PS1): OID}
    assert set(found.unreadable) == {2, 3}
    assert "403" in found.unreadable[2] or "may not" in found.unreadable[2]


def test_a_forge_that_is_down_is_not_asked_for_every_project(scripted: Scripted) -> None:
    scripted.mock.add("POST", f"{URL}/api/graphql", body=requests.ReadTimeout("slow"))
    for number in range(1, 201):
        scripted.answers("GET", f"/projects/{number}/repository/branches", body=requests.ReadTimeout("slow"))
    with pytest.raises(ForgeUnreachable):
        scripted.forge.heads(GROUP, projects(*range(1, 201)), [PS1])
    assert len(scripted.asked) < 100


def test_a_throttled_forge_is_not_taken_for_unreadable_projects(scripted: Scripted) -> None:
    scripted.answers("GET", "/projects/1/repository/branches", status=429, headers={"Retry-After": "600"})
    with pytest.raises(Throttled):
        scripted.forge.heads(GROUP, projects(1), [PS1])


def test_few_projects_are_asked_directly(scripted: Scripted) -> None:
    scripted.answers("GET", "/projects/1/repository/branches", json=[])
    assert scripted.forge.heads(GROUP, projects(1), [PS1]).heads == {}
    assert scripted.asked == ["GET /projects/1/repository/branches"]


def test_no_projects_or_refs_need_only_the_clock(scripted: Scripted) -> None:
    scripted.answers("GET", "/version", json={"version": "18.0.0"})
    assert scripted.forge.heads(GROUP, [], [PS1]).at == parse_iso("2026-11-20T10:00:01Z")
    assert scripted.forge.heads(GROUP, projects(1, 2, 3), []).heads == {}


def test_a_hidden_group_is_not_found(scripted: Scripted) -> None:
    scripted.graphql({"data": {"group": None}})
    with pytest.raises(NotFound):
        scripted.forge.heads(GROUP, projects(1, 2, 3), [PS1])


@pytest.mark.parametrize(
    "document",
    [
        [],
        "x",
        {"data": {"group": {"projects": {"nodes": []}}}},
        {"data": {"group": {"projects": {"pageInfo": {"hasNextPage": True, "endCursor": None}, "nodes": []}}}},
        {"data": {"group": {"projects": {"pageInfo": {"hasNextPage": False}, "nodes": [{"id": "x"}]}}}},
        {"errors": [{"message": "something else"}]},
    ],
)
def test_an_answer_that_is_none_of_graphql_is_no_answer(scripted: Scripted, document: object) -> None:
    scripted.graphql(document)
    with pytest.raises(UnexpectedAnswer):
        scripted.forge.heads(GROUP, projects(1, 2, 3), [PS1])


def test_paging_that_does_not_get_on_ends_with_an_error(scripted: Scripted) -> None:
    scripted.graphql(page(node(1, OID), cursor="c1"))
    scripted.graphql(page(node(2, OID), cursor="c1"))
    with pytest.raises(UnexpectedAnswer):
        scripted.forge.heads(GROUP, projects(1, 2, 3), [PS1])
