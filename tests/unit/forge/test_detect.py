from __future__ import annotations

import pytest
import requests
import responses

from git_exchange.errors import ForgeUnreachable, UnexpectedAnswer
from git_exchange.forge.detect import detect
from git_exchange.settings import Settings

URL = "https://forge.example/git"
SETTINGS = Settings(url=URL, namespace="teaching")
V1, V4 = f"{URL}/api/v1/version", f"{URL}/api/v4/version"


@responses.activate
@pytest.mark.parametrize(
    "answer", [{"json": {"version": "15.0.9+gitea-1.22.0"}}, {"json": {"message": "sign in"}, "status": 403}]
)
def test_gitea_and_forgejo_are_known_by_their_version(answer: dict[str, object]) -> None:
    responses.get(V1, **answer)  # type: ignore[arg-type]
    assert detect(SETTINGS) == "gitea"


@responses.activate
@pytest.mark.parametrize(
    "first", [{"json": {"error": "404 Not Found"}, "status": 404}, {"body": "<html>", "status": 404}]
)
def test_gitlab_is_known_by_refusing_without_a_token(first: dict[str, object]) -> None:
    responses.get(V1, **first)  # type: ignore[arg-type]
    responses.get(V4, json={"message": "401 Unauthorized"}, status=401)
    assert detect(SETTINGS) == "gitlab"
    assert all("Authorization" not in call.request.headers for call in responses.calls)


@responses.activate
def test_a_login_page_is_no_forge() -> None:
    for url in (V1, V4):
        responses.get(url, body="<html>sign in</html>")
    with pytest.raises(UnexpectedAnswer, match="kind"):
        detect(SETTINGS)


@responses.activate
def test_a_redirect_elsewhere_is_not_followed() -> None:
    responses.get(V1, status=302, headers={"Location": "https://sso.example/login"})
    with pytest.raises(UnexpectedAnswer, match="redirects"):
        detect(SETTINGS)
    assert len(responses.calls) == 1


@responses.activate
@pytest.mark.parametrize("answer", [{"body": requests.ConnectionError("no")}, {"status": 502}])
def test_a_server_that_does_not_answer_says_nothing_about_its_kind(answer: dict[str, object]) -> None:
    responses.get(V1, **answer)  # type: ignore[arg-type]
    with pytest.raises(ForgeUnreachable):
        detect(SETTINGS)
