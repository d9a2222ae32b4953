from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from git_exchange.errors import Conflict, Forbidden, NotFound, UnexpectedAnswer
from git_exchange.forge.connect import connect, connect_accounts, connect_admin
from git_exchange.forge.gitlab.adapter import GitLab
from git_exchange.forge.ports import Account, Group, Member, Project, Push, Role, Visibility
from git_exchange.rules.times import parse_iso
from tests.unit.forge.conftest import SECRET, URL, Scripted

GROUP = Group(3, "teaching/calc", "calc", "about", Visibility.SIGNED_IN, f"{URL}/teaching/calc")
ALICE = Account(7, "alice", "Alice")
RAW_GROUP = {
    "id": 3,
    "full_path": "teaching/calc",
    "name": "calc",
    "description": "about",
    "visibility": "internal",
    "web_url": f"{URL}/teaching/calc",
}


def raw_project(number: int, path: str = "student-alice", **more: object) -> dict[str, Any]:
    return {
        "id": number,
        "path_with_namespace": f"teaching/calc/{path}",
        "description": None,
        "visibility": "private",
        "web_url": f"https://inside.test/{number}",
        "last_activity_at": "2026-11-20T10:00:00.123Z",
        **more,
    }


def member(number: int, level: int) -> dict[str, Any]:
    return {"id": number, "username": f"user{number}", "name": f"User {number}", "access_level": level}


def event(number: int, **data: object) -> dict[str, Any]:
    return {
        "id": number,
        "project_id": 5,
        "created_at": "2026-11-20T10:00:00.123Z",
        "author": {"id": 7, "username": "alice", "name": "Alice"},
        "push_data": {
            "action": "pushed",
            "ref_type": "branch",
            "ref": "submit/ps1",
            "commit_from": "1" * 40,
            "commit_to": "2" * 40,
            **data,
        },
    }


def written(scripted: Scripted) -> list[tuple[str, Any]]:
    return [
        (call.request.method or "", json.loads(call.request.body or b"null"))
        for call in scripted.mock.calls
        if call.request.method != "GET"
    ]


def test_connecting_asks_nothing(scripted: Scripted) -> None:
    for connected in (connect, connect_admin, connect_accounts):
        assert isinstance(connected(scripted.settings, scripted.token), GitLab)
    assert scripted.asked == []


def test_urls_are_built_from_the_settings_and_not_from_answers(scripted: Scripted) -> None:
    scripted.answers("GET", "/projects/teaching%2Fcalc%2Fstudent-alice", json=raw_project(5, archived=False))
    project = scripted.forge.find_project("teaching/calc/student-alice")
    assert scripted.forge.git_url(project) == f"{URL}/teaching/calc/student-alice.git"
    assert scripted.forge.commit_url(project, "1" * 40) == f"{URL}/teaching/calc/student-alice/-/commit/{'1' * 40}"
    assert SECRET not in scripted.forge.git_url(project)


def test_what_is_absent_is_named(scripted: Scripted) -> None:
    scripted.answers("GET", "/groups/teaching%2Fcalc", status=404, json={"message": "404 Group Not Found"})
    scripted.answers("GET", "/projects/teaching%2Fx", status=404, json={"message": "404 Project Not Found"})
    with pytest.raises(NotFound, match=r"teaching/calc"):
        scripted.forge.find_group("teaching/calc")
    with pytest.raises(NotFound, match=r"teaching/x"):
        scripted.forge.find_project("teaching/x")


def test_archived_projects_are_marked_in_the_list(scripted: Scripted) -> None:
    scripted.answers("GET", "/groups/3/projects", json=[raw_project(5), raw_project(6, "x")])
    scripted.answers("GET", "/groups/3/projects", json=[raw_project(6, "x")])
    assert [(one.id, one.archived) for one in scripted.forge.projects(GROUP)] == [(5, False), (6, True)]
    assert scripted.forge.projects(GROUP)[0].last_activity == parse_iso("2026-11-20T10:00:00.123Z")


