"""Rewriting one branch for once, and what the forge still has of it afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

from git_exchange.errors import Forbidden, NotFound
from git_exchange.forge.ports import Project, Role
from tests.contract.conftest import SEAT_RULES, SUBMIT, Course

FEEDBACK = "refs/heads/feedback/ps1"
OTHER = "refs/heads/feedback/ps2"


def returned(course: Course, project: Project) -> tuple[str, str]:
    """Push feedback on two branches as the administrator, and return the commits."""
    copy = course.working_copy()
    first, second = copy.commit("feedback 1"), copy.commit("feedback 2")
    admin = course.site.backend.admin
    assert copy.push(course.url(project), admin, f"{first}:{FEEDBACK}", f"{second}:{OTHER}").accepted
    return first, second


def test_one_branch_can_be_rewritten_by_an_instructor_until_the_rules_are_ensured_again(course: Course) -> None:
    site = course.site
    project = course.seat("alice")
    alice, tom = site.person("alice"), site.person("tom")
    site.admin.set_group_access(course.group, tom.account, Role.INSTRUCTOR)
    returned(course, project)
    copy, url = course.working_copy(), course.url(project)
    fresh, again = copy.commit("rewritten"), copy.commit("rewritten once more")
    work = copy.commit("work")
    assert copy.push(url, alice.token, f"{work}:{SUBMIT}").accepted
    assert not copy.push(url, tom.token, f"+{fresh}:{FEEDBACK}").accepted
    for _ in range(2):  # an interrupted run is done again
        tom.forge.let_rewrite(project.id, FEEDBACK)
    assert not copy.push(url, alice.token, f"+{fresh}:{FEEDBACK}").accepted
    assert not copy.push(url, alice.token, f"{fresh}:refs/heads/feedback/ps3").accepted
    assert not copy.push(url, tom.token, f"+{fresh}:{OTHER}").accepted
    assert not copy.push(url, alice.token, f"+{fresh}:{SUBMIT}").accepted
    assert copy.push(url, tom.token, f"+{fresh}:{FEEDBACK}").accepted
    assert tom.forge.ensure_rules(project.id, SEAT_RULES)
    assert not copy.push(url, tom.token, f"+{again}:{FEEDBACK}").accepted
    assert not tom.forge.ensure_rules(project.id, SEAT_RULES)
    assert copy.push(url, alice.token, f"{copy.commit('more', parent=work)}:{SUBMIT}").accepted


def test_a_project_with_one_rule_for_all_can_have_a_branch_rewritten_too(course: Course) -> None:
    project = course.project("assignments")
    forge, admin = course.site.admin, course.site.backend.admin
    forge.ensure_rules(project.id, SEAT_RULES[:1])
    returned(course, project)
    copy = course.working_copy()
    fresh = copy.commit("rewritten")
    forge.let_rewrite(project.id, FEEDBACK)
    assert copy.push(course.url(project), admin, f"+{fresh}:{FEEDBACK}").accepted
    assert forge.ensure_rules(project.id, SEAT_RULES[:1])
    assert not copy.push(course.url(project), admin, f"+{copy.commit('again')}:{FEEDBACK}").accepted


def test_a_student_cannot_let_a_branch_be_rewritten(course: Course) -> None:
    project = course.seat("alice")
    with pytest.raises((Forbidden, NotFound)):
        course.site.person("alice").forge.let_rewrite(project.id, FEEDBACK)


def test_what_no_branch_holds_any_more_is_still_answered_by_its_id(course: Course) -> None:
    forge = course.site.admin
    project = course.seat("alice")
    old, _ = returned(course, project)
    copy = course.working_copy()
    copy.commit("feedback 1")
    blob = copy.git("hash-object", "p1.txt").stdout.strip()
    forge.let_rewrite(project.id, FEEDBACK)
    fresh = copy.commit("rewritten")
    assert copy.push(course.url(project), course.site.backend.admin, f"+{fresh}:{FEEDBACK}").accepted
    forge.ensure_rules(project.id, SEAT_RULES)
    assert forge.has_commit(project.id, old)
    assert forge.has_file(project.id, blob)
    assert not forge.has_commit(project.id, "f" * 40)
    assert not forge.has_file(project.id, "f" * 40)
    with pytest.raises(NotFound):
        forge.has_commit(999_999_999, old)
    said = forge.forget(project.id)
    assert said.detail
    # Neither kind of forge drops at once what has just become unreachable.
    assert forge.has_commit(project.id, old)


@pytest.mark.parametrize("site", ["devserver"], indirect=True)
def test_a_prune_half_an_hour_later_drops_it(course: Course, tmp_path: Path) -> None:
    site = course.site
    project = course.seat("alice")
    old, other = returned(course, project)
    copy = course.working_copy()
    site.admin.let_rewrite(project.id, FEEDBACK)
    assert copy.push(course.url(project), site.backend.admin, f"+{copy.commit('rewritten')}:{FEEDBACK}").accepted
    clock = f"{site.backend.url}/-/devserver/clock"
    headers = {"PRIVATE-TOKEN": site.backend.admin.value}
    requests.post(clock, json={"offset": 2000}, headers=headers, timeout=20).raise_for_status()
    try:
        assert site.admin.forget(project.id).asked
    finally:
        requests.post(clock, json={"offset": 0}, headers=headers, timeout=20).raise_for_status()
    assert not site.admin.has_commit(project.id, old)
    assert site.admin.has_commit(project.id, other)
