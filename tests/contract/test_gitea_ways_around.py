"""Ways around the branch rules that Gitea and Forgejo have or had, tried by a student and by staff on a real server."""

from __future__ import annotations

import base64
from typing import Any

import pytest
import requests

from git_exchange.forge.ports import BranchRule, Project, Role, Visibility
from git_exchange.secret import Token
from tests.contract.conftest import SEAT_RULES, SUBMIT, Course

FEEDBACK = "refs/heads/feedback/ps1"

# Only there: it is about Gitea's and Forgejo's own API.
pytestmark = pytest.mark.parametrize("site", ["gitea"], indirect=True)


def api(course: Course, project: Project, method: str, path: str, token: Token, body: Any = None) -> int:
    url = course.url(project).removesuffix(".git").replace(course.site.backend.url, "")
    where = f"{course.site.backend.url}/api/v1/repos{url}{path}"
    headers = {"Authorization": f"token {token.value}"}
    with requests.request(method, where, json=body, headers=headers, timeout=60) as answer:
        return answer.status_code


def submitted(course: Course, project: Project) -> str:
    copy = course.working_copy()
    commit = copy.commit("work")
    assert copy.push(course.url(project), course.site.person("alice").token, f"{commit}:{SUBMIT}").accepted
    return commit


def heads(course: Course, project: Project) -> dict[str, str]:
    return {branch.ref: branch.commit for branch in course.site.admin.branches(project.id, "")}


def test_a_branch_is_not_renamed_into_a_protected_name(course: Course) -> None:
    project = course.seat("alice")
    alice = course.site.person("alice").token
    submitted(course, project)
    before = heads(course, project)
    for name in ("submit%2Fps1", "main"):
        for method, path in (("PATCH", f"/branches/{name}"), ("POST", f"/branches/{name}/rename")):
            status = api(course, project, method, path, alice, {"name": "feedback/ps1", "new_name": "feedback/ps1"})
            assert status >= 400
    assert heads(course, project) == before


def test_files_and_branches_are_not_made_by_the_api_where_a_push_is_refused(course: Course) -> None:
    project = course.seat("alice")
    alice = course.site.person("alice").token
    submitted(course, project)
    before = heads(course, project)
    content = base64.b64encode(b"100 points").decode()
    change = {"branch": "submit/ps1", "message": "x", "content": content}
    for target in ("feedback/ps1", "main"):
        assert api(course, project, "POST", "/contents/f.txt", alice, {**change, "new_branch": target}) >= 400
        assert api(course, project, "POST", "/contents/g.txt", alice, {**change, "branch": target}) >= 400
    made = {"new_branch_name": "feedback/ps1", "old_branch_name": "submit/ps1"}
    assert api(course, project, "POST", "/branches", alice, made) >= 400
    assert api(course, project, "DELETE", "/branches/submit%2Fps1", alice) >= 400
    assert heads(course, project) == before


def test_nothing_is_merged_into_a_protected_branch(course: Course) -> None:
    project = course.seat("alice")
    alice = course.site.person("alice").token
    copy = course.working_copy()
    copy.git("fetch", "--quiet", course.url(project), "main", token=alice)
    main = copy.git("rev-parse", "FETCH_HEAD").stdout.strip()
    commit = copy.commit("work", parent=main)
    assert copy.push(course.url(project), alice, f"{commit}:{SUBMIT}").accepted
    before = heads(course, project)
    request = {"base": "main", "head": "submit/ps1", "title": "merge me"}
    assert api(course, project, "POST", "/pulls", alice, request) >= 400
    for ref in ("refs/for/main/x", "refs/for/main", "refs/for/feedback/ps1"):
        assert not copy.push(course.url(project), alice, f"{copy.commit('more', parent=commit)}:{ref}").accepted
    assert heads(course, project) == before
    assert before[SUBMIT] == commit


