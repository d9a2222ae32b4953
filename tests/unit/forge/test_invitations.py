"""What GitLab says of invitations, which is 201 whatever became of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from git_exchange.errors import UnexpectedAnswer
from tests.unit.forge.conftest import Scripted

MEMBERS, INVITATIONS = "/projects/5/members", "/projects/5/invitations"


def member(number: int, level: int, expires: str | None = None) -> dict[str, Any]:
    return {"id": number, "username": f"user{number}", "access_level": level, "expires_at": expires}


def sent(scripted: Scripted, method: str) -> list[dict[str, Any]]:
    return [json.loads(call.request.body or b"null") for call in scripted.mock.calls if call.request.method == method]


def test_addresses_go_in_parts_that_gitlab_takes(scripted: Scripted) -> None:
    scripted.answers("GET", MEMBERS, json=[])
    scripted.answers("POST", INVITATIONS, status=201, json={"status": "success"})
    addresses = [f"p{number}@x.example" for number in range(201)]
    assert scripted.forge.invite(5, addresses) == {}
    bodies = sent(scripted, "POST")
    assert [len(body["email"].split(",")) for body in bodies] == [100, 100, 1]
    assert {body["access_level"] for body in bodies} == {10}


def test_what_is_refused_is_told_by_address_and_a_refusal_of_all_counts_for_each(scripted: Scripted) -> None:
    scripted.answers("GET", MEMBERS, json=[])
    for said in ({"A@x.example": "Invite email is invalid", "elsewhere@y.example": "no"}, "Too many users specified"):
        scripted.answers("POST", INVITATIONS, status=201, json={"status": "error", "message": said})
    assert scripted.forge.invite(5, ["a@x.example", "b@x.example"]) == {"a@x.example": "Invite email is invalid"}
    assert scripted.forge.invite(5, ["a@x.example"]) == {"a@x.example": "Too many users specified"}


def test_members_whom_an_invitation_made_guests_get_back_what_they_had(scripted: Scripted) -> None:
    scripted.answers("GET", MEMBERS, json=[member(1, 20), member(2, 10, "2027-01-31"), member(3, 10), member(4, 20)])
    scripted.answers("GET", MEMBERS, json=[member(1, 10), member(2, 10), member(3, 10), member(4, 40), member(9, 10)])
    scripted.answers("POST", INVITATIONS, status=201, json={"status": "success"})
    scripted.answers("PUT", f"{MEMBERS}/1", json={})
    scripted.answers("PUT", f"{MEMBERS}/2", status=404, json={"message": "404 Not found"})
    assert scripted.forge.invite(5, ["a@x.example"]) == {}
    assert sent(scripted, "PUT") == [
        {"access_level": 20, "expires_at": ""},
        {"access_level": 10, "expires_at": "2027-01-31"},
    ]


@pytest.mark.parametrize("answer", [{}, {"status": "error"}, {"status": "error", "message": ["x"]}, ["x"]])
def test_an_answer_of_another_kind_is_no_success(scripted: Scripted, answer: object) -> None:
    scripted.answers("GET", MEMBERS, json=[])
    scripted.answers("POST", INVITATIONS, status=201, json=answer)
    with pytest.raises(UnexpectedAnswer):
        scripted.forge.invite(5, ["a@x.example"])
