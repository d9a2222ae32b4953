from __future__ import annotations

import threading
from typing import Any

import gitlab.exceptions
import pytest
import requests

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
from git_exchange.forge.gitlab.session import Session, translated
from git_exchange.forge.http import LONGEST_WAIT, BoundSession, encoded
from git_exchange.secret import Token
from git_exchange.settings import Settings
from tests.unit.forge.conftest import SECRET, URL, Scripted


def whole(document: Any) -> Any:
    return document


def every(kind: type[BaseException]) -> list[type[BaseException]]:
    found = [kind]
    for below in kind.__subclasses__():
        found += [one for one in every(below) if one not in found]
    return found


def expected(kind: type[BaseException], status: int | None) -> type[GitExchangeError]:
    if issubclass(kind, (gitlab.exceptions.GitlabParsingError, gitlab.exceptions.RedirectError)):
        return UnexpectedAnswer
    if issubclass(kind, gitlab.exceptions.GitlabConnectionError):
        return ForgeUnreachable
    return {
        401: TokenRefused,
        403: Forbidden,
        404: NotFound,
        409: Conflict,
        429: Throttled,
        500: ForgeUnreachable,
    }.get(status or 0, UnexpectedAnswer)


@pytest.mark.parametrize("status", [None, 401, 403, 404, 409, 429, 500])
@pytest.mark.parametrize("kind", every(gitlab.exceptions.GitlabError), ids=lambda kind: kind.__name__)
def test_every_error_of_python_gitlab_becomes_one_of_ours(kind: type[Exception], status: int | None) -> None:
    with (
        pytest.raises(GitExchangeError) as caught,
        translated("GET /user", URL, Token(SECRET), BoundSession("https://forge.test:443")),
    ):
        raise kind("words", status)
    assert type(caught.value) is expected(kind, status)
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize("kind", every(requests.RequestException), ids=lambda kind: kind.__name__)
def test_every_error_of_requests_becomes_one_of_ours(kind: type[Exception]) -> None:
    error = kind("words", "{}", 0) if issubclass(kind, requests.JSONDecodeError) else kind("words")
    with (
        pytest.raises((ForgeUnreachable, UnexpectedAnswer)),
        translated("GET /user", URL, Token(SECRET), BoundSession("https://forge.test:443")),
    ):
        raise error


def test_the_token_goes_in_a_header_and_into_nothing_that_is_shown(scripted: Scripted) -> None:
    scripted.answers("GET", "/user", json={"message": "401 Unauthorized"}, status=401)
    with pytest.raises(TokenRefused) as caught:
        scripted.session.get("/user", whole)
    request = scripted.mock.calls[0].request
    assert request.headers["Authorization"] == f"Bearer {SECRET}"
    assert SECRET not in (request.url or "")
    assert SECRET not in str(caught.value)
    assert SECRET not in repr(caught.value)


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.test/gitlab/api/v4/user",
        "http://forge.test/gitlab/api/v4/user",
        "https://forge.test:8443/gitlab/api/v4/user",
        "//evil.test/login",
    ],
)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_origin_is_refused_before_anything_is_sent_there(
    scripted: Scripted, target: str, status: int
) -> None:
    scripted.answers("GET", "/user", status=status, headers={"Location": target})
    with pytest.raises(UnexpectedAnswer, match="another server"):
        scripted.session.get("/user", whole)
    assert scripted.asked == ["GET /user"]


def test_a_redirect_within_the_origin_is_followed_with_the_token(scripted: Scripted) -> None:
    scripted.answers("GET", "/projects/old", status=301, headers={"Location": f"{URL}/api/v4/projects/7"})
    scripted.answers("GET", "/projects/7", json={"id": 7})
    assert scripted.session.get("/projects/old", whole) == {"id": 7}
    assert scripted.mock.calls[1].request.headers["Authorization"] == f"Bearer {SECRET}"


def test_a_write_that_is_redirected_is_not_turned_into_a_read(scripted: Scripted) -> None:
    scripted.answers("POST", "/projects", status=302, headers={"Location": f"{URL}/api/v4/elsewhere"})
    scripted.answers("GET", "/elsewhere", json={"id": 7})
    with pytest.raises(UnexpectedAnswer, match="redirects"):
        scripted.session.post("/projects", {"path": "x"}, whole)


def test_redirects_in_a_circle_end(scripted: Scripted) -> None:
    scripted.answers("GET", "/user", status=302, headers={"Location": f"{URL}/api/v4/user"})
    with pytest.raises(UnexpectedAnswer):
        scripted.session.get("/user", whole)