def test_an_older_server_that_leaves_out_visibility_is_asked_for_the_long_list(scripted: Scripted) -> None:
    short = {key: value for key, value in raw_project(5).items() if key != "visibility"}
    scripted.answers("GET", "/groups/3/projects", json=[short])
    scripted.answers("GET", "/groups/3/projects", json=[raw_project(5, archived=True)])
    assert [(one.id, one.visibility, one.archived) for one in scripted.forge.projects(GROUP)] == [
        (5, Visibility.PRIVATE, True)
    ]


def test_a_project_that_comes_twice_is_listed_once(scripted: Scripted) -> None:
    scripted.answers("GET", "/groups/3/projects", json=[raw_project(5)], headers={"X-Next-Page": "2"})
    scripted.answers("GET", "/groups/3/projects", json=[raw_project(5), raw_project(6)])
    scripted.answers("GET", "/groups/3/projects", json=[])
    assert [one.id for one in scripted.forge.projects(GROUP)] == [5, 6]


def test_scopes_and_expiry_are_unknown_for_an_oauth_token(scripted: Scripted) -> None:
    refusal = {"message": "This endpoint requires token type to be a personal access token"}
    scripted.answers("GET", "/personal_access_tokens/self", status=400, json=refusal)
    assert scripted.forge.scopes() is None
    assert scripted.forge.token_expires() is None


@pytest.mark.parametrize("expires", [None, "2026-12-24"])
def test_scopes_and_expiry_of_a_personal_token(scripted: Scripted, expires: str | None) -> None:
    scripted.answers("GET", "/personal_access_tokens/self", json={"scopes": ["api"], "expires_at": expires})
    assert scripted.forge.scopes() == frozenset({"api"})
    assert scripted.forge.token_expires() == (date.fromisoformat(expires) if expires else None)


def test_pushes_stop_at_the_last_known_event_and_come_oldest_first(scripted: Scripted) -> None:
    scripted.answers("GET", "/projects/5/events", json=[event(9), event(8)], headers={"X-Next-Page": "2"})
    scripted.answers("GET", "/projects/5/events", json=[], headers={"X-Next-Page": "3"})
    scripted.answers("GET", "/projects/5/events", json=[event(8), event(7), event(6)], headers={"X-Next-Page": "4"})
    assert [push.id for push in scripted.forge.pushes(5, since_id=6)] == [7, 8, 9]
    assert len(scripted.asked) == 3


def test_pushes_are_of_branches_and_a_bulk_push_names_no_ref(scripted: Scripted) -> None:
    created = event(1, action="created", commit_from=None)
    removed = event(2, action="removed", commit_to=None)
    tag = event(3, ref_type="tag", ref="v1")
    bulk = event(4, ref=None, commit_from=None, commit_to=None, ref_count=5)
    other = {**event(5), "push_data": None}
    scripted.answers("GET", "/projects/5/events", json=[other, bulk, tag, removed, created])
    at = parse_iso("2026-11-20T10:00:00.123Z")
    ref = "refs/heads/submit/ps1"
    assert scripted.forge.pushes(5) == [
        Push(1, 5, ref, None, "2" * 40, at, ALICE),
        Push(2, 5, ref, "1" * 40, None, at, ALICE),
        Push(4, 5, None, None, None, at, ALICE),
    ]


def test_branches_are_those_of_the_prefix_in_its_own_case(scripted: Scripted) -> None:
    commit = {"id": "1" * 40, "message": "Submit\n\nAssignment: ps1\n"}
    found = [{"name": name, "commit": commit} for name in ("submit/ps1", "SUBMIT/ps1", "submit/ps1/x")]
    scripted.answers("GET", "/projects/5/repository/branches", json=found)
    branches = scripted.forge.branches(5, "submit/")
    assert [branch.ref for branch in branches] == ["refs/heads/submit/ps1", "refs/heads/submit/ps1/x"]
    assert branches[0].message == "Submit\n\nAssignment: ps1\n"


