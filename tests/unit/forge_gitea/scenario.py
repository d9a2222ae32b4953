"""What the adapter is asked in the recordings: every call once, with what it has to answer.

It runs against a real server when the answers are recorded (``record``) and against these answers afterwards. What a
real server needs besides requests (pushes by git, time for its queue) is done by the ``World``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from typing import Protocol

import pytest

from git_exchange.errors import Conflict, Forbidden, ForgeError, NotFound, TokenRefused, UnexpectedAnswer
from git_exchange.forge.gitea.adapter import Gitea
from git_exchange.forge.ports import BranchRule, Project, Role, Visibility
from git_exchange.secret import Token

NAMESPACE = "teaching/2026"
SEAT_RULES = (BranchRule("submit/*", Role.STUDENT), BranchRule("*", Role.INSTRUCTOR))
SUBMIT, OTHER = "refs/heads/submit/ps1", "refs/heads/submit/ps2"


class World(Protocol):
    """What surrounds the adapter."""

    def connect(self, token: Token | None = None) -> Gitea:
        """Return the adapter as the administrator, or with another token."""

    def push(self, forge: Gitea, project: Project, token: Token, ref: str, name: str) -> str:
        """Push a further commit to the ref, wait until the feed has it, and return the commit. ``name`` is unique."""


def a_course_is_set_up_and_used(world: World) -> None:
    admin = world.connect()
    me = admin.account()
    assert me.is_admin
    assert admin.sees_hidden_pushes()
    assert admin.may_create_groups()
    server = admin.server()
    assert server.version.startswith("1.")
    assert admin.scopes() in (None, frozenset({"api"}))
    assert admin.token_expires() is None

    assert admin.find_group(NAMESPACE).full_path == NAMESPACE
    assert admin.ensure_group("teaching", "2026", name="x", description="", visibility=Visibility.PRIVATE).id == 0
    description = "Programming, an nbgrader course.\nCourse: CS101"
    group = admin.ensure_group(
        NAMESPACE, "x_43_53101", name="Programming", description=description, visibility=Visibility.PRIVATE
    )
    assert (group.full_path, group.description) == (f"{NAMESPACE}/x_43_53101", description)
    again = admin.ensure_group(
        NAMESPACE, "x_43_53101", name="Other", description=description, visibility=Visibility.SIGNED_IN
    )
    assert (again.id, again.name, again.visibility) == (group.id, "Programming", Visibility.SIGNED_IN)
    assert admin.find_group(group.full_path) == again
    with pytest.raises(NotFound):
        admin.find_group(f"{NAMESPACE}/none")
    group = again

    people = {}
    for name in ("alice", "gina", "tom"):
        account = admin.create_account(name, name=name.title(), email=f"{name}@example.invalid")
        scopes = ("read_api", "write_repository") if name == "alice" else ("api",)
        people[name] = (account, admin.create_token(account, name="t", scopes=scopes, expires=_next_year()))
    alice, gina, tom = (people[name][0] for name in ("alice", "gina", "tom"))
    assert admin.create_token(alice, name="t", scopes=("read_api",), expires=_next_year()).value
    with pytest.raises(Conflict):
        admin.create_account("Alice", name="x", email="other@example.invalid")
    with pytest.raises(Forbidden):
        admin.create_token(me, name="t", scopes=("api",), expires=_next_year())
    assert admin.find_account("ALICE") == alice
    assert admin.find_account("nobody") is None

    assert admin.set_group_access(group, tom, Role.INSTRUCTOR)
    assert admin.set_group_access(group, gina, Role.INSTRUCTOR)
    assert admin.set_group_access(group, gina, Role.GRADER)
    assert not admin.set_group_access(group, me, Role.GRADER)
    by_id = {member.account.id: member.role for member in admin.group_members(group)}
    assert by_id == {me.id: Role.INSTRUCTOR, tom.id: Role.INSTRUCTOR, gina.id: Role.GRADER}

    assignments = admin.ensure_project(
        group, "assignments", description="Released.", visibility=Visibility.SIGNED_IN, issues=False
    )
    assert assignments.visibility is Visibility.SIGNED_IN
    with pytest.raises(UnexpectedAnswer):
        admin.ensure_project(group, "p", description="", visibility=Visibility.PUBLIC, issues=False)
    seat = admin.ensure_project(
        group, "student-alice", description="x\nStudent: alice", visibility=Visibility.PRIVATE, issues=True
    )
    assert (seat.group_path, seat.visibility, seat.archived) == (group.full_path, Visibility.PRIVATE, False)
    seat = admin.ensure_project(
        group, "student-alice", description="y\nStudent: alice", visibility=Visibility.PRIVATE, issues=True
    )
    assert seat.description == "y\nStudent: alice"
    assert admin.ensure_rules(seat.id, SEAT_RULES)
    assert not admin.ensure_rules(seat.id, SEAT_RULES)
    assert admin.rules(seat.id) == list(SEAT_RULES)
    graders_too = (BranchRule("feedback/*", Role.GRADER), *SEAT_RULES)
    assert admin.ensure_rules(seat.id, graders_too)
    assert admin.rules(seat.id) == list(graders_too)
    assert admin.ensure_rules(seat.id, SEAT_RULES)
    assert admin.ensure_rules(assignments.id, SEAT_RULES[1:])
    assert admin.set_access(seat.id, alice, Role.STUDENT)
    assert not admin.set_access(seat.id, alice, Role.STUDENT)
    assert not admin.set_access(seat.id, tom, Role.STUDENT)
    assert admin.role_in(seat, alice) is Role.STUDENT
    assert admin.role_in(seat, gina) is Role.GRADER
    assert {(one.account.id, one.role, one.direct) for one in admin.members(seat.id)} == {
        (me.id, Role.INSTRUCTOR, False),
        (tom.id, Role.INSTRUCTOR, False),
        (gina.id, Role.GRADER, False),
        (alice.id, Role.STUDENT, True),
    }

    token = people["alice"][1]
    student = world.connect(token)
    first = world.push(student, seat, token, SUBMIT, "first")
    second = world.push(student, seat, token, SUBMIT, "second")
    other = world.push(admin, seat, people["tom"][1], OTHER, "other")
    assert [branch.commit for branch in student.branches(seat.id, "submit/ps1")] == [second]
    found = admin.pushes(seat.id)
    assert [(push.ref, push.before, push.after) for push in found] == [
        (SUBMIT, None, first),
        (SUBMIT, first, second),
        (OTHER, None, other),
    ]
    assert [push.account.id for push in found] == [alice.id, alice.id, tom.id]
    assert student.pushes(seat.id, since_id=found[1].id) == found[2:]
    assert admin.pushes(seat.id, after=_next_year()) == []
    heads = admin.heads(group, [seat, assignments], [SUBMIT, OTHER])
    assert heads.heads == {(seat.id, SUBMIT): second, (seat.id, OTHER): other}
    assert heads.at >= server.date + timedelta(seconds=1)
    assert [project.path for project in student.my_projects("student-")] == ["student-alice"]
    assert {project.path for project in admin.projects(group)} == {"assignments", "student-alice"}
    assert student.find_project(f"{group.full_path}/student-alice").id == seat.id

    seats = [_seat(admin, group, number) for number in range(6)]
    assert len(admin.projects(group)) == 8
    hidden = student.heads(group, [seat, seats[0]], [SUBMIT])
    assert (set(hidden.heads), set(hidden.unreadable)) == ({(seat.id, SUBMIT)}, {seats[0].id})
    admin.archive(seats[0].id)
    assert admin.find_project(f"{group.full_path}/student-s0").archived

    refused: tuple[Callable[[], object], ...] = (
        lambda: student.ensure_rules(seat.id, []),
        lambda: student.set_access(seat.id, gina, Role.STUDENT),
        lambda: student.ensure_group(NAMESPACE, "mine", name="x", description="", visibility=Visibility.PRIVATE),
        lambda: student.find_project(f"{group.full_path}/student-s1"),
    )
    for ask in refused:
        with pytest.raises(ForgeError) as caught:
            ask()
        assert isinstance(caught.value, (Forbidden, NotFound))
    assert not world.connect(people["gina"][1]).may_create_groups()
    with pytest.raises(TokenRefused):
        world.connect(Token("0123456789abcdef", "a file")).account()

    # In a private organisation the student still finds the course, by the own project.
    admin.ensure_group(NAMESPACE, "x_43_53101", name="", description=description, visibility=Visibility.PRIVATE)
    assert student.find_group(group.full_path).id == group.id
    assert admin.set_access(seat.id, alice, Role.NONE)
    assert admin.role_in(seat, alice) is Role.NONE


def _seat(admin: Gitea, group: object, number: int) -> Project:
    return admin.ensure_project(
        group,  # type: ignore[arg-type]
        f"student-s{number}",
        description=f"x\nStudent: s{number}",
        visibility=Visibility.PRIVATE,
        issues=True,
    )


def _next_year() -> date:
    return (datetime.now(timezone.utc) + timedelta(days=365)).date()
