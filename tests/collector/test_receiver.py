"""The receiver as forges, proxies and Prometheus meet it."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from git_exchange.collector.inbox import Inbox
from git_exchange.collector.receiver import read_metrics_token
from git_exchange.errors import ConfigurationError, InboxUnavailable
from tests.collector import deliveries
from tests.collector.receiving import Threaded, post, threaded, until, write_keys


@pytest.fixture
def running(inbox: Inbox, tmp_path: Path) -> Iterator[Threaded]:
    with threaded(inbox, tmp_path, metrics_token="t0ken") as opened:
        yield opened


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Threaded]:
    """One for what leaves nothing behind."""
    folder = tmp_path_factory.mktemp("receiver")
    inbox = Inbox.open(f"sqlite:///{folder}/inbox.db")
    with threaded(inbox, folder, metrics_token="t0ken") as opened:
        yield opened
    inbox.close()


def test_each_forge_s_push_is_kept_once_and_a_worker_is_woken(running: Threaded) -> None:
    for forge, signed in (("gitea", False), ("gitlab", False), ("gitlab", True)):
        first, again = (post(running.url, forge, delivery=f"{forge}{signed}", signed=signed) for _ in range(2))
        assert (first.status_code, again.status_code) == (202, 200)
    assert running.inbox.counts().waiting == 3
    until(lambda: len(running.woken) == 3)
    until(lambda: running.inbox.hook_signs(15))
    assert post(running.url, "gitlab").status_code == 401


def test_keys_are_read_again_when_they_change(running: Threaded) -> None:
    assert post(running.url, key=deliveries.OLD_KEY).status_code == 401
    write_keys(running.keys_file, deliveries.OLD_KEY, deliveries.KEY)
    assert post(running.url, key=deliveries.OLD_KEY).status_code == 202
    assert post(running.url).status_code == 202


def test_hooks_and_health_are_also_below_the_path_of_the_public_address(shared: Threaded) -> None:
    assert post(f"{shared.url}/collector", commit="1" * 40).status_code == 202
    assert requests.get(f"{shared.url}/collector/healthz", timeout=20).status_code == 200
    assert requests.get(f"{shared.url}/collector/metrics", timeout=20).status_code == 404


def test_an_answer_says_what_is_wrong_and_shows_no_secret(shared: Threaded) -> None:
    answer = post(shared.url, key=deliveries.OLD_KEY)
    assert answer.status_code == 401
    assert "X-Gitlab-Token is not the one of this hook" in answer.text
    assert "Server" not in answer.headers


@pytest.mark.parametrize(
    ("path", "status"),
    [
        *(("/hooks/algebra/15", 404), ("/hooks/calculus/0", 404), ("/hooks/calculus/x", 404), ("/", 404)),
        *(("/hooks/calculus/15/", 404), (f"/hooks/calculus/{'9' * 30}", 404), ("/hooks/../calculus/15", 404)),
    ],
)
def test_other_addresses_are_not_found(shared: Threaded, path: str, status: int) -> None:
    line = http.client.HTTPConnection("127.0.0.1", shared.port, timeout=20)
    line.request("POST", path, b"{}")  # as it is written: requests would tidy it up
    assert line.getresponse().status == status
    line.close()


def test_only_post_is_taken(shared: Threaded) -> None:
    for method in ("GET", "PUT", "DELETE", "OPTIONS", "BREW"):
        answer = requests.request(method, f"{shared.url}/hooks/calculus/15", timeout=20)
        assert answer.status_code == 405
        assert "<" not in answer.text


def test_a_form_is_not_taken(shared: Threaded) -> None:
    answer = requests.post(f"{shared.url}/hooks/calculus/15", data={"payload": "{}"}, headers={"X-Gitea-Event": "push"})
    assert answer.status_code == 415


@pytest.mark.parametrize("size", [100_001, 3_000_000])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit_is_refused_and_not_kept(shared: Threaded, size: int, chunked: bool) -> None:
    body = iter([b"x" * 60_000] * (size // 60_000 + 1)) if chunked else b"x" * size
    headers = dict(deliveries.gitlab(b"", deliveries.secret()))
    answer = requests.post(f"{shared.url}/hooks/calculus/15", data=body, headers=headers, timeout=20)
    assert answer.status_code == 413
    assert shared.receiver.held == 0


def test_a_body_at_the_limit_is_taken(shared: Threaded) -> None:
    data = deliveries.body("gitlab", commit="2" * 40, padding="x" * 99_000)
    headers = dict(deliveries.gitlab(data, deliveries.secret()))
    answer = requests.post(f"{shared.url}/hooks/calculus/15", data=data, headers=headers, timeout=20)
    assert (answer.status_code, len(data) > 99_000) == (202, True)
    assert shared.receiver.held == 0


def test_it_is_healthy_as_long_as_the_inbox_answers(running: Threaded, monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable(*_: object) -> None:
        raise InboxUnavailable("The disk is full.")

    health = f"{running.url}/healthz"
    assert requests.get(health, timeout=20).status_code == 200
    monkeypatch.setattr(running.inbox, "marks", unavailable)
    monkeypatch.setattr(running.inbox, "receive", unavailable)
    monkeypatch.setattr(running.inbox, "counts", unavailable)
    monkeypatch.setattr("git_exchange.collector.receiver.CHECK_SECONDS", 0.0)
    assert requests.get(health, timeout=20).status_code == 503
    assert post(running.url).status_code == 503
    found = metrics(running)
    assert found["git_exchange_inbox_up", ()] == 0
    assert found["git_exchange_hooks_total", (("outcome", "inbox"), ("status", "503"))] == 1


def metrics(running: Threaded) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    text = requests.get(f"{running.url}/metrics", timeout=20).text
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_metrics_count_answers_and_tell_of_the_inbox(running: Threaded) -> None:
    post(running.url, delivery="a")
    post(running.url, delivery="a")
    post(running.url, key=deliveries.OLD_KEY)
    found = metrics(running)
    for outcome, status in (("accepted", "202"), ("duplicate", "200"), ("token", "401")):
        assert found["git_exchange_hooks_total", (("outcome", outcome), ("status", status))] == 1
    assert found["git_exchange_hook_seconds_count", ()] == 3
    assert found["git_exchange_inbox_deliveries", (("state", "waiting"),)] == 1
    assert found["git_exchange_inbox_up", ()] == 1


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"])
def test_metrics_are_not_shown_through_a_proxy(shared: Threaded, header: str) -> None:
    page = f"{shared.url}/metrics"
    assert requests.get(page, headers={header: "127.0.0.1"}, timeout=20).status_code == 403
    for wrong in ("Bearer wrong", "Bearer ", "t0ken", "Basic t0ken", "Bearer é"):
        headers = {header: "127.0.0.1", "Authorization": wrong.encode("latin-1")}
        assert requests.get(page, headers=headers, timeout=20).status_code == 403
    with_token = {header: "127.0.0.1", "Authorization": "Bearer t0ken"}
    assert requests.get(page, headers=with_token, timeout=20).status_code == 200


def test_without_a_token_of_their_own_metrics_have_none_that_fits(inbox: Inbox, tmp_path: Path) -> None:
    with threaded(inbox, tmp_path) as opened:
        headers = {"X-Forwarded-For": "127.0.0.1", "Authorization": "Bearer "}
        assert requests.get(f"{opened.url}/metrics", headers=headers, timeout=20).status_code == 403


def test_the_metrics_token_is_in_a_file_that_others_cannot_read(tmp_path: Path) -> None:
    file = tmp_path / "metrics-token"
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_metrics_token(file)
    file.write_text("")
    file.chmod(0o600)
    with pytest.raises(ConfigurationError, match="is empty"):
        read_metrics_token(file)
    file.write_text("t0ken\n")
    assert read_metrics_token(file) == "t0ken"
    file.chmod(0o644)
    with pytest.raises(ConfigurationError, match="Other users"):
        read_metrics_token(file)