def test_names_that_look_like_a_submission_are_refused(course: Course) -> None:
    project = course.seat("alice")
    alice = course.site.person("alice").token
    copy = course.working_copy()
    commit = copy.commit("work")
    for ref in ("Submit/ps1", "submit", "feedback/ps1", "x", "main"):
        assert not copy.push(course.url(project), alice, f"{commit}:refs/heads/{ref}").accepted
    assert not copy.push(course.url(project), alice, f"{commit}:refs/tags/submit/ps1").accepted
    assert copy.push(course.url(project), alice, f"{commit}:refs/heads/submit/a/b").accepted


def test_a_writer_cannot_let_others_in(course: Course) -> None:
    project = course.seat("alice")
    alice, bob = course.site.person("alice"), course.site.person("bob").account
    path = f"/collaborators/{bob.username}"
    assert api(course, project, "PUT", path, alice.token, {"permission": "write"}) >= 400
    assert api(course, project, "PATCH", "", alice.token, {"has_pull_requests": True}) >= 400
    assert course.site.admin.role_in(project, bob) is Role.NONE


def test_everything_but_git_and_issues_is_off(course: Course) -> None:
    project = course.seat("alice")
    alice = course.site.person("alice").token
    assert api(course, project, "GET", "/issues", alice) == 200
    for path in ("/pulls", "/wiki/pages", "/releases"):
        assert api(course, project, "GET", path, alice) >= 400


def test_a_grader_pushes_feedback_where_the_course_lets_graders_and_cannot_change_rules(course: Course) -> None:
    project = course.seat("alice")
    gina = course.site.person("gina")
    course.site.admin.set_group_access(course.group, gina.account, Role.GRADER)
    copy = course.working_copy()
    commit = copy.commit("feedback")
    assert not copy.push(course.url(project), gina.token, f"{commit}:{FEEDBACK}").accepted
    rules = [BranchRule("feedback/*", Role.GRADER), *SEAT_RULES]
    course.site.admin.ensure_rules(project.id, rules)
    assert copy.push(course.url(project), gina.token, f"{commit}:{FEEDBACK}").accepted
    assert not copy.push(course.url(project), gina.token, f"{commit}:refs/heads/other").accepted
    assert api(course, project, "DELETE", "/branch_protections/%2A%2A", gina.token) >= 400
    assert not copy.push(
        course.url(project), course.site.person("alice").token, f"{copy.commit('x', parent=commit)}:{FEEDBACK}"
    ).accepted


def test_an_instructor_keeps_the_course_without_owning_the_organisation(course: Course) -> None:
    tom = course.site.person("tom")
    course.site.admin.set_group_access(course.group, tom.account, Role.INSTRUCTOR)
    group = tom.forge.find_group(course.group.full_path)
    project = tom.forge.ensure_project(
        group, "student-alice", description="", visibility=Visibility.PRIVATE, issues=True
    )
    assert tom.forge.ensure_rules(project.id, SEAT_RULES)
    assert tom.forge.set_access(project.id, course.site.person("alice").account, Role.STUDENT)
    assert tom.forge.role_in(project, course.site.person("alice").account) is Role.STUDENT
    submitted(course, project)


def test_pushes_of_who_hides_them_are_seen_by_administrators_only(course: Course) -> None:
    project = course.seat("alice")
    alice, tom = course.site.person("alice"), course.site.person("tom")
    course.site.admin.set_group_access(course.group, tom.account, Role.INSTRUCTOR)
    settings = f"{course.site.backend.url}/api/v1/user/settings"
    headers = {"Authorization": f"token {alice.token.value}"}
    try:
        requests.patch(settings, json={"hide_activity": True}, headers=headers, timeout=60).raise_for_status()
        commit = submitted(course, project)
        assert [push.after for push in course.site.pushes(project, 1)] == [commit]
        assert [push.after for push in alice.forge.pushes(project.id)] == [commit]
        assert tom.forge.pushes(project.id) == []
        found = tom.forge.heads(course.group, [project], [SUBMIT])
        assert found.heads == {(project.id, SUBMIT): commit}
    finally:
        requests.patch(settings, json={"hide_activity": False}, headers=headers, timeout=60).raise_for_status()
