from __future__ import annotations

import json

import pytest
import requests
import responses

from git_exchange.errors import (
    Conflict,
    Forbidden,
    ForgeUnreachable,
    GitExchangeError,
    NotFound,
    Throttled,
    TokenRefused,
    UnexpectedAnswer,
)
from git_exchange.forge.gitea.session import PER_PAGE, Session
from tests.unit.forge_gitea.conftest import API, SECRET


def said(message: str) -> str:
    return json.dumps({"message": message, "url": f"{API}/swagger"})


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, said("Access token name has been used already"), Conflict),
        (400, said("Bad."), UnexpectedAnswer),
        (401, said("invalid username, password or token"), TokenRefused),
        (403, said("Branch protection already exist"), Conflict),
        (403, said("Must be an organization member"), Forbidden),
        (404, said("not found"), NotFound),
        (404, "<html>Not found</html>", UnexpectedAnswer),
        (409, said("The repository with the same name already exists."), Conflict),
        (413, said("quota exceeded"), Forbidden),
        (422, said("user already exists [name: x]"), Conflict),
        (422, said("name is reserved [name: api]"), UnexpectedAnswer),
        (423, said("repository is archived"), Forbidden),
        (429, "slow down", Throttled),
        (500, "", ForgeUnreachable),
        (502, "<html>Bad gateway</html>", ForgeUnreachable),
        (307, "", NotFound),
        (418, said("teapot"), UnexpectedAnswer),
    ],
)
def test_each_refusal_is_one_of_our_errors(
    server: responses.RequestsMock, session: Session, status: int, body: str, error: type[GitExchangeError]
) -> None:
    server.post(f"{API}/orgs", body=body, status=status, content_type="application/json")
    with pytest.raises(error) as caught:
        session.post("/orgs", {"username": "x"}, dict)
    assert type(caught.value) is error
    assert SECRET not in str(caught.value)


def test_a_missing_scope_is_named(server: responses.RequestsMock, session: Session) -> None:
    words = (
        "token does not have at least one of required scope(s), required=[write:organization], token scope=read:user"
    )
    server.post(f"{API}/orgs", body=said(words), status=403)
    with pytest.raises(Forbidden) as caught:
        session.post("/orgs", {}, dict)
    assert "scopes: write:organization." in caught.value.hint


def test_what_a_server_says_is_shown_without_the_token_and_control_characters(
    server: responses.RequestsMock, session: Session
) -> None:
    server.get(f"{API}/x", body=said(f"\x1b[31m{SECRET}"), status=400)
    with pytest.raises(UnexpectedAnswer) as caught:
        session.get("/x", dict)
    assert SECRET not in str(caught.value)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (requests.ConnectTimeout(), ForgeUnreachable),
        (requests.exceptions.SSLError(), ForgeUnreachable),
        (requests.ConnectionError(), ForgeUnreachable),
        (requests.exceptions.ChunkedEncodingError(), ForgeUnreachable),
        (requests.TooManyRedirects(), UnexpectedAnswer),
    ],
)
def test_each_failure_of_the_connection_is_one_of_our_errors(
    server: responses.RequestsMock, session: Session, failure: Exception, error: type[GitExchangeError]
) -> None:
    server.get(f"{API}/x", body=failure)
    with pytest.raises(error):
        session.get("/x", dict)


@pytest.mark.parametrize("body", ["", "[1]", '{"id": "x"}', "not json"])
def test_an_answer_that_is_none_of_the_forges_is_unexpected(
    server: responses.RequestsMock, session: Session, body: str
) -> None:
    server.get(f"{API}/x", body=body, content_type="application/json")
    with pytest.raises(UnexpectedAnswer):
        session.get("/x", lambda raw: raw["id"] + 1)


def test_a_page_instead_of_data_is_unexpected(server: responses.RequestsMock, session: Session) -> None:
    server.get(f"{API}/x", body="<html>Sign in</html>", content_type="text/html")
    with pytest.raises(UnexpectedAnswer):
        session.get("/x", dict)


def test_a_read_is_repeated_and_a_write_is_not(
    server: responses.RequestsMock, session: Session, waits: list[float]
) -> None:
    server.get(f"{API}/x", status=502)
    server.get(f"{API}/x", json={"id": 1})
    assert session.get("/x", dict) == {"id": 1}
    assert waits == [0.5]
    for method in ("post", "patch"):
        server.add(method.upper(), f"{API}/y", status=502)
        with pytest.raises(ForgeUnreachable):
            session.change(method, "/y", {})
    assert waits == [0.5]


def test_a_throttled_request_waits_as_long_as_it_is_told(
    server: responses.RequestsMock, session: Session, waits: list[float]
) -> None:
    server.post(f"{API}/x", status=429, headers={"Retry-After": "3"})
    server.post(f"{API}/x", json={"id": 1}, status=201)
    assert session.post("/x", {}, dict) == {"id": 1}
    assert waits == [3.0]
    server.get(f"{API}/y", status=429, headers={"Retry-After": "3600"})
    with pytest.raises(Throttled) as caught:
        session.get("/y", dict)
    assert caught.value.retry_after == 3600


def test_the_token_goes_to_no_other_origin(server: responses.RequestsMock, session: Session) -> None:
    server.get(f"{API}/x", status=302, headers={"Location": "https://evil.example/api/v1/x"})
    stolen = server.get("https://evil.example/api/v1/x", json={})
    with pytest.raises(UnexpectedAnswer):
        session.get("/x", dict)
    assert stolen.call_count == 0


def test_a_read_follows_a_rename_and_a_write_does_not(server: responses.RequestsMock, session: Session) -> None:
    for method in ("GET", "POST"):
        server.add(method, f"{API}/old", status=307, headers={"Location": f"{API}/new"})
        server.add(method, f"{API}/new", json={"id": 1})
    assert session.get("/old", dict) == {"id": 1}
    assert server.calls[-1].request.headers["Authorization"] == f"token {SECRET}"
    with pytest.raises(NotFound):
        session.post("/old", {}, dict)


def test_all_pages_are_read_however_few_rows_the_server_gives(server: responses.RequestsMock, session: Session) -> None:
    rows = [[{"id": 1}, {"id": 2}], [{"id": 3}], [], [{"id": 4}]]
    for number, page in enumerate(rows, 1):
        query = {"limit": PER_PAGE, "page": number}
        server.get(
            f"{API}/x",
            json=page,
            headers={"X-Total-Count": "4"},
            match=[responses.matchers.query_param_matcher(query)],
        )
    assert [one["id"] for one in session.all("/x", dict)] == [1, 2, 3]


def test_a_list_without_a_count_ends_with_an_empty_page(server: responses.RequestsMock, session: Session) -> None:
    for number, page in enumerate([{"data": [{"id": 1}]}, {"data": [{"id": 2}]}, {"data": []}], 1):
        query = {"limit": PER_PAGE, "page": number}
        server.get(f"{API}/x", json=page, match=[responses.matchers.query_param_matcher(query)])
    assert [one["id"] for one in session.all("/x", dict)] == [1, 2]


def test_something_else_than_a_list_is_unexpected(server: responses.RequestsMock, session: Session) -> None:
    server.get(f"{API}/x", json={"ok": True})
    with pytest.raises(UnexpectedAnswer):
        session.all("/x", dict)