@pytest.mark.parametrize(
    ("body", "kind"),
    [("<html>Sign in</html>", "text/html"), ("{", "application/json"), ("\udc00", "application/json")],
)
def test_a_page_instead_of_data_is_no_answer(scripted: Scripted, body: str, kind: str) -> None:
    scripted.answers("GET", "/user", body=body.encode("utf-8", "surrogatepass"), content_type=kind)
    with pytest.raises(UnexpectedAnswer):
        scripted.session.get("/user", whole)


@pytest.mark.parametrize("document", [None, [], "x", 3, {"id": "7"}, {"id": True}, {}])
def test_an_object_that_gitlab_does_not_give_is_no_answer(scripted: Scripted, document: object) -> None:
    scripted.answers("GET", "/user", json=document)
    with pytest.raises(UnexpectedAnswer):
        scripted.forge.account()


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_read_is_tried_again_when_the_server_breaks(scripted: Scripted, status: int) -> None:
    scripted.answers("GET", "/user", status=status, body="<html>broken</html>")
    scripted.answers("GET", "/user", json={"id": 7})
    assert scripted.session.get("/user", whole) == {"id": 7}
    assert scripted.waits == [0.5]


def test_a_read_is_given_up_after_three_times(scripted: Scripted) -> None:
    scripted.answers("GET", "/user", status=502)
    with pytest.raises(ForgeUnreachable):
        scripted.session.get("/user", whole)
    assert len(scripted.asked) == 3
    assert scripted.waits == [0.5, 1.0]


def test_a_broken_connection_is_tried_again(scripted: Scripted) -> None:
    scripted.answers("GET", "/user", body=requests.ConnectionError("reset"))
    scripted.answers("GET", "/user", body=requests.exceptions.ChunkedEncodingError("short"))
    scripted.answers("GET", "/user", json={"id": 7})
    assert scripted.session.get("/user", whole) == {"id": 7}


@pytest.mark.parametrize("error", [requests.ReadTimeout("slow"), requests.ConnectTimeout("slow")])
def test_a_timeout_is_not_repeated_because_it_was_long_enough(scripted: Scripted, error: Exception) -> None:
    scripted.answers("GET", "/user", body=error)
    with pytest.raises(ForgeUnreachable, match="in time"):
        scripted.session.get("/user", whole)
    assert len(scripted.asked) == 1


def test_a_certificate_that_cannot_be_verified_says_what_to_set(scripted: Scripted) -> None:
    scripted.answers("GET", "/user", body=requests.exceptions.SSLError("unknown authority"))
    with pytest.raises(ForgeUnreachable) as caught:
        scripted.session.get("/user", whole)
    assert "ca_bundle" in caught.value.hint
    assert len(scripted.asked) == 1


@pytest.mark.parametrize("broken", [{"status": 502}, {"body": requests.ConnectionError("reset")}])
def test_a_write_that_may_have_been_done_is_never_repeated(scripted: Scripted, broken: dict[str, Any]) -> None:
    scripted.answers("POST", "/projects", **broken)
    with pytest.raises(ForgeUnreachable):
        scripted.session.post("/projects", {"path": "x"}, whole)
    assert len(scripted.asked) == 1


def test_a_throttled_write_is_repeated_because_it_was_not_done(scripted: Scripted) -> None:
    scripted.answers("POST", "/projects", status=429, body="Retry later", headers={"Retry-After": "3"})
    scripted.answers("POST", "/projects", status=201, json={"id": 7})
    assert scripted.session.post("/projects", {"path": "x"}, whole) == {"id": 7}
    assert scripted.waits == [3]


def test_a_server_that_asks_for_a_long_wait_gets_an_error_that_tells_it(scripted: Scripted) -> None:
    scripted.answers("GET", "/user", status=429, body="Retry later", headers={"Retry-After": "600"})
    with pytest.raises(Throttled) as caught:
        scripted.session.get("/user", whole)
    assert caught.value.retry_after == 600
    assert caught.value.retry_after > LONGEST_WAIT
    assert scripted.waits == []


def test_a_throttle_without_a_time_is_tried_again_a_few_times(scripted: Scripted) -> None:
    scripted.answers("GET", "/user", status=429, json={"message": {"error": "requested too many times"}})
    with pytest.raises(Throttled):
        scripted.session.get("/user", whole)
    assert scripted.waits == [0.5, 1.0]


def test_a_banned_address_does_not_insist(scripted: Scripted) -> None:
    scripted.answers("GET", "/user", status=403, body="Forbidden\n", content_type="text/plain")
    with pytest.raises(Throttled):
        scripted.session.get("/user", whole)
    assert len(scripted.asked) == 1


