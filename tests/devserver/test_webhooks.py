"""Webhooks that a real socket receives."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from git_exchange.devserver.values import Alert, Delivery
from git_exchange.devserver.webhooks import alert_of, signature
from tests.devserver.world import World, check, eventually

KEY = bytes(range(32))
SIGNING_TOKEN = "whsec_" + base64.b64encode(KEY).decode()


@dataclass
class Receiver:
    url: str = ""
    status: int = 200
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.received.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(found.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found.url = f"http://127.0.0.1:{server.server_port}/hook"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield found
        server.shutdown()
        thread.join()


def test_a_push_is_delivered_signed_and_recorded(world: World, receiver: Receiver) -> None:
    project = world.project()
    work = world.clone(project, world.member(project, "developer"))
    hook = project.hooks.create({"url": receiver.url, "token": "plain", "signing_token": SIGNING_TOKEN})
    assert not {"token", "signing_token"} & set(hook.attributes)
    head = work.commit("answer")
    assert work.push("HEAD:refs/heads/submit/ps1").returncode == 0
    eventually(lambda: receiver.received)
    headers, body = receiver.received[0]
    payload = json.loads(body)
    check("webhook_push", payload)
    assert headers["x-gitlab-event"] == "Push Hook"
    assert headers["x-gitlab-token"] == "plain"
    assert headers["x-gitlab-instance"] == world.server.url
    assert headers["webhook-id"] == headers["idempotency-key"]
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert (payload["ref"], payload["after"]) == ("refs/heads/submit/ps1", head)
    assert payload["before"] == "0" * 40
    assert payload["project"]["path_with_namespace"] == project.path_with_namespace
    assert [commit["added"] for commit in payload["commits"]] == [["answer.txt"]]
    path = f"/projects/{project.id}/hooks/{hook.id}/events"
    (delivery,) = eventually(lambda: world.admin.http_get(path))
    assert (delivery["response_status"], delivery["trigger"]) == ("200", "push_hooks")
    assert "plain" not in json.dumps(delivery["request_headers"])
    world.admin.http_post(f"{path}/{delivery['id']}/resend")
    assert receiver.received[1][0]["idempotency-key"] == headers["idempotency-key"]
    assert receiver.received[1][1] == body


def test_a_bulk_push_and_a_filtered_branch_are_not_delivered(world: World, receiver: Receiver) -> None:
    project = world.project()
    work = world.clone(project, world.member(project, "developer"))
    project.hooks.create({"url": receiver.url, "push_events_branch_filter": "submit/*", "tag_push_events": True})
    work.commit()
    work.push(*(f"HEAD:refs/heads/submit/{i}" for i in range(4)))
    work.push("HEAD:refs/heads/other")
    work.push("HEAD:refs/tags/v1")
    work.push("HEAD:refs/heads/submit/last")
    eventually(lambda: len(receiver.received) >= 2)
    assert {json.loads(body)["ref"] for _, body in receiver.received} == {"refs/tags/v1", "refs/heads/submit/last"}


def test_a_deletion_is_delivered_without_a_commit(world: World, receiver: Receiver) -> None:
    project = world.project()
    work = world.clone(project, world.member(project, "developer"))
    work.push("HEAD:refs/heads/x")
    project.hooks.create({"url": receiver.url})
    work.push(":refs/heads/x")
    eventually(lambda: receiver.received)
    payload = json.loads(receiver.received[0][1])
    check("webhook_push", payload)
    assert (payload["checkout_sha"], payload["commits"]) == (None, [])


def test_a_receiver_that_fails_or_is_gone_does_not_disturb_the_push(world: World, receiver: Receiver) -> None:
    project = world.project()
    work = world.clone(project, world.member(project, "developer"))
    receiver.status = 500
    failing = project.hooks.create({"url": receiver.url})
    gone = project.hooks.create({"url": "http://127.0.0.1:9/"})
    assert work.push("HEAD:refs/heads/x").returncode == 0
    for hook, status in ((failing, "500"), (gone, "internal error")):
        path = f"/projects/{project.id}/hooks/{hook.id}/events"
        (delivery,) = eventually(lambda path=path: world.admin.http_get(path))  # type: ignore[misc]
        assert delivery["response_status"] == status


def test_hooks_are_changed_tested_and_removed_by_maintainers(world: World, receiver: Receiver) -> None:
    project = world.project()
    hook = project.hooks.create({"url": receiver.url})
    hook.push_events_branch_filter = "submit/*"
    hook.save()
    assert project.hooks.get(hook.id).push_events_branch_filter == "submit/*"
    hook.test("push_events")
    eventually(lambda: receiver.received)
    check("webhook_push", json.loads(receiver.received[0][1]))
    assert world.member(project, "developer").call("GET", f"/projects/{project.id}/hooks").status_code == 403
    hook.delete()
    assert project.hooks.list(get_all=True) == []


def test_a_signature_is_computed_as_documented() -> None:
    text = signature(SIGNING_TOKEN, "id", "1795170000", b"{}")
    expected = hmac.new(KEY, b"id.1795170000.{}", hashlib.sha256).digest()
    assert text == "v1," + base64.b64encode(expected).decode()


@pytest.mark.parametrize(
    ("failures", "rests"), [(3, None), (4, 1), (5, 2), (10, 64), (16, 24 * 60), (39, 24 * 60), (40, "for good")]
)
def test_a_hook_rests_the_longer_the_more_often_it_failed(failures: int, rests: int | str | None) -> None:
    now = datetime(2026, 11, 20, 10, tzinfo=timezone.utc)

    def delivery(number: int, status: str) -> Delivery:
        return Delivery(number, 1, "", "push_hooks", status, 0.1, {}, "", {}, "", now)

    found = alert_of([*(delivery(n, "500") for n in range(failures)), delivery(0, "200"), delivery(0, "500")], now)
    if rests is None:
        assert found == Alert("executable", None)
    elif isinstance(rests, str):
        assert found == Alert("disabled", None)
    else:
        assert found == Alert("temporarily_disabled", now + timedelta(minutes=rests))
        assert found.until is not None
        assert alert_of([delivery(0, "500")] * failures, found.until) == Alert("executable", None)
