"""Branches, heads and pushes: what was handed in, and when the forge got it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from git_exchange.forge.ports import Role, Visibility
from tests.contract.conftest import SUBMIT, Course

OTHER = "refs/heads/submit/ps2"


def test_a_branch_comes_with_its_head_and_the_whole_message(course: Course) -> None:
    project = course.seat("alice")
    copy = course.working_copy()
    message = "Submit ps1\n\nBody.\n\nAssignment: ps1\nAttempt: 1\n"
    commit = copy.commit(message)
    assert copy.push(course.url(project), course.site.person("alice").token, f"{commit}:{SUBMIT}").accepted
    (branch,) = course.site.admin.branches(project.id, "submit/")
    assert (branch.ref, branch.commit) == (SUBMIT, commit)
    assert branch.message.strip() == message.strip()
    assert course.site.person("alice").forge.branches(project.id, "submit/") == [branch]


def test_branches_are_those_of_the_prefix_over_several_pages(course: Course) -> None:
    project = course.project("assignments")
    copy = course.working_copy()
    commit = copy.commit("work")
    refs = [f"refs/heads/submit/ps{number:03}" for number in range(105)]
    others = ["refs/heads/resubmit/ps1", "refs/heads/submitx", "refs/heads/other/submit/ps1"]
    assert copy.push(
        course.url(project), course.site.backend.admin, *(f"{commit}:{ref}" for ref in [*refs, *others])
    ).accepted
    forge = course.site.admin
    assert sorted(branch.ref for branch in forge.branches(project.id, "submit/")) == refs
    assert forge.branches(project.id, "feedback/") == []
    assert {*refs, *others} < {branch.ref for branch in forge.branches(project.id, "")}


def test_heads_of_many_projects_come_in_few_requests(course: Course, requests_made: list[str]) -> None:
    projects = [course.project(f"student-s{number}") for number in range(105)]
    copy = course.working_copy()
    commits = {}
    for project in projects[::35]:
        commits[project.id, SUBMIT] = copy.commit(project.path)
        commit = commits[project.id, SUBMIT]
        assert copy.push(course.url(project), course.site.backend.admin, f"{commit}:{SUBMIT}").accepted
    requests_made.clear()
    before = datetime.now(timezone.utc)
    found = course.site.admin.heads(course.group, projects, [SUBMIT, OTHER])
    assert found.heads == commits
    assert found.unreadable == {}
    assert len(requests_made) <= (5 if course.site.backend.bulk_heads else len(projects)), requests_made
    ahead = timedelta(seconds=course.site.admin.server().clock_ahead)
    assert found.at - ahead >= before - timedelta(seconds=2)


def test_heads_are_those_of_exactly_the_refs_and_projects_asked_for(course: Course) -> None:
    projects = [course.project(f"student-s{number}") for number in range(4)]
    copy = course.working_copy()
    commit = copy.commit("work")
    refs = (SUBMIT, "refs/heads/submit/ps10", "refs/heads/Submit/ps1", "refs/tags/submit/ps2", OTHER)
    for project in projects:
        assert copy.push(course.url(project), course.site.backend.admin, *(f"{commit}:{ref}" for ref in refs)).accepted
    forge = course.site.admin
    for some in (projects[:1], projects[:3]):
        found = forge.heads(course.group, some, [SUBMIT, "refs/heads/submit/none"])
        assert found.heads == {(project.id, SUBMIT): commit for project in some}
    assert forge.heads(course.group, projects, []).heads == {}
    assert forge.heads(course.group, [], [SUBMIT]).heads == {}


def test_a_tag_or_an_id_is_never_taken_for_a_branch(course: Course) -> None:
    projects = [course.project(f"student-s{number}") for number in range(3)]
    copy = course.working_copy()
    commit = copy.commit("work")
    for project in projects:
        assert copy.push(course.url(project), course.site.backend.admin, f"{commit}:refs/tags/submit/ps1").accepted
    assert course.site.admin.heads(course.group, projects, [SUBMIT]).heads == {}


def test_many_refs_are_read_however_many_the_server_takes_at_once(course: Course, requests_made: list[str]) -> None:
    projects = [course.project(f"student-s{number}") for number in range(3)]
    refs = [f"refs/heads/submit/ps{number}" for number in range(30)]
    copy = course.working_copy()
    commit = copy.commit("work")
    pushed = copy.push(course.url(projects[1]), course.site.backend.admin, *(f"{commit}:{ref}" for ref in refs))
    assert pushed.accepted
    requests_made.clear()
    found = course.site.admin.heads(course.group, projects, refs)
    assert found.heads == {(projects[1].id, ref): commit for ref in refs}
    assert len(requests_made) <= 40


def test_a_commit_that_changes_no_file_is_a_head_like_any_other(course: Course) -> None:
    projects = [course.project(f"student-s{number}") for number in range(3)]
    copy = course.working_copy()
    first = copy.commit("one", text="same")
    second = copy.commit("two", parent=first, text="same")
    for project in projects:
        assert copy.push(course.url(project), course.site.backend.admin, f"{second}:{SUBMIT}").accepted
    found = course.site.admin.heads(course.group, projects, [SUBMIT])
    assert set(found.heads.values()) == {second}


def test_projects_that_the_account_may_not_read_are_named(course: Course) -> None:
    own, *others = (course.seat(name) for name in ("alice", "bob", "carol"))
    found = course.site.person("alice").forge.heads(course.group, [own, *others], [SUBMIT])
    assert found.heads == {}
    assert set(found.unreadable) == {project.id for project in others}
    assert all(found.unreadable.values())


def test_a_project_without_a_commit_has_no_heads_branches_or_pushes(course: Course) -> None:
    course.site.backend.make_empty_project(course.group, "empty")
    empty = course.site.admin.find_project(f"{course.group.full_path}/empty")
    others = [course.project(f"student-s{number}") for number in range(2)]
    for projects in ([empty], [empty, *others]):
        found = course.site.admin.heads(course.group, projects, [SUBMIT, OTHER])
        assert (found.heads, found.unreadable) == ({}, {})
    assert course.site.admin.branches(empty.id, "submit/") == []
    assert course.site.admin.branches(empty.id, "") == []
    assert course.site.admin.pushes(empty.id) == []


def test_each_push_is_recorded_with_ref_commits_time_and_person(course: Course) -> None:
    project = course.seat("alice")
    alice = course.site.person("alice")
    copy = course.working_copy()
    first = copy.commit("one")
    second = copy.commit("two", parent=first)
    third = copy.commit("three", parent=second)
    ahead = timedelta(seconds=course.site.admin.server().clock_ahead)
    before = datetime.now(timezone.utc)
    assert copy.push(course.url(project), alice.token, f"{first}:{SUBMIT}").accepted
    assert copy.push(course.url(project), alice.token, f"{third}:{SUBMIT}").accepted
    found = [push for push in course.site.pushes(project, 2) if push.ref == SUBMIT]
    assert [(push.before, push.after) for push in found] == [(None, first), (first, third)]
    assert {push.account.id for push in found} == {alice.account.id}
    assert {push.project_id for push in found} == {project.id}
    assert found[0].id < found[1].id
    assert before - timedelta(seconds=3) <= found[0].at - ahead
    assert found[0].at <= found[1].at
    assert found[0].at.utcoffset() == timedelta(0)
    assert [push.id for push in alice.forge.pushes(project.id) if push.ref == SUBMIT] == [push.id for push in found]


def test_pushes_go_on_after_the_last_known_one(course: Course) -> None:
    project = course.seat("alice")
    alice = course.site.person("alice")
    copy = course.working_copy()
    parent = None
    for number in range(4):
        parent = copy.commit(str(number), parent=parent)
        assert copy.push(course.url(project), alice.token, f"{parent}:{SUBMIT}").accepted
        course.site.pushes(project, number + 1)
    found = course.site.admin.pushes(project.id)
    assert [push.id for push in found] == sorted(push.id for push in found)
    assert course.site.admin.pushes(project.id, since_id=found[1].id) == found[2:]
    assert course.site.admin.pushes(project.id, since_id=found[-1].id) == []
    today = datetime.now(timezone.utc).date()
    assert course.site.admin.pushes(project.id, after=today - timedelta(days=2)) == found
    assert course.site.admin.pushes(project.id, after=today + timedelta(days=1)) == []


def test_a_removed_branch_is_recorded_and_a_tag_is_not(course: Course) -> None:
    project = course.project("assignments")
    admin = course.site.backend.admin
    copy = course.working_copy()
    commit = copy.commit("one")
    course.site.admin.ensure_rules(project.id, [])
    assert copy.push(course.url(project), admin, f"{commit}:refs/heads/stray").accepted
    assert copy.push(course.url(project), admin, f"{commit}:refs/tags/v1").accepted
    assert copy.push(course.url(project), admin, ":refs/heads/stray").accepted
    found = [push for push in course.site.pushes(project, 2) if push.ref == "refs/heads/stray"]
    assert [(push.before, push.after) for push in found] == [(None, commit), (commit, None)]
    assert not any(push.ref and "v1" in push.ref for push in course.site.admin.pushes(project.id))


def test_a_push_of_many_refs_is_either_told_in_full_or_names_no_ref(course: Course) -> None:
    project = course.seat("alice")
    alice = course.site.person("alice")
    copy = course.working_copy()
    commit = copy.commit("one")
    refs = {f"refs/heads/submit/ps{number}" for number in range(1, 6)}
    assert copy.push(course.url(project), alice.token, *(f"{commit}:{ref}" for ref in sorted(refs))).accepted
    found = course.site.pushes(project, 1)
    bulk = [push for push in found if push.ref is None]
    if bulk:
        assert [(push.before, push.after, push.account.id) for push in bulk] == [(None, None, alice.account.id)]
        assert not any(push.ref in refs for push in found)
    else:
        assert {push.ref for push in course.site.pushes(project, 5)} >= refs


@pytest.mark.parametrize("who", ["alice", "gina"])
def test_pushes_of_others_carry_their_name(course: Course, who: str) -> None:
    project = course.seat("alice")
    gina = course.site.person("gina")
    course.site.admin.set_group_access(course.group, gina.account, Role.GRADER)
    copy = course.working_copy()
    pusher = course.site.person(who)
    assert copy.push(course.url(project), pusher.token, f"{copy.commit('x')}:{SUBMIT}").accepted
    (push,) = [push for push in course.site.pushes(project, 1) if push.ref == SUBMIT]
    assert push.account.username == pusher.account.username


def test_what_everybody_may_read_is_read_by_everybody_who_is_signed_in(course: Course) -> None:
    project = course.project("assignments", visibility=Visibility.SIGNED_IN)
    copy = course.working_copy()
    commit = copy.commit("release")
    assert copy.push(course.url(project), course.site.backend.admin, f"{commit}:refs/heads/release/ps1").accepted
    bob = course.site.person("bob")
    assert [branch.commit for branch in bob.forge.branches(project.id, "release/")] == [commit]
    assert (copy.read(course.url(project), bob.token) or {})["refs/heads/release/ps1"] == commit
    assert bob.forge.role_in(project, bob.account) is Role.NONE