def test_members_have_the_higher_of_their_levels(scripted: Scripted) -> None:
    scripted.answers("GET", "/projects/5/members", json=[member(1, 30), member(2, 20), member(5, 10)])
    inherited = [member(1, 30), member(2, 40), member(3, 30), member(4, 50), member(5, 10), member(2, 20)]
    scripted.answers("GET", "/projects/5/members/all", json=inherited)
    assert {(one.account.id, one.role, one.direct) for one in scripted.forge.members(5)} == {
        (1, Role.STUDENT, True),
        (2, Role.INSTRUCTOR, False),
        (3, Role.GRADER, False),
        (4, Role.INSTRUCTOR, False),
        (5, Role.NONE, True),
    }


def test_a_developer_of_a_group_is_a_grader(scripted: Scripted) -> None:
    scripted.answers("GET", "/groups/3/members", json=[member(1, 30)])
    scripted.answers("GET", "/groups/3/members/all", json=[member(1, 30)])
    assert scripted.forge.group_members(GROUP) == [Member(Account(1, "user1", "User 1"), Role.GRADER, True)]


@pytest.mark.parametrize(
    ("effective", "own", "role", "write"),
    [
        (None, None, Role.STUDENT, "POST"),
        (30, 30, Role.STUDENT, None),
        (30, None, Role.STUDENT, None),
        (40, 40, Role.STUDENT, "PUT"),
        (10, 10, Role.READER, "PUT"),
        (10, None, Role.READER, "POST"),
        (40, None, Role.STUDENT, None),
        (50, 50, Role.INSTRUCTOR, None),
        (40, 40, Role.NONE, "DELETE"),
        (40, None, Role.NONE, None),
        (None, None, Role.NONE, None),
    ],
)
def test_access_is_brought_to_the_role_with_one_write_or_none(
    scripted: Scripted, effective: int | None, own: int | None, role: Role, write: str | None
) -> None:
    for path, level in (("members/all", effective), ("members", own)):
        answer: dict[str, Any] = {"json": member(7, level)} if level else {"status": 404, "json": {"message": "404"}}
        scripted.answers("GET", f"/projects/5/{path}/7", **answer)
    scripted.answers("POST", "/projects/5/members", status=201, json=member(7, 30))
    scripted.answers("PUT", "/projects/5/members/7", json=member(7, 30))
    scripted.answers("DELETE", "/projects/5/members/7", status=204)
    assert scripted.forge.set_access(5, ALICE, role) is (write is not None)
    assert [method for method, _ in written(scripted)] == ([write] if write else [])


def test_access_that_somebody_else_gave_meanwhile_is_brought_to_the_level(scripted: Scripted) -> None:
    scripted.answers("GET", "/projects/5/members/all/7", status=404, json={"message": "404"})
    scripted.answers("POST", "/projects/5/members", status=409, json={"message": "Member already exists"})
    scripted.answers("PUT", "/projects/5/members/7", json=member(7, 30))
    assert scripted.forge.set_access(5, ALICE, Role.STUDENT)
    assert written(scripted)[-1] == ("PUT", {"access_level": 30})


def test_an_existing_group_is_only_written_when_it_differs(scripted: Scripted) -> None:
    scripted.answers("GET", "/groups/teaching%2Fcalc", json=RAW_GROUP)
    scripted.answers("PUT", "/groups/3", json={**RAW_GROUP, "description": "new"})
    same = scripted.forge.ensure_group(
        "teaching", "calc", name="Other", description="about", visibility=Visibility.SIGNED_IN
    )
    assert same == GROUP
    assert written(scripted) == []
    changed = scripted.forge.ensure_group(
        "teaching", "calc", name="Other", description="new", visibility=Visibility.SIGNED_IN
    )
    assert changed.description == "new"
    assert written(scripted) == [("PUT", {"description": "new", "visibility": "internal"})]


def test_a_group_that_another_program_makes_at_the_same_time_is_used(scripted: Scripted) -> None:
    missing: dict[str, Any] = {"status": 404, "json": {"message": "404 Group Not Found"}}
    scripted.answers("GET", "/groups/teaching%2Fcalc", **missing)
    scripted.answers("GET", "/groups/teaching", json={**RAW_GROUP, "id": 2, "full_path": "teaching"})
    taken = {"message": 'Failed to save group {:path=>["has already been taken"]}'}
    scripted.answers("POST", "/groups", status=400, json=taken)
    scripted.answers("GET", "/groups/teaching%2Fcalc", json=RAW_GROUP)
    made = scripted.forge.ensure_group(
        "teaching", "calc", name="calc", description="about", visibility=Visibility.SIGNED_IN
    )
    assert made == GROUP
    assert written(scripted)[0][1]["parent_id"] == 2


