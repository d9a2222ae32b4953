"""What is asked of a hub, and what is made of its answers: against a server that answers as the test says."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from git_exchange.course import credentials, hub
from git_exchange.errors import NoToken, TokenRefused
from git_exchange.operations.doctor import examine
from git_exchange.secret import Token
from git_exchange.settings import Settings

SETTINGS = Settings(url="https://forge.example", namespace="teaching", kind="gitlab")


class Hub:
    """A hub that gives ``body`` with ``status``; ``asked`` holds the requests."""

    def __init__(self) -> None:
        self.status = 200
        self.body: object = {"name": "bo", "auth_state": {"access_token": "first"}}
        self.asked: list[tuple[str, str | None]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append((self.path, self.headers["Authorization"]))
                self.send_response(outer.status)
                self.send_header("Location", "/elsewhere")
                self.end_headers()
                body = outer.body if isinstance(outer.body, str) else json.dumps(outer.body)
                self.wfile.write(body.encode())

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hub/api"

    def gives(self, token: str, **more: object) -> None:
        self.body = {"name": "bo", "auth_state": {"access_token": token, **more}}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    running = Hub()
    thread = threading.Thread(target=running.server.serve_forever)
    thread.start()
    for name in (credentials.VARIABLE, credentials.FILE_VARIABLE, "JUPYTERHUB_SERVICE_NAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("JUPYTERHUB_API_URL", running.url)
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "of-the-server")
    monkeypatch.setenv("JUPYTERHUB_USER", "bo@uni/x")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    credentials.forget()
    yield running
    credentials.forget()
    running.server.shutdown()
    running.server.server_close()
    thread.join()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """Seconds by which this process's clock is ahead."""
    ahead = [0.0]
    real = hub.time.monotonic
    monkeypatch.setattr(hub.time, "monotonic", lambda: real() + ahead[0])
    yield ahead


def test_the_hub_is_asked_for_its_own_user_with_the_servers_token(server: Hub) -> None:
    answer = hub.ask()
    assert answer.token is not None
    assert answer.token.value == "first"
    assert server.asked == [("/hub/api/users/bo%40uni%2Fx", "Bearer of-the-server")]
    assert "first" not in f"{answer!r} {answer.token}"


def test_the_answer_is_kept_for_less_than_a_minute(server: Hub, clock: list[float]) -> None:
    for _ in range(30):
        hub.ask()
    assert len(server.asked) == 1
    server.gives("second")
    clock[0] = 59
    assert hub.ask().token == Token("second", hub.SOURCE)


