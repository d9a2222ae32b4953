"""Webhooks of a project: https://docs.gitlab.com/api/project_webhooks/."""

from __future__ import annotations

import base64
import binascii
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from git_exchange.devserver import access
from git_exchange.devserver.api import entities
from git_exchange.devserver.api.answers import Answer, Call, message, not_found
from git_exchange.devserver.api.defaults import HOOK_FLAGS, JSON
from git_exchange.devserver.api.routes import Routes
from git_exchange.devserver.pushes import RefUpdate, test_payload
from git_exchange.devserver.values import Hook, Project

MOST = 100
KEY_BYTES = 32

routes = Routes()


@routes.add("GET", "/projects/:id/hooks")
def hooks(call: Call) -> Answer:
    """List webhooks."""
    project = call.project(access.MAINTAINER)
    part, headers = call.page(call.site.store.hooks.of(project.id))
    return Answer([_shown(call, hook) for hook in part], headers=headers)


@routes.add("GET", "/projects/:id/hooks/:hook_id")
def one_hook(call: Call) -> Answer:
    """Answer a webhook."""
    return Answer(_shown(call, _hook(call)[1]))


@routes.add("POST", "/projects/:id/hooks")
def create_hook(call: Call) -> Answer:
    """Create a webhook."""
    project = call.project(access.MAINTAINER)
    url = _url(call.parameters.required("url"))
    if len(call.site.store.hooks.of(project.id)) >= MOST:
        raise message(422, {"base": [f"Maximum number of project webhooks ({MOST}) exceeded"]})
    with call.site.store.database.transaction():
        hook = _changed(call, call.site.store.hooks.create(project.id, url))
        call.site.store.hooks.change(hook)
    return Answer(_shown(call, hook), 201)


@routes.add("PUT", "/projects/:id/hooks/:hook_id")
def change_hook(call: Call) -> Answer:
    """Change a webhook; another URL resets the secret token."""
    _, hook = _hook(call)
    url = _url(call.parameters.text("url") or hook.url)
    if url != hook.url:
        hook = replace(hook, url=url, token="")
    hook = _changed(call, hook)
    call.site.store.hooks.change(hook)
    return Answer(_shown(call, hook))


@routes.add("DELETE", "/projects/:id/hooks/:hook_id")
def delete_hook(call: Call) -> Answer:
    """Remove a webhook."""
    call.site.store.hooks.delete(_hook(call)[1].id)
    return Answer(None, 204)


@routes.add("POST", "/projects/:id/hooks/:hook_id/test/:trigger")
async def test_hook(call: Call) -> Answer:
    """Deliver a sample push now."""
    project, hook = _hook(call)
    trigger = call.arguments["trigger"]
    if trigger not in ("push_events", "tag_push_events"):
        raise message(400, "trigger does not have a valid value")
    head = call.site.repositories.head(project.storage, f"refs/heads/{project.default_branch}")
    if head is None:
        raise message(422, "Ensure the project has at least one commit.")
    update = RefUpdate(head, head, f"refs/heads/{project.default_branch}")
    payload = await test_payload(call.site, project, call.user, update)
    call.site.webhooks.send(hook, "Push Hook", payload, "push_hooks")
    return Answer({"message": "201 Created"}, 201)


@routes.add("GET", "/projects/:id/hooks/:hook_id/events")
def deliveries(call: Call) -> Answer:
    """List what was delivered, the newest first."""
    _, hook = _hook(call)
    found = call.site.store.hooks.deliveries(hook.id)
    if wanted := call.parameters.texts("status"):
        found = [one for one in found if one.status in wanted or _class(one.status) in wanted]
    part, headers = call.page(found)
    return Answer([entities.delivery(one) for one in part], headers=headers)


@routes.add("POST", "/projects/:id/hooks/:hook_id/events/:delivery_id/resend")
async def resend(call: Call) -> Answer:
    """Deliver once more, with the same Idempotency-Key."""
    _, hook = _hook(call)
    for one in call.site.store.hooks.deliveries(hook.id):
        if str(one.id) == call.arguments["delivery_id"]:
            await call.site.webhooks.resend(
                hook,
                one.request_headers["X-Gitlab-Event"],
                one.request_data.encode(),
                one.request_headers["Idempotency-Key"],
                one.trigger,
            )
            return Answer({"response_status": call.site.store.hooks.deliveries(hook.id)[0].status}, 201)
    raise not_found()


def _shown(call: Call, hook: Hook) -> JSON:
    return entities.hook(hook, call.site.webhooks.alert(hook))


def _class(status: str) -> str:
    if status.startswith(("2", "3")):
        return "successful"
    return "client_failure" if status.startswith("4") else "server_failure"


def _hook(call: Call) -> tuple[Project, Hook]:
    project = call.project(access.MAINTAINER)
    number = call.arguments["hook_id"]
    hook = call.site.store.hooks.find(project.id, int(number)) if number.isdecimal() else None
    if hook is None:
        raise not_found()
    return project, hook


def _url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise message(422, "Invalid url given")
    return url


def _changed(call: Call, hook: Hook) -> Hook:
    given = call.parameters
    settings: dict[str, Any] = dict(hook.settings)
    for name, default in HOOK_FLAGS.items():
        if name in given.values:
            is_flag = isinstance(default, bool) or name == "confidential_note_events"
            settings[name] = given.boolean(name) if is_flag else given.text(name)
    if "branch_filter_strategy" in given.values:
        given.choice("branch_filter_strategy", ("wildcard", "regex", "all_branches"), "wildcard")
    headers = hook.custom_headers
    listed = given.values.get("custom_headers")
    if isinstance(listed, list):
        headers = tuple((str(one["key"]), str(one["value"])) for one in listed if isinstance(one, dict))
    token, signing = given.text("token"), given.text("signing_token")
    if not call.site.webhooks.signing_tokens:
        signing = None  # GitLab ignores it where the feature is off
    if signing:
        _check_signing_token(signing)
    return replace(
        hook,
        token=hook.token if token is None else token,
        signing_token=hook.signing_token if signing is None else signing,
        custom_headers=headers,
        settings=settings,
    )


def _check_signing_token(token: str) -> None:
    try:
        key = base64.b64decode(token.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        key = b""
    if not token.startswith("whsec_") or len(key) != KEY_BYTES:
        raise message(422, {"signing_token": ["must be whsec_ followed by the Base64 of 32 bytes"]})
