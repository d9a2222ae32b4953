"""What a forge's webhook says, and whether the forge said it. No I/O: headers, body, secrets, time in; value out.

Two steps, because whether a hook signs is worth a question to the inbox only for a request that may be genuine:
``verify`` looks at the raw body, and ``read`` parses what ``verify`` let through. Whatever comes in, they return or
raise ``Refused``; its message is for whoever reads the forge's list of deliveries.

======================================================  ==========================================================
the request has                                         it passes
======================================================  ==========================================================
any of ``webhook-id``, ``-timestamp``, ``-signature``   if the signature is right; its token is not looked at
``X-Gitlab-*`` and none of these                        if ``X-Gitlab-Token`` is right and the hook never signed yet
``X-Gitea-*``, ``X-Forgejo-*``, ``X-Hub-Signature*``    if ``X-Hub-Signature-256`` is right, and never signed yet
of both kinds, or of none                               never
a header that counts twice                              never
======================================================  ==========================================================

A hook that "signs" uses GitLab's signing token. HMACs of the other kind do not count: their key is the plain token,
which GitLab sends in clear beside its signature.

https://docs.gitlab.com/user/project/integrations/webhooks/, https://www.standardwebhooks.com,
https://docs.gitea.com/usage/webhooks
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from git_exchange.collector.values import Arrival
from git_exchange.errors import GitExchangeError
from git_exchange.rules import layout
from git_exchange.rules.hook_secrets import HookSecret

TOLERANCE_SECONDS = 300
_SIGNED = ("webhook-id", "webhook-timestamp", "webhook-signature")
_GITEA = ("x-gitea-", "x-forgejo-", "x-hub-signature")
_DELIVERY = {"gitlab": "idempotency-key", "gitea": "x-gitea-delivery"}
_EVENT = {"gitlab": ("x-gitlab-event", "Push Hook"), "gitea": ("x-gitea-event", "push")}
_ID = re.compile(r"[\x21-\x7e]{1,200}")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")

_INSTALL = "`git-exchange roster apply` installs the hooks of a course anew."


class Refused(GitExchangeError):
    """A request that is not taken: ``status`` is the HTTP answer, ``reason`` one word for the count of refusals."""

    def __init__(self, status: int, reason: str, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.reason = reason


@dataclass(frozen=True)
class Verified:
    """A request that somebody sent who knows the hook's secret. ``signed``: with GitLab's signing token."""

    forge: Literal["gitlab", "gitea"]
    event: str
    delivery: str
    signed: bool
    body: bytes


@dataclass(frozen=True)
class NotOurs:
    """A well-formed event that is no push to a branch of attempts; ``what`` it is, for people."""

    what: str


def verify(headers: Iterable[tuple[str, str]], body: bytes, secrets: Sequence[HookSecret], now: datetime) -> Verified:
    """Return the request as one of its hook, by any of the secrets. ``now`` is aware. Raise Refused."""
    said: dict[str, list[str]] = {}
    for name, value in headers:
        said.setdefault(name.lower(), []).append(value)
    is_gitlab = any(name.startswith("x-gitlab-") or name in _SIGNED for name in said)
    is_gitea = any(name.startswith(_GITEA) for name in said)
    if is_gitlab == is_gitea:
        which = "both GitLab and Gitea" if is_gitlab else "no forge that is known here"
        raise Refused(400, "forge", f"The request has headers of {which}.")
    forge: Literal["gitlab", "gitea"] = "gitlab" if is_gitlab else "gitea"
    media_type = _one(said, "content-type").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Refused(415, "media-type", "Only JSON is read here.", hint=f"{_INSTALL} They send JSON.")
    signed = any(name in said for name in _SIGNED)
    if signed:
        _check_signature(said, body, secrets, now)
    elif is_gitlab:
        _check_token(said, secrets)
    else:
        _check_hmac(said, body, secrets)
    event = _one(said, _EVENT[forge][0])
    # A forge that names no delivery (GitLab before 17.4): the same body is the same news.
    delivery = _one(said, _DELIVERY[forge]) or f"body-{hashlib.sha256(body).hexdigest()}"
    if not event or not _ID.fullmatch(delivery):
        raise Refused(400, "headers", "The request does not name its event and delivery as a forge does.")
    return Verified(forge, event, delivery, signed, body)


def read(verified: Verified, *, hook_signs: bool, course_id: str, project_id: int, now: datetime) -> Arrival | NotOurs:
    """Return what the request announces. Raise Refused.

    ``hook_signs``: this hook has signed before, so that nothing unsigned is taken. ``project_id`` is the one that the
    hook was installed for, in its URL.
    """
    if hook_signs and not verified.signed:
        raise Refused(401, "unsigned", "This hook signs what it sends, and this is not signed.", hint=_INSTALL)
    if verified.event != _EVENT[verified.forge][1]:
        return NotOurs("another event")
    payload = _parsed(verified.body)
    project = payload.get("project_id") if verified.forge == "gitlab" else _inner(payload, "repository").get("id")
    ref, commit = payload.get("ref"), payload.get("after")
    if type(project) is not int or not isinstance(ref, str) or not isinstance(commit, str):
        raise Refused(400, "payload", "The push names no project, ref and commit.")
    if project != project_id:
        raise Refused(400, "project", "The push is to another project than this hook's.", hint=_INSTALL)
    if not _COMMIT.fullmatch(commit):
        raise Refused(400, "payload", "What was pushed is no commit.")
    if not layout.is_submit_ref(ref):
        return NotOurs("another ref")
    if not commit.strip("0"):
        return NotOurs("a deletion")
    return Arrival(f"hook:{project_id}:{verified.delivery}", course_id, project_id, ref, commit, now)


def _check_signature(said: Mapping[str, list[str]], body: bytes, secrets: Sequence[HookSecret], now: datetime) -> None:
    name, sent_at, signatures = (_one(said, header) for header in _SIGNED)
    if not _ID.fullmatch(name) or not _TIMESTAMP.fullmatch(sent_at) or not signatures:
        raise Refused(401, "signature", "The signature's headers are incomplete or malformed.")
    if abs(now.timestamp() - int(sent_at)) > TOLERANCE_SECONDS:
        raise Refused(401, "timestamp", "The signature is too old, or from the future.", hint="Compare both clocks.")
    content = f"{name}.{sent_at}.".encode() + body
    given = signatures.split(" ")
    for secret in secrets:
        key = base64.b64decode(secret.signing_token.removeprefix("whsec_"))
        # Compared as text: only the one canonical Base64 passes, and malformed ones need no decoding.
        right = f"v1,{base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode('ascii')}"
        if any(_same(one, right) for one in given):
            return
    raise Refused(401, "signature", "The signature is not one of this hook.", hint=_INSTALL)


def _check_token(said: Mapping[str, list[str]], secrets: Sequence[HookSecret]) -> None:
    given = _one(said, "x-gitlab-token")
    if not given or not any(_same(given, secret.token) for secret in secrets):
        raise Refused(401, "token", "X-Gitlab-Token is not the one of this hook.", hint=_INSTALL)


def _check_hmac(said: Mapping[str, list[str]], body: bytes, secrets: Sequence[HookSecret]) -> None:
    given = _one(said, "x-hub-signature-256")
    right = (f"sha256={hmac.new(secret.token.encode(), body, hashlib.sha256).hexdigest()}" for secret in secrets)
    if not any(_same(given, one) for one in right):
        raise Refused(401, "signature", "X-Hub-Signature-256 is not one of this hook.", hint=_INSTALL)


def _one(said: Mapping[str, list[str]], name: str) -> str:
    """Return the header's value, empty if there is none."""
    values = said.get(name, [""])
    if len(values) > 1:
        raise Refused(400, "headers", f"The header {name} is there twice.")
    return values[0]


def _same(given: str, right: str) -> bool:
    # As bytes: compare_digest takes no text beyond ASCII.
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), right.encode())


def _parsed(body: bytes) -> Mapping[str, Any]:
    try:
        payload = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise Refused(400, "payload", "The body is not JSON.") from None
    if not isinstance(payload, dict):
        raise Refused(400, "payload", "The body is no JSON object.")
    return payload


def _inner(payload: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = payload.get(name)
    return found if isinstance(found, dict) else {}
