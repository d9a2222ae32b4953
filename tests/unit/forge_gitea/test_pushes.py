from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
import responses

from git_exchange.errors import UnexpectedAnswer
from git_exchange.forge.gitea import pushes
from git_exchange.forge.gitea.session import Session
from tests.unit.forge_gitea.conftest import API

PATH = "/repos/o/r"
A, B, C = "a" * 40, "b" * 40, "c" * 40
REF = "refs/heads/submit/ps1"


def row(
    number: int,
    head: str | None,
    *,
    before: str = A,
    ref: str = REF,
    kind: str = "commit_repo",
    project: int = 5,
    created: str = "2026-11-21T12:00:00Z",
) -> dict[str, Any]:
    content = {"HeadCommit": {"Sha1": head}, "CompareURL": f"o/r/compare/{before}...{head}"} if head else None
    return {
        "id": number,
        "op_type": kind,
        "repo_id": project,
        "ref_name": ref,
        "content": json.dumps(content) if content else "",
        "created": created,
        "act_user": {"id": 9, "login": "alice", "full_name": "Alice"},
    }


def read(
    server: responses.RequestsMock,
    session: Session,
    *rows: dict[str, Any],
    since_id: int = 0,
    after: date | None = None,
) -> list[tuple[int, str | None, str | None, str | None]]:
    server.get(f"{API}{PATH}/activities/feeds", json=list(rows), headers={"X-Total-Count": str(len(rows))})
    found = pushes.read(session, PATH, 5, since_id=since_id, after=after)
    return [(push.id, push.ref, push.before, push.after) for push in found]


def test_a_new_branch_is_one_push_though_it_makes_two_rows(server: responses.RequestsMock, session: Session) -> None:
    # Within a second the server gives rows in any order.
    found = read(server, session, row(1, None), row(5, C, before=B), row(3, B))
    assert found == [(3, REF, None, B), (5, REF, B, C)]


def test_a_branch_that_was_renamed_into_its_name_is_no_push(server: responses.RequestsMock, session: Session) -> None:
    assert read(server, session, row(1, None)) == []


def test_only_branches_of_this_project_count(server: responses.RequestsMock, session: Session) -> None:
    rows = [
        row(1, B, ref="refs/tags/submit/ps1", kind="push_tag"),
        row(2, B, ref="refs/tags/submit/ps1"),
        row(3, B, project=6),
        row(4, B, kind="mirror_sync_push"),
        row(5, None, ref="", kind="create_repo"),
    ]
    assert read(server, session, *rows) == []


def test_a_removed_branch_ends_with_what_was_pushed_last(server: responses.RequestsMock, session: Session) -> None:
    found = read(server, session, row(1, B), row(2, None, kind="delete_branch", ref="submit/ps1"), row(3, C))
    assert found == [(1, REF, A, B), (2, REF, B, None), (3, REF, A, C)]


def test_a_push_into_an_empty_project_has_nothing_before_it(server: responses.RequestsMock, session: Session) -> None:
    assert read(server, session, row(1, B, before="0" * 40)) == [(1, REF, None, B)]


def test_what_is_known_and_what_is_too_old_is_left_out(server: responses.RequestsMock, session: Session) -> None:
    rows = [row(3, C, before=B), row(2, B), row(1, A, created="2026-11-20T23:59:59Z")]
    assert [one[0] for one in read(server, session, *rows, since_id=2)] == [3]
    assert [one[0] for one in read(server, session, *rows, after=date(2026, 11, 20))] == [2, 3]


def test_reading_ends_with_the_first_page_that_is_old_as_a_whole(
    server: responses.RequestsMock, session: Session
) -> None:
    for number, rows in enumerate([[row(9, C), row(2, B)], [row(1, A)]], 1):
        matcher = responses.matchers.query_param_matcher({"limit": 50, "page": number})
        server.get(f"{API}{PATH}/activities/feeds", json=rows, headers={"X-Total-Count": "99"}, match=[matcher])
    assert [push.id for push in pushes.read(session, PATH, 5, since_id=2, after=None)] == [9]


@pytest.mark.parametrize(
    "change", [{"content": "{"}, {"content": '{"HeadCommit": 1}'}, {"created": "noon"}, {"id": "1"}]
)
def test_a_broken_row_is_unexpected(
    server: responses.RequestsMock, session: Session, change: dict[str, object]
) -> None:
    with pytest.raises(UnexpectedAnswer):
        read(server, session, {**row(1, B), **change})
