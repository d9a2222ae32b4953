"""Roles and rules: what they let people do, tried by real pushes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from git_exchange.errors import Forbidden, NotFound
from git_exchange.forge.ports import BranchRule, Role
from tests.contract.conftest import SEAT_RULES, SUBMIT, Course


def test_roles_are_given_changed_and_taken_once_each(course: Course, requests_made: list[str]) -> None:
    project = course.project("student-alice")
    forge, alice = course.site.admin, course.site.person("alice").account
    assert forge.role_in(project, alice) is Role.NONE
    for role in (Role.READER, Role.STUDENT, Role.INSTRUCTOR, Role.STUDENT, Role.NONE):
        assert forge.set_access(project.id, alice, role)
        assert forge.role_in(project, alice) is role
        requests_made.clear()
        assert not forge.set_access(project.id, alice, role)
        assert all(request.startswith("GET ") for request in requests_made)


def test_members_are_direct_or_come_from_the_group(course: Course) -> None:
    project = course.project("student-alice")
    site, forge = course.site, course.site.admin
    people = {name: site.person(name).account for name in ("alice", "gina", "tom")}
    forge.set_access(project.id, people["alice"], Role.STUDENT)
    assert forge.set_group_access(course.group, people["gina"], Role.GRADER)
    assert forge.set_group_access(course.group, people["tom"], Role.INSTRUCTOR)
    assert not forge.set_group_access(course.group, people["gina"], Role.GRADER)
    found = {member.account.id: (member.role, member.direct) for member in forge.members(project.id)}
    assert found[people["alice"].id] == (Role.STUDENT, True)
    assert found[people["gina"].id] == (Role.GRADER, False)
    assert found[people["tom"].id] == (Role.INSTRUCTOR, False)
    of_group = {member.account.id: (member.role, member.direct) for member in forge.group_members(course.group)}
    assert of_group[people["gina"].id] == (Role.GRADER, True)
    assert of_group[people["tom"].id] == (Role.INSTRUCTOR, True)
    assert people["alice"].id not in of_group
    assert forge.role_in(project, people["gina"]) is Role.GRADER
    assert forge.role_in(project, people["alice"]) is Role.STUDENT
    assert forge.set_group_access(course.group, people["gina"], Role.NONE)
    assert forge.role_in(project, people["gina"]) is Role.NONE
    assert not forge.set_group_access(course.group, people["gina"], Role.NONE)


def test_who_made_the_group_stays_its_owner_as_an_instructor(course: Course) -> None:
    forge = course.site.admin
    me = forge.account()
    assert not forge.set_group_access(course.group, me, Role.INSTRUCTOR)
    assert forge.role_in(course.project("p"), me) is Role.INSTRUCTOR


def test_a_role_by_the_group_is_not_taken_by_a_project(course: Course) -> None:
    project = course.project("student-alice")
    forge, tom = course.site.admin, course.site.person("tom").account
    forge.set_group_access(course.group, tom, Role.INSTRUCTOR)
    assert not forge.set_access(project.id, tom, Role.STUDENT)
    assert not forge.set_access(project.id, tom, Role.NONE)
    assert forge.role_in(project, tom) is Role.INSTRUCTOR


def test_lists_of_members_are_complete_for_everybody_who_may_see_them(course: Course) -> None:
    project = course.seat("alice")
    own = course.site.person("alice")
    assert own.forge.role_in(project, own.account) is Role.STUDENT
    assert own.account.id in {member.account.id for member in own.forge.members(project.id)}


def test_rules_are_set_once_and_read_back(course: Course, requests_made: list[str]) -> None:
    project = course.project("student-alice")
    forge = course.site.admin
    assert forge.ensure_rules(project.id, SEAT_RULES)
    requests_made.clear()
    assert not forge.ensure_rules(project.id, SEAT_RULES)
    assert all(request.startswith("GET ") for request in requests_made)
    found = set(forge.rules(project.id))
    assert set(SEAT_RULES) <= found
    assert {rule.push for rule in found - set(SEAT_RULES)} <= {Role.INSTRUCTOR}


def test_rules_are_changed_to_exactly_what_is_asked(course: Course) -> None:
    project = course.project("student-alice")
    forge = course.site.admin
    wrong = (BranchRule("*", Role.STUDENT), BranchRule("other/*", Role.STUDENT))
    assert forge.ensure_rules(project.id, wrong)
    assert set(wrong) <= set(forge.rules(project.id))
    assert forge.ensure_rules(project.id, SEAT_RULES)
    found = set(forge.rules(project.id))
    assert set(SEAT_RULES) <= found
    assert not any("*" in rule.pattern or rule.push is not Role.INSTRUCTOR for rule in found - set(SEAT_RULES))


def test_a_student_can_change_neither_rules_nor_members(course: Course) -> None:
    project = course.seat("alice")
    alice, bob = course.site.person("alice"), course.site.person("bob")
    changes: tuple[Callable[[], bool], ...] = (
        lambda: alice.forge.ensure_rules(project.id, [BranchRule("*", Role.STUDENT)]),
        lambda: alice.forge.set_access(project.id, bob.account, Role.STUDENT),
        lambda: alice.forge.set_access(project.id, alice.account, Role.INSTRUCTOR),
        lambda: alice.forge.set_group_access(course.group, alice.account, Role.INSTRUCTOR),
    )
    for change in changes:
        with pytest.raises(Forbidden):
            change()
    assert course.site.admin.role_in(project, alice.account) is Role.STUDENT
    assert course.site.admin.role_in(project, bob.account) is Role.NONE


@pytest.mark.parametrize(
    ("ref", "student"),
    [
        (SUBMIT, True),
        ("refs/heads/submit/a/b", True),
        ("refs/heads/main", False),
        ("refs/heads/feedback/ps1", False),
        ("refs/heads/release/ps1", False),
        ("refs/heads/SUBMIT/ps1", False),
        ("refs/heads/submitted", False),
        ("refs/heads/stray", False),
        ("refs/tags/v1", False),
        ("refs/tags/submit/ps1", False),
    ],
)
def test_students_push_to_their_submissions_and_staff_everywhere(course: Course, ref: str, student: bool) -> None:
    project = course.seat("alice")
    tom = course.site.person("tom")
    course.site.admin.set_group_access(course.group, tom.account, Role.INSTRUCTOR)
    copy = course.working_copy()
    base = course.site.admin.branches(project.id, "main")[0].commit
    copy.git("fetch", "--quiet", course.url(project), "main", token=tom.token)
    commit = copy.commit("work", parent=base)
    pushed = copy.push(course.url(project), course.site.person("alice").token, f"{commit}:{ref}")
    assert pushed.accepted is student, pushed.output
    if not student:
        assert copy.push(course.url(project), tom.token, f"{commit}:{ref}").accepted
    assert (copy.read(course.url(project), tom.token) or {}).get(ref) == commit


@pytest.mark.parametrize("who", ["alice", "tom"])
def test_nobody_rewrites_or_deletes_a_submission_by_git(course: Course, who: str) -> None:
    project = course.seat("alice")
    course.site.admin.set_group_access(course.group, course.site.person("tom").account, Role.INSTRUCTOR)
    copy = course.working_copy()
    first = copy.commit("one")
    second = copy.commit("two", parent=first)
    assert copy.push(course.url(project), course.site.person("alice").token, f"{second}:{SUBMIT}").accepted
    token = course.site.person(who).token
    assert not copy.push(course.url(project), token, f"+{copy.commit('other')}:{SUBMIT}").accepted
    assert not copy.push(course.url(project), token, f"+{first}:{SUBMIT}").accepted
    assert not copy.push(course.url(project), token, f":{SUBMIT}").accepted
    assert (copy.read(course.url(project), token) or {})[SUBMIT] == second


def test_protection_is_there_before_access_is_given(course: Course) -> None:
    project = course.project("student-alice")
    alice = course.site.person("alice")
    course.site.admin.ensure_rules(project.id, SEAT_RULES)
    copy = course.working_copy()
    assert copy.read(course.url(project), alice.token) is None
    course.site.admin.set_access(project.id, alice.account, Role.STUDENT)
    assert not copy.push(course.url(project), alice.token, f"{copy.commit('a')}:refs/heads/feedback/ps1").accepted


def test_readers_read_and_others_see_nothing(course: Course) -> None:
    project = course.project("assignments")
    alice, bob = course.site.person("alice"), course.site.person("bob")
    course.site.admin.set_access(project.id, alice.account, Role.READER)
    copy = course.working_copy()
    assert copy.read(course.url(project), alice.token)
    assert copy.read(course.url(project), bob.token) is None
    assert not copy.push(course.url(project), alice.token, f"{copy.commit('a')}:{SUBMIT}").accepted
    assert alice.forge.branches(project.id, "")


def test_who_is_removed_loses_access_at_once(course: Course) -> None:
    project = course.seat("alice")
    alice = course.site.person("alice")
    copy = course.working_copy()
    assert copy.read(course.url(project), alice.token)
    course.site.admin.set_access(project.id, alice.account, Role.NONE)
    assert copy.read(course.url(project), alice.token) is None
    with pytest.raises(NotFound):
        alice.forge.find_project(f"{project.group_path}/{project.path}")


def test_staff_move_a_branch_that_is_in_the_way_and_nothing_of_it_is_lost(course: Course) -> None:
    project = course.seat("alice")
    alice, tom = course.site.person("alice"), course.site.person("tom")
    course.site.admin.set_group_access(course.group, tom.account, Role.INSTRUCTOR)
    rules = course.site.admin.rules(project.id)
    copy = course.working_copy()
    commit = copy.commit("in the way")
    blocking, kept = f"{SUBMIT}/x", "refs/heads/archive/xsubmit_2fps1_2fx-0123"
    assert copy.push(course.url(project), alice.token, f"{commit}:{blocking}").accepted
    assert not copy.push(course.url(project), alice.token, f"{commit}:{SUBMIT}").accepted
    with pytest.raises((Forbidden, NotFound)):
        alice.forge.rename_branch(project.id, blocking, kept)
    tom.forge.rename_branch(project.id, blocking, kept)
    heads = {branch.ref: branch.commit for branch in tom.forge.branches(project.id, "")}
    assert heads[kept] == commit
    assert blocking not in heads
    assert copy.push(course.url(project), alice.token, f"{commit}:{SUBMIT}").accepted
    assert not copy.push(course.url(project), alice.token, f"{copy.commit('more', parent=commit)}:{kept}").accepted
    with pytest.raises(NotFound):
        tom.forge.rename_branch(project.id, blocking, f"{kept}4")
    assert tom.forge.rules(project.id) == rules
