from __future__ import annotations

from datetime import datetime, timezone

import pytest
import responses

from git_exchange.errors import ForgeUnreachable
from git_exchange.forge.gitea import heads
from git_exchange.forge.gitea.session import Session
from git_exchange.forge.ports import Project, Visibility
from tests.unit.forge_gitea.conftest import API

REF = "refs/heads/submit/ps1"
DATE = {"Date": "Sat, 21 Nov 2026 12:00:00 GMT"}
LATER = {"Date": "Sat, 21 Nov 2026 12:00:07 GMT"}


def project(number: int) -> Project:
    return Project(number, "o", f"p{number}", "", Visibility.PRIVATE, False, "")


def path(one: Project) -> str:
    return f"/repos/o/{one.path}"


def branch(ref: str, commit: str) -> dict[str, object]:
    return {"ref": ref, "object": {"sha": commit}}


def test_the_time_is_a_second_after_the_last_answer(server: responses.RequestsMock, session: Session) -> None:
    server.get(
        f"{API}/repos/o/p1/git/refs/heads", json=[branch(REF, "a"), branch("refs/heads/main", "b")], headers=LATER
    )
    server.get(f"{API}/repos/o/p2/git/refs/heads", json=branch("refs/heads/main", "c"), headers=DATE)
    found = heads.read(session, path, [project(1), project(2)], [REF], pool=2)
    assert found.heads == {(1, REF): "a"}
    assert found.at == datetime(2026, 11, 21, 12, 0, 8, tzinfo=timezone.utc)
    assert found.unreadable == {}


def test_a_project_without_branches_is_told_from_a_hidden_one(server: responses.RequestsMock, session: Session) -> None:
    for number in (1, 2):
        server.get(f"{API}/repos/o/p{number}/git/refs/heads", json={"message": "not found"}, status=404)
    server.get(f"{API}/repos/o/p1", json={"id": 1}, headers=DATE)
    server.get(f"{API}/repos/o/p2", json={"message": "not found"}, status=404)
    found = heads.read(session, path, [project(1), project(2)], [REF], pool=1)
    assert found.heads == {}
    assert set(found.unreadable) == {2}


def test_one_broken_project_stops_nobody_but_a_broken_forge_stops_all(
    server: responses.RequestsMock, session: Session
) -> None:
    server.get(f"{API}/repos/o/p1/git/refs/heads", status=500)
    server.get(f"{API}/repos/o/p2/git/refs/heads", json=[branch(REF, "a")], headers=DATE)
    found = heads.read(session, path, [project(1), project(2)], [REF], pool=1)
    assert (found.heads, set(found.unreadable)) == ({(2, REF): "a"}, {1})
    with pytest.raises(ForgeUnreachable):
        heads.read(session, path, [project(1)], [REF], pool=1)
