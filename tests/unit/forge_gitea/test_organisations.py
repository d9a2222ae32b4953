from __future__ import annotations

import pytest
import responses

from git_exchange.errors import Conflict, ForgeUnreachable, NotFound
from git_exchange.forge.gitea import organisations
from git_exchange.forge.gitea.names import Names
from git_exchange.forge.gitea.organisations import MAX_DESCRIPTION, fitting
from git_exchange.forge.gitea.session import Session
from git_exchange.forge.ports import Visibility
from git_exchange.rules import layout
from tests.unit.forge_gitea.conftest import API

ABSENT = {"message": "not found"}


def test_a_long_description_keeps_the_courses_id() -> None:
    course_id = "Ein Kurs mit einem sehr langen Namen, " * 4
    written = fitting(layout.describe_course(course_id, "Title " * 40))
    assert len(written) <= MAX_DESCRIPTION
    assert layout.course_in(layout.group_path("n", course_id), written) == course_id
    assert fitting("short\nCourse: x") == "short\nCourse: x"
    assert len(fitting("x" * 300)) <= MAX_DESCRIPTION


def test_a_group_that_was_renamed_is_not_found(server: responses.RequestsMock, session: Session) -> None:
    server.get(f"{API}/orgs/n.old", status=307, headers={"Location": f"{API}/orgs/n.new"})
    server.get(f"{API}/orgs/n.new", json={"id": 3, "name": "n.new", "visibility": "limited"})
    server.get(f"{API}/repos/search", json={"ok": True, "data": []}, headers={"X-Total-Count": "0"})
    with pytest.raises(NotFound):
        organisations.find(session, Names("n"), "n/old", lambda: 1)


def test_a_name_that_a_person_has_is_a_conflict(server: responses.RequestsMock, session: Session) -> None:
    server.get(f"{API}/orgs/n.c", json=ABSENT, status=404)
    server.post(f"{API}/orgs", json={"message": "user already exists [name: n.c]"}, status=422)
    with pytest.raises(Conflict) as caught:
        organisations.ensure(session, Names("n"), "n", "c", name="C", description="", visibility=Visibility.PRIVATE)
    assert "n.c" in caught.value.hint


@pytest.mark.parametrize(
    ("status", "message", "may"), [(403, "not allowed to create org", False), (422, "name is reserved", True)]
)
def test_whether_organisations_may_be_made_is_asked_without_making_one(
    server: responses.RequestsMock, session: Session, status: int, message: str, may: bool
) -> None:
    server.post(f"{API}/orgs", json={"message": message}, status=status)
    assert organisations.may_create(session) is may
    assert server.calls[0].request.body == b'{"username": "api"}'


def test_a_broken_server_says_nothing_about_rights(server: responses.RequestsMock, session: Session) -> None:
    server.post(f"{API}/orgs", status=500)
    with pytest.raises(ForgeUnreachable):
        organisations.may_create(session)