def test_a_name_that_is_taken_by_something_hidden_is_a_conflict(scripted: Scripted) -> None:
    scripted.answers(
        "GET", "/projects/teaching%2Fcalc%2Fstudent-alice", status=404, json={"message": "404 Project Not Found"}
    )
    scripted.answers("POST", "/projects", status=400, json={"message": {"path": ["has already been taken"]}})
    with pytest.raises(Conflict) as caught:
        ensure_seat(scripted)
    assert "cannot see" in caught.value.hint


def test_a_new_project_has_a_first_commit_and_everything_else_off(scripted: Scripted) -> None:
    scripted.answers("GET", "/projects/teaching%2Fcalc%2Fstudent-alice", status=404, json={"message": "404"})
    scripted.answers("POST", "/projects", status=201, json=raw_project(5, archived=False))
    assert ensure_seat(scripted).id == 5
    ((_, body),) = written(scripted)
    assert body["initialize_with_readme"] is True
    assert body["namespace_id"] == 3
    assert body["visibility"] == "private"
    assert body["issues_access_level"] == "private"
    levels = {key: value for key, value in body.items() if key.endswith("_access_level") and "issues" not in key}
    assert set(levels.values()) == {"disabled"}
    assert {"merge_requests_access_level", "forking_access_level", "builds_access_level"} <= set(levels)
    assert not any(body[key] for key in ("lfs_enabled", "auto_devops_enabled", "shared_runners_enabled"))


def test_an_existing_project_is_only_written_where_it_differs(scripted: Scripted) -> None:
    path = "/projects/teaching%2Fcalc%2Fstudent-alice"
    found = raw_project(5, archived=False, description="a seat", wiki_access_level="enabled", lfs_enabled=False)
    scripted.answers("GET", path, json=found)
    scripted.answers("PUT", "/projects/5", json=found)
    scripted.answers("GET", path, json=found | {"wiki_access_level": "disabled"})
    ensure_seat(scripted)
    ensure_seat(scripted)
    assert written(scripted) == [("PUT", {"wiki_access_level": "disabled"})]


def test_what_this_account_may_not_create_is_forbidden(scripted: Scripted) -> None:
    scripted.answers("GET", "/groups/teaching", status=404, json={"message": "404 Group Not Found"})
    scripted.answers("POST", "/groups", status=403, json={"message": "403 Forbidden"})
    with pytest.raises(Forbidden):
        scripted.forge.ensure_group("", "teaching", name="x", description="", visibility=Visibility.PRIVATE)


def test_an_account_is_found_by_its_exact_name_in_any_case(scripted: Scripted) -> None:
    scripted.answers("GET", "/users", json=[{"id": 7, "username": "Alice"}])
    assert scripted.forge.find_account("alice") == Account(7, "Alice")
    assert scripted.forge.find_account("alic") is None


def test_a_new_token_shows_itself_to_nobody(scripted: Scripted) -> None:
    scripted.answers("POST", "/users/7/impersonation_tokens", status=201, json={"token": "glpat-new"})
    token = scripted.forge.create_token(ALICE, name="x", scopes={"api"}, expires=date(2026, 12, 24))
    assert token.value == "glpat-new"
    assert "glpat-new" not in repr(token)
    assert written(scripted) == [("POST", {"name": "x", "scopes": ["api"], "expires_at": "2026-12-24"})]


def test_a_server_of_another_kind_is_told_by_its_version(scripted: Scripted) -> None:
    scripted.answers("GET", "/version", json=["1.22"])
    with pytest.raises(UnexpectedAnswer):
        scripted.forge.server()


def ensure_seat(scripted: Scripted) -> Project:
    return scripted.forge.ensure_project(
        GROUP, "student-alice", description="a seat", visibility=Visibility.PRIVATE, issues=True
    )
