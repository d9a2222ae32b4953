"""Webhooks: one per project, for submissions only, with a secret that a receiver can check."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests

from git_exchange.collector import events
from git_exchange.errors import Forbidden, NotFound
from git_exchange.forge.connect import hooks_by
from git_exchange.forge.ports import ForgeHooks, Hook, Project, Role
from git_exchange.rules.hook_secrets import HookSecret, derive
from git_exchange.secret import Token
from tests.contract.conftest import Course, Site

OLD, NEW = bytes(32), bytes(range(32))


@dataclass
class Receiver:
    """Takes everything, and keeps headers (lower case) and bodies."""

    url: str
    status: int = 202
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def refs(self) -> list[str]:
        return [json.loads(body)["ref"] for _, body in self.received]

    def signed_by(self, secret: HookSecret) -> list[bool]:
        return [is_by(headers, body, secret) for headers, body in self.received]


def is_by(headers: dict[str, str], body: bytes, secret: HookSecret) -> bool:
    """Return whether the collector takes the request for one with this secret."""
    try:
        verified = events.verify(headers.items(), body, [secret], datetime.now(timezone.utc))
    except events.Refused as refusal:
        assert refusal.status == 401
        return False
    return verified.signed or verified.forge == "gitea"


@pytest.fixture(scope="module")
def listening() -> Iterator[Receiver]:
    found = Receiver("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.received.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(found.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found.url = f"http://127.0.0.1:{server.server_port}/hooks/c"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield found
        server.shutdown()
        thread.join()


@pytest.fixture
def receiver(listening: Receiver) -> Receiver:
    listening.received.clear()
    listening.status = 202
    return listening


@pytest.fixture
def hooks(site: Site) -> ForgeHooks:
    return hooks_by(site.admin)


def add_by_hand(site: Site, course: Course, project: Project, url: str) -> None:
    """Make a hook as a person would, with the forge's defaults."""
    if site.backend.kind == "gitea":
        owner = course.group.web_url.rpartition("/")[2]
        where = f"{site.backend.url}/api/v1/repos/{owner}/{project.path}/hooks"
        body: dict[str, Any] = {"type": "gitea", "config": {"url": url, "content_type": "form"}}
    else:
        where, body = f"{site.backend.url}/api/v4/projects/{project.id}/hooks", {"url": url}
    headers = {"Authorization": f"Bearer {site.backend.admin.value}"}
    requests.post(where, json=body, headers=headers, timeout=60).raise_for_status()


def push(course: Course, project: Project, token: Token, branch: str) -> None:
    copy = course.working_copy()
    assert copy.push(course.url(project), token, f"{copy.commit(branch)}:refs/heads/{branch}").accepted


def test_submissions_and_nothing_else_are_made_known_with_the_project_s_secret(
    site: Site, course: Course, hooks: ForgeHooks, receiver: Receiver
) -> None:
    project, secret = course.seat("sam"), derive(NEW, 15)
    hook = hooks.ensure_hook(project.id, receiver.url, secret)
    assert hook == Hook(hook.id, receiver.url, active=True, disabled_until=None, signs=True, narrow=True)
    assert hooks.hooks(project.id) == [hook]
    sam = site.person("sam").token
    for token, ref in ((sam, "submit/ps1"), (site.backend.admin, "feedback/ps1"), (sam, "submit/ps2")):
        push(course, project, token, ref)
    assert site.eventually(lambda: len(receiver.received) >= 2)
    assert sorted(receiver.refs) == ["refs/heads/submit/ps1", "refs/heads/submit/ps2"]
    assert receiver.signed_by(secret) == [True, True]
    if hooks.keeps_deliveries:
        assert site.eventually(lambda: len(hooks.deliveries(project.id, hook.id)) == 2)
        newest = hooks.deliveries(project.id, hook.id)[0]
        assert (newest.status, newest.ok) == ("202", True)
        assert newest.at is not None
    else:
        assert hooks.deliveries(project.id, hook.id) == []


