"""Inviting people who have no account, on forges that can; the others say so."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta, timezone

import pytest

from git_exchange.errors import Forbidden
from git_exchange.forge.ports import Role
from tests.contract.conftest import Course


def test_an_address_is_invited_once_and_members_keep_their_role(course: Course) -> None:
    forge, alice = course.site.admin, course.site.person("alice").account
    project = course.project("assignments")
    mark = uuid.uuid4().hex[:8]
    una, vic = (f"{name}-{mark}@example.com" for name in ("una", "vic"))
    if not forge.invites:
        assert forge.invitations(project.id) == {}
        with pytest.raises(Forbidden):
            forge.invite(project.id, [una])
        return
    forge.set_access(project.id, alice, Role.READER)
    hers = f"{alice.username}@example.invalid"
    assert forge.invite(project.id, [una, vic, hers]) == {}
    found = forge.invitations(project.id)
    assert set(found) == {una, vic}
    now = datetime.now(timezone.utc)
    assert all(abs(at - now) < timedelta(minutes=10) for at in found.values())
    assert forge.invite(project.id, [una]) == {}
    assert forge.invitations(project.id) == found
    assert forge.role_in(project, alice) is Role.READER
    assert forge.find_account(f"una-{mark}") is None


def test_an_address_of_somebody_with_more_rights_by_the_group_is_refused_with_the_reason(course: Course) -> None:
    forge, tom = course.site.admin, course.site.person("tom").account
    project = course.project("assignments")
    forge.set_group_access(course.group, tom, Role.GRADER)
    if forge.invites:
        (why,) = forge.invite(project.id, [f"{tom.username}@example.invalid"]).values()
        assert "inherited membership" in why
    assert forge.role_in(project, tom) is Role.GRADER


def test_only_instructors_invite_and_see_who_is_invited(course: Course) -> None:
    project = course.project("assignments")
    gina = course.site.person("gina")
    course.site.admin.set_group_access(course.group, gina.account, Role.GRADER)
    if gina.forge.invites:
        with pytest.raises(Forbidden):
            gina.forge.invitations(project.id)
    with pytest.raises(Forbidden):
        gina.forge.invite(project.id, ["una@example.com"])
