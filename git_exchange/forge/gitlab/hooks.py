"""Webhooks of a project, and what GitLab remembers of what it sent.

https://docs.gitlab.com/api/project_webhooks/
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any

from git_exchange.errors import NotFound, UnexpectedAnswer
from git_exchange.forge.answers import number, text
from git_exchange.forge.gitlab.session import Session
from git_exchange.forge.ports import Delivery, Hook
from git_exchange.rules.hook_secrets import HookSecret
from git_exchange.rules.times import parse_iso

# GitLab makes a hook for pushes if nothing is said; every other event is off unless it is asked for.
SETTINGS: Mapping[str, object] = {
    "push_events": True,
    "push_events_branch_filter": "submit/*",
    "branch_filter_strategy": "wildcard",
    "tag_push_events": False,
    "enable_ssl_verification": True,
}
# More than this many deliveries in a page are refused.
PAGE = 20


def read(session: Session, path: str) -> list[Hook]:
    """Return the hooks of the project at ``path`` ("/projects/15")."""
    return session.all(f"{path}/hooks", _hook)


def ensure(session: Session, path: str, url: str, secret: HookSecret, instead_of: Collection[int]) -> Hook:
    """Return the one hook at ``url`` with this secret.

    GitLab makes a second hook of the same address without a word, and forgets the secret where the address changes:
    a hook is changed only where it has the address. One that GitLab disabled is made anew, which sends at once.
    """
    ours = [hook for hook in read(session, path) if hook.url == url or hook.id in instead_of]
    kept = next((hook for hook in ours if hook.url == url and hook.active), None)
    body = {"url": url, "token": secret.token, "signing_token": secret.signing_token, **SETTINGS}
    if kept is None:
        hook = session.post(f"{path}/hooks", body, _hook)
    else:
        hook = session.put(f"{path}/hooks/{kept.id}", body, _hook)
    if hook.url != url or not hook.narrow:
        raise UnexpectedAnswer(
            f"{session.url} did not set the webhook up as it was asked to.",
            hint="Run it again; if it stays, look at it in the project's settings on the forge.",
        )
    for other in ours:
        if other.id != hook.id:
            remove(session, path, other.id)
    return hook


def remove(session: Session, path: str, hook_id: int) -> None:
    """Remove the hook, if it is still there."""
    with suppress(NotFound):
        session.change("delete", f"{path}/hooks/{hook_id}")


def deliveries(session: Session, path: str, hook_id: int) -> list[Delivery]:
    """Return the newest deliveries. Raise NotFound, also where GitLab is older than 17.3."""

    def listed(raw: list[dict[str, Any]]) -> list[Delivery]:
        return [_delivery(one) for one in raw]

    return session.get(f"{path}/hooks/{hook_id}/events", listed, per_page=PAGE)


def _hook(raw: dict[str, Any]) -> Hook:
    until = raw.get("disabled_until")
    return Hook(
        id=number(raw["id"]),
        url=text(raw["url"]),
        active=raw.get("alert_status", "executable") == "executable",
        disabled_until=None if until is None else parse_iso(text(until)),
        # Where the server does not know signing tokens, it ignores that it was given one.
        signs=raw.get("signing_token_present") is True,
        # A server that does not know a setting does not answer it, and acts as if it had its default.
        narrow=all(raw.get(name, wanted) == wanted for name, wanted in SETTINGS.items()),
    )


def _delivery(raw: dict[str, Any]) -> Delivery:
    status = str(raw["response_status"])  # a number, or words
    return Delivery(_moment(raw), status, status.startswith(("2", "3")))


def _moment(raw: dict[str, Any]) -> datetime | None:
    """Return when it was sent: GitLab says it in the signed headers only; else the receiver's answer has a date."""
    for headers, name, understand in (
        ("request_headers", "webhook-timestamp", _from_seconds),
        ("response_headers", "date", parsedate_to_datetime),
    ):
        for key, value in (raw.get(headers) or {}).items():
            if key.lower() == name:
                with suppress(ValueError, TypeError, OverflowError):
                    return understand(value)
    return None


def _from_seconds(value: str) -> datetime:
    return datetime.fromtimestamp(int(value), timezone.utc)