def test_another_secret_takes_the_place_of_the_old_one(
    site: Site, course: Course, hooks: ForgeHooks, receiver: Receiver
) -> None:
    project = course.seat("sam")
    for key in (OLD, NEW):
        hooks.ensure_hook(project.id, receiver.url, derive(key, project.id))
    assert len(hooks.hooks(project.id)) == 1
    push(course, project, site.person("sam").token, "submit/ps1")
    assert site.eventually(lambda: receiver.received)
    assert receiver.signed_by(derive(NEW, project.id)) == [True]
    assert receiver.signed_by(derive(OLD, project.id)) == [False]


def test_a_course_s_hook_is_one_whatever_was_there(
    site: Site, course: Course, hooks: ForgeHooks, receiver: Receiver
) -> None:
    project, secret = course.seat("sam"), derive(NEW, 15)
    before = hooks.ensure_hook(project.id, f"{receiver.url}/before", secret)
    for url in (receiver.url, receiver.url, f"{receiver.url}/somebody-else"):
        add_by_hand(site, course, project, url)
    assert not any(hook.narrow for hook in hooks.hooks(project.id) if hook.id != before.id)
    hook = hooks.ensure_hook(project.id, receiver.url, secret, instead_of=[before.id])
    left = {found.url: found for found in hooks.hooks(project.id)}
    assert left.keys() == {receiver.url, f"{receiver.url}/somebody-else"}
    assert left[receiver.url] == hook
    assert hook.narrow
    assert hook.active
    assert len(hooks.hooks(project.id)) == 2
    for _ in range(2):  # gone already is gone
        hooks.remove_hook(project.id, hook.id)
    assert [found.url for found in hooks.hooks(project.id)] == [f"{receiver.url}/somebody-else"]


def test_instructors_set_hooks_up_and_students_do_not_see_them(
    site: Site, course: Course, hooks: ForgeHooks, receiver: Receiver
) -> None:
    project, tom = course.seat("sam"), site.person("tom")
    site.admin.set_group_access(course.group, tom.account, Role.INSTRUCTOR)
    hook = hooks_by(tom.forge).ensure_hook(project.id, receiver.url, derive(NEW, 15))
    assert hooks_by(tom.forge).hooks(project.id) == [hook]
    of_sam = hooks_by(site.person("sam").forge)
    with pytest.raises((Forbidden, NotFound)):
        of_sam.hooks(project.id)
    with pytest.raises((Forbidden, NotFound)):
        of_sam.ensure_hook(project.id, "http://127.0.0.1:9/", derive(OLD, 15))
    with suppress(NotFound), pytest.raises(Forbidden):
        of_sam.remove_hook(project.id, hook.id)
    assert hooks.hooks(project.id) == [hook]
    with pytest.raises((Forbidden, NotFound)):
        hooks_by(site.person("una").forge).hooks(project.id)


def test_a_hook_that_the_forge_gave_up_is_told_of_and_made_anew(
    site: Site, course: Course, hooks: ForgeHooks, receiver: Receiver
) -> None:
    if site.backend.name != "devserver":
        pytest.skip("the server gives no hook up, or only if its operator says so")
    control(site, auto_disable=True, signing_tokens=False)
    try:
        project, secret = course.seat("sam"), derive(NEW, 15)
        hook = hooks.ensure_hook(project.id, receiver.url, secret)
        assert not hook.signs
        receiver.status = 500
        for number in range(1, 5):
            push(course, project, site.person("sam").token, f"submit/ps{number}")
            assert site.eventually(lambda number=number: len(hooks.deliveries(project.id, hook.id)) == number)  # type: ignore[misc]
        (found,) = hooks.hooks(project.id)
        assert not found.active
        assert found.disabled_until is not None
        assert not hooks.deliveries(project.id, hook.id)[0].ok
        receiver.status = 202
        push(course, project, site.person("sam").token, "submit/ps5")
        again = hooks.ensure_hook(project.id, receiver.url, secret)
        assert again.active
        assert again.id != hook.id
        push(course, project, site.person("sam").token, "submit/ps6")
        assert site.eventually(lambda: "refs/heads/submit/ps6" in receiver.refs)
        assert "refs/heads/submit/ps5" not in receiver.refs
    finally:
        control(site, auto_disable=False, signing_tokens=True)


def control(site: Site, **switches: bool) -> None:
    where = f"{site.backend.url}/-/devserver/hooks"
    headers = {"Authorization": f"Bearer {site.backend.admin.value}"}
    requests.post(where, json=switches, headers=headers, timeout=60).raise_for_status()