def test_of_many_who_ask_at_once_one_asks_the_hub(server: Hub) -> None:
    threads = [threading.Thread(target=hub.ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.asked) == 1


def test_outside_a_hubs_server_nobody_is_asked(server: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTERHUB_SERVICE_NAME", "calculus")
    assert hub.ask() == hub.Answer(None)
    monkeypatch.delenv("JUPYTERHUB_SERVICE_NAME")
    monkeypatch.setenv(hub.SWITCH, "no")
    assert hub.ask() == hub.Answer(None)
    monkeypatch.delenv(hub.SWITCH)
    monkeypatch.delenv("JUPYTERHUB_API_TOKEN")
    assert hub.ask() == hub.Answer(None)
    assert server.asked == []


@pytest.mark.parametrize(
    ("status", "body", "reason", "hint"),
    [
        (200, {"name": "bo"}, "does not show this server its owner's sign-in", "admin:auth_state!user"),
        (200, {"name": "bo", "auth_state": None}, "keeps no token of your sign-in", "out of the hub and in again"),
        (200, {"auth_state": {"access_token": None}}, "keeps no token of your sign-in", "enable auth_state"),
        (200, {"auth_state": {"access_token": "x", "expires_at": 1}}, "ended at 1970-01-01", "renews it"),
        (200, {"auth_state": {"access_token": "two words"}}, "no token of a forge", "who runs the hub"),
        (200, "<html>", "a page instead of data", "who runs the hub"),
        (302, "", "an error (302)", "Try again"),
        (403, {"status": 403}, "does not let this server ask", "in again"),
        (404, {"status": 404}, "does not let this server ask", "in again"),
        (503, "", "an error (503)", "Try again"),
    ],
)
def test_without_a_token_of_the_hub_the_next_source_is_asked_and_the_reason_told(
    server: Hub, monkeypatch: pytest.MonkeyPatch, status: int, body: object, reason: str, hint: str
) -> None:
    server.status, server.body = status, body
    with pytest.raises(NoToken) as missing:
        credentials.first_accepted(SETTINGS, str)
    assert reason in missing.value.message
    assert hint in missing.value.hint
    assert len(server.asked) == 1, "a failure is kept for some seconds"
    (check,) = [check for check in examine(SETTINGS, None) if check.name == "hub"]
    assert (check.state, reason in check.detail, hint in check.hint) == ("warning", True, True)
    monkeypatch.setenv(credentials.VARIABLE, "from-environment")
    assert credentials.first_accepted(SETTINGS, lambda token: token.value)[0] == "from-environment"


def test_a_hub_that_is_down_is_said_to_be(server: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTERHUB_API_URL", "http://127.0.0.1:9/hub/api")
    with pytest.raises(NoToken, match="The hub does not answer"):
        credentials.first_accepted(SETTINGS, str)


def test_doctor_says_until_when_the_token_lives(server: Hub) -> None:
    server.gives("first", expires_at="2099-01-01T00:00:00Z")
    check = next(check for check in examine(Settings("https://127.0.0.1:9", "teaching"), None) if check.name == "hub")
    assert (check.state, "2099-01-01 00:00 UTC" in check.detail) == ("ok", True)


class Forge:
    """Accepts ``good`` only; ``got`` holds what was sent to it."""

    def __init__(self, good: str) -> None:
        self.good = good
        self.got: list[str] = []

    def connect(self, token: Token) -> str:
        self.got.append(token.value)
        if token.value != self.good:
            raise TokenRefused(f"the {token} has expired")
        return token.value


def test_a_token_that_the_hub_renewed_meanwhile_is_used_at_once(server: Hub, clock: list[float]) -> None:
    forge = Forge("first")
    credentials.first_accepted(SETTINGS, forge.connect)
    forge.good = "second"
    server.gives("second")
    clock[0] = 2
    assert credentials.first_accepted(SETTINGS, forge.connect)[0] == "second"
    assert forge.got == ["first", "first", "second"]


def test_a_refused_token_is_not_sent_again_and_the_hub_is_asked_once_a_second(server: Hub, clock: list[float]) -> None:
    forge = Forge("other")
    for _ in range(22):  # one page of formgrader
        with pytest.raises(TokenRefused, match="the token from the hub has expired") as refused:
            credentials.first_accepted(SETTINGS, forge.connect)
    assert refused.value.hint == hub.RENEWED_SOON
    assert forge.got == ["first"]
    assert len(server.asked) <= 3
    clock[0] = credentials.REFUSED_SECONDS + 1
    forge.good = "first"
    assert credentials.first_accepted(SETTINGS, forge.connect)[0] == "first"


def test_another_forge_may_accept_what_one_refused(server: Hub) -> None:
    with pytest.raises(TokenRefused):
        credentials.first_accepted(SETTINGS, Forge("other").connect)
    elsewhere = Settings(url="https://other.example", namespace="teaching")
    assert credentials.first_accepted(elsewhere, Forge("first").connect)[0] == "first"


def test_an_ended_token_that_was_handed_over_at_the_start_says_what_to_do(
    server: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.body = {"name": "bo"}
    monkeypatch.setenv(credentials.VARIABLE, "e30.eyJleHAiOjF9.x")  # a JSON Web Token of 1970
    forge = Forge("other")
    with pytest.raises(TokenRefused, match="ended at 1970-01-01") as refused:
        credentials.first_accepted(SETTINGS, forge.connect)
    assert forge.got == []
    assert "Restart your server" in refused.value.hint


def test_the_token_is_not_put_into_the_environment(server: Hub) -> None:
    credentials.first_accepted(SETTINGS, str)
    assert "first" not in os.environ.values()
