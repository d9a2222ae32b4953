"""What a push leaves behind: events by the server's time, one for each ref or one for many."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
import requests

from tests.devserver.world import World, check


def test_a_push_makes_one_event_for_each_ref_with_the_servers_time(world: World) -> None:
    project = world.project()
    person = world.member(project, "developer")
    work = world.clone(project, person)
    first = work.commit("one")
    before = datetime.now(timezone.utc) - timedelta(seconds=1)
    work.push("HEAD:refs/heads/submit/ps1")
    second = work.commit("two")
    work.push("HEAD:refs/heads/submit/ps1")
    work.push("HEAD:refs/tags/v1")
    work.push(":refs/heads/submit/ps1")
    answer = person.call("GET", f"/projects/{project.id}/events?action=pushed")
    check("event", answer.json())
    events = answer.json()
    assert [event["action_name"] for event in events] == ["deleted", "pushed new", "pushed to", "pushed new"]
    assert [event["id"] for event in events] == sorted((event["id"] for event in events), reverse=True)
    removed, tag, pushed, created = (event["push_data"] for event in events)
    assert (created["commit_from"], created["commit_to"], created["ref"]) == (None, first, "submit/ps1")
    assert (pushed["commit_from"], pushed["commit_to"], pushed["commit_count"]) == (first, second, 1)
    assert pushed["commit_title"] == "Write two"
    assert (tag["ref_type"], tag["ref"]) == ("tag", "v1")
    assert (removed["commit_from"], removed["commit_to"]) == (second, None)
    assert {event["author_username"] for event in events} == {person.username}
    at = datetime.fromisoformat(events[-1]["created_at"].replace("Z", "+00:00"))
    assert before <= at <= datetime.now(timezone.utc)


def test_more_than_three_refs_of_a_kind_and_action_make_one_bulk_event(world: World) -> None:
    project = world.project()
    person = world.member(project, "developer")
    work = world.clone(project, person)
    work.commit("one")
    work.push(*(f"HEAD:refs/heads/a{i}" for i in range(3)))
    assert len(project.events.list(get_all=True)) == 3
    work.push(*(f"HEAD:refs/heads/b{i}" for i in range(4)), "HEAD:refs/tags/t")
    work.commit("two")
    # Created and pushed count apart.
    work.push("HEAD:refs/heads/c", *(f"HEAD:refs/heads/a{i}" for i in range(3)))
    events = person.call("GET", f"/projects/{project.id}/events?action=pushed&per_page=100").json()
    check("event", events)
    bulk = [event["push_data"] for event in events if event["push_data"]["ref_count"] is not None]
    assert [(one["ref_count"], one["ref"], one["commit_to"], one["commit_count"]) for one in bulk] == [
        (4, None, None, 0)
    ]
    assert len(events) == 3 + 2 + 4


def test_days_and_pages_cut_the_list(world: World) -> None:
    project = world.project()
    work = world.clone(project, world.member(project, "developer"))
    for number in range(3):
        work.commit(str(number))
        work.push("HEAD:refs/heads/x")
    today = datetime.now(timezone.utc).date()
    yesterday, tomorrow = today - timedelta(days=1), today + timedelta(days=1)
    assert len(project.events.list(after=yesterday.isoformat(), before=tomorrow.isoformat(), get_all=True)) == 3
    assert project.events.list(after=today.isoformat(), get_all=True) == []
    assert project.events.list(before=today.isoformat(), get_all=True) == []
    newest = [event.id for event in project.events.list(per_page=2, get_all=True)]
    assert newest == sorted(newest, reverse=True)
    assert [event.id for event in project.events.list(sort="asc", get_all=True)] == newest[::-1]
    assert project.events.list(action="merged", get_all=True) == []


def test_a_refused_push_leaves_nothing(world: World) -> None:
    project = world.project()
    work = world.clone(project, world.member(project, "developer"))
    work.commit()
    assert work.push("HEAD:refs/heads/x", "HEAD:refs/heads/main").returncode != 0
    assert project.events.list(get_all=True) == []
    assert [branch.name for branch in project.branches.list(get_all=True)] == ["main"]


def test_the_last_activity_moves_at_most_once_an_hour(world: World) -> None:
    project = world.project()
    work = world.clone(project, world.member(project, "developer"))
    work.commit("one")
    work.push("HEAD:refs/heads/x")
    assert world.admin.projects.get(project.id).last_activity_at == project.last_activity_at
    try:
        world.control("POST", "/clock", json={"offset": 3700})
        work.commit("two")
        work.push("HEAD:refs/heads/x")
    finally:
        world.control("POST", "/clock", json={"offset": 0})
    moved = world.admin.projects.get(project.id)
    assert moved.last_activity_at > project.last_activity_at
    newest = project.events.list(get_all=True)[0]
    assert moved.last_activity_at == newest.created_at


def test_events_can_be_held_released_and_removed(world: World) -> None:
    project = world.project()
    work = world.clone(project, world.member(project, "developer"))
    try:
        world.control("POST", "/events", json={"hold": True})
        work.commit("one")
        assert work.push("HEAD:refs/heads/x").returncode == 0
        assert project.events.list(get_all=True) == []
    finally:
        world.control("POST", "/events", json={"release": True})
    (event,) = project.events.list(get_all=True)
    assert world.control("DELETE", f"/events/{event.id}").status_code == 204
    assert world.control("DELETE", f"/events/{event.id}").status_code == 404
    assert project.events.list(get_all=True) == []


def test_events_that_lag_appear_when_their_time_has_come(world: World) -> None:
    project = world.project()
    work = world.clone(project, world.member(project, "developer"))
    try:
        world.control("POST", "/events", json={"lag": 600})
        work.commit("one")
        work.push("HEAD:refs/heads/x")
        pushed = datetime.now(timezone.utc)
        assert project.events.list(get_all=True) == []
        world.control("POST", "/clock", json={"offset": 700})
        (event,) = project.events.list(get_all=True)
    finally:
        world.control("POST", "/events", json={"lag": 0})
        world.control("POST", "/clock", json={"offset": 0})
    late = datetime.fromisoformat(event.created_at.replace("Z", "+00:00")) - pushed
    assert timedelta(seconds=590) < late < timedelta(seconds=610)


@pytest.mark.parametrize("path", ["/faults", "/events", "/clock"])
def test_the_controls_are_for_administrators_only(world: World, path: str) -> None:
    person = world.person("somebody")
    url = f"{world.server.url}/-/devserver{path}"
    body = {"offset": 5, "path": ".*"}
    assert requests.post(url, json=body, headers={"PRIVATE-TOKEN": person.token}, timeout=30).status_code == 403
    assert requests.post(url, json=body, timeout=30).status_code == 401


def test_the_first_branch_of_an_empty_project_becomes_its_default(world: World) -> None:
    project = world.project("empty", initialize_with_readme=False)
    assert project.default_branch is None
    work = world.clone(project, world.member(project, "maintainer"))
    work.commit()
    assert work.push("HEAD:refs/heads/start").returncode == 0
    again = world.admin.projects.get(project.id)
    assert again.default_branch == "start"
    assert [rule.name for rule in again.protectedbranches.list(get_all=True)] == ["start"]