def test_a_refusal_is_not_repeated(scripted: Scripted) -> None:
    scripted.answers("GET", "/user", status=403, json={"message": "403 Forbidden"})
    with pytest.raises(Forbidden):
        scripted.session.get("/user", whole)
    assert len(scripted.asked) == 1


def test_a_list_is_complete_over_short_and_empty_pages(scripted: Scripted) -> None:
    for page, items in (("2", [{"id": 1}]), ("3", []), ("", [{"id": 2}])):
        scripted.answers("GET", "/projects", json=items, headers={"X-Next-Page": page})
    assert scripted.session.all("/projects", whole, search="x") == [{"id": 1}, {"id": 2}]
    requests_made: list[Any] = [call.request for call in scripted.mock.calls]
    asked = [one.params for one in requests_made]
    assert [(one["page"], one["per_page"], one["search"]) for one in asked] == [
        ("1", "100", "x"),
        ("2", "100", "x"),
        ("3", "100", "x"),
    ]


def test_a_list_with_nothing_but_links_is_read_by_their_page_number(scripted: Scripted) -> None:
    link = '<http://inside.test/api/v4/projects?page=2&per_page=100>; rel="next"'
    scripted.answers("GET", "/projects", json=[{"id": 1}], headers={"Link": link})
    scripted.answers("GET", "/projects", json=[{"id": 2}])
    assert scripted.session.all("/projects", whole) == [{"id": 1}, {"id": 2}]
    assert all((call.request.url or "").startswith(URL) for call in scripted.mock.calls)


@pytest.mark.parametrize("page", ["1", "0", "two", "-2", "\u0662"])
def test_paging_that_does_not_get_on_ends_with_an_error(scripted: Scripted, page: str) -> None:
    scripted.answers("GET", "/projects", json=[{"id": 1}], headers={"X-Next-Page": page})
    with pytest.raises(UnexpectedAnswer):
        scripted.session.all("/projects", whole)
    assert len(scripted.asked) == 1


@pytest.mark.parametrize("document", [{"id": 1}, None, "x"])
def test_a_list_that_is_none_is_no_answer(scripted: Scripted, document: object) -> None:
    scripted.answers("GET", "/projects", json=document)
    with pytest.raises(UnexpectedAnswer):
        scripted.session.all("/projects", whole)


def test_a_page_that_fails_makes_the_list_fail_instead_of_short(scripted: Scripted) -> None:
    scripted.answers("GET", "/projects", json=[{"id": 1}], headers={"X-Next-Page": "2"})
    scripted.answers("GET", "/projects", status=403, json={"message": "403 Forbidden"})
    with pytest.raises(Forbidden):
        scripted.session.all("/projects", whole)


def test_an_answer_without_a_date_is_refused_only_where_time_is_measured(scripted: Scripted) -> None:
    scripted.mock.add("GET", f"{URL}/api/v4/version", json={"version": "18.0.0"})
    assert scripted.session.get("/version", whole) == {"version": "18.0.0"}
    with pytest.raises(UnexpectedAnswer, match="date"):
        scripted.forge.server()


def test_every_thread_has_its_own_connection(scripted: Scripted) -> None:
    clients: list[object] = []
    threads = [threading.Thread(target=lambda: clients.append(scripted.session._client()[1])) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(client) for client in clients}) == 3
    assert scripted.session._client()[1] is scripted.session._client()[1]


def test_every_request_has_the_timeout_of_the_settings(scripted: Scripted) -> None:
    scripted.answers("GET", "/user", json={"id": 7})
    scripted.session.get("/user", whole)
    request: Any = scripted.mock.calls[0].request
    assert request.req_kwargs["timeout"] == Settings(URL, "x").limits.http_timeout


def test_a_private_certificate_authority_is_used(tmp_path: Any, scripted: Scripted) -> None:
    session = Session(Settings(URL, "x", ca_bundle=tmp_path / "ca.pem"), Token(SECRET))
    scripted.answers("GET", "/user", json={"id": 7})
    session.get("/user", whole)
    request: Any = scripted.mock.calls[0].request
    assert request.req_kwargs["verify"] == str(tmp_path / "ca.pem")


def test_a_name_is_one_component_of_a_path() -> None:
    assert encoded("teaching/2026/../x") == "teaching%2F2026%2F..%2Fx"
    assert encoded("submit/*") == "submit%2F%2A"
    assert encoded(12) == "12"
