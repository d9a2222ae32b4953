"""Webhook requests as each kind of forge sends them: headers and a raw body, signed by somebody else's code."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import datetime, timezone
from typing import Any
from uuid import uuid4

from standardwebhooks import Webhook

from git_exchange.rules.hook_secrets import HookSecret, derive

KEY = bytes(range(32))
OLD_KEY = bytes(range(32, 64))
NOW = datetime(2026, 11, 21, 10, 0, tzinfo=timezone.utc)
COMMIT = "da1560886d4f094c3e6c9ef40349f7d38b5d27d7"
REF = "refs/heads/submit/ps1"

Headers = list[tuple[str, str]]


def secret(project_id: int = 15, key: bytes = KEY) -> HookSecret:
    return derive(key, project_id)


def body(forge: str, project_id: int = 15, ref: str = REF, commit: str = COMMIT, **more: Any) -> bytes:
    """Return the part of a push's payload that is read, and some that is not."""
    said: dict[str, Any] = {"ref": ref, "before": "0" * 40, "after": commit}
    if forge == "gitlab":
        said |= {"object_kind": "push", "project_id": project_id, "project": {"id": project_id}}
    else:
        said |= {"repository": {"id": project_id}, "pusher": {"login": "bo"}}
    return json.dumps(said | more).encode()


def gitlab(
    data: bytes,
    using: HookSecret,
    *,
    signed: bool = False,
    event: str = "Push Hook",
    delivery: str = "",
    at: datetime = NOW,
) -> Headers:
    """Return the headers of GitLab 17.4 and later; ``signed``: of 19.0 and later with a signing token."""
    delivery = delivery or str(uuid4())
    headers = [
        ("Content-Type", "application/json"),
        ("User-Agent", "GitLab/19.0.0"),
        ("Idempotency-Key", delivery),
        ("X-Gitlab-Event", event),
        ("X-Gitlab-Webhook-UUID", str(uuid4())),
        ("X-Gitlab-Event-UUID", str(uuid4())),
        ("X-Gitlab-Token", using.token),
    ]
    if signed:
        headers += [
            ("webhook-id", delivery),
            ("webhook-timestamp", str(int(at.timestamp()))),
            ("webhook-signature", Webhook(using.signing_token).sign(delivery, at, data.decode())),
        ]
    return headers


def gitea(data: bytes, using: HookSecret | None, *, event: str = "push", delivery: str = "") -> Headers:
    """Return the headers of Forgejo, which are Gitea's and its own; without a secret the signatures are empty."""
    delivery = delivery or str(uuid4())
    mac = hmac.new(using.token.encode(), data, hashlib.sha256).hexdigest() if using else ""
    names = ("Forgejo", "Gitea", "Gogs")
    return [
        ("Content-Type", "application/json"),
        *((f"X-{name}-Delivery", delivery) for name in (*names, "GitHub")),
        *((f"X-{name}-Event", event) for name in (*names, "GitHub")),
        *((f"X-{name}-Signature", mac) for name in names),
        ("X-Hub-Signature-256", f"sha256={mac}"),
    ]


def without(headers: Headers, *names: str) -> Headers:
    return [(name, value) for name, value in headers if name.lower() not in {one.lower() for one in names}]


def changed(headers: Headers, **values: str) -> Headers:
    """Return the headers with others' values; ``x_gitlab_token`` stands for X-Gitlab-Token."""
    new = {name.replace("_", "-").lower(): value for name, value in values.items()}
    return [(name, new.get(name.lower(), value)) for name, value in headers]
