"""Webhooks of a project. What became of what was sent is only on the server's pages.

A hook's secret is taken when it is made, and ignored when it is changed. (routers/api/v1/utils/hook.go)
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from typing import Any

from git_exchange.errors import NotFound, UnexpectedAnswer
from git_exchange.forge.answers import number, text
from git_exchange.forge.gitea.session import Session
from git_exchange.forge.ports import Hook
from git_exchange.rules.hook_secrets import HookSecret

# In this pattern a star goes over slashes, too. Tags pass in any case.
FILTER = "submit/**"


def read(session: Session, path: str) -> list[Hook]:
    """Return the hooks of the project at ``path`` ("/repos/owner/name")."""
    return session.all(f"{path}/hooks", _hook)


def ensure(session: Session, path: str, url: str, secret: HookSecret, instead_of: Collection[int]) -> Hook:
    """Return a new hook at ``url`` with this secret; the older ones go after it is there."""
    ours = [hook for hook in read(session, path) if hook.url == url or hook.id in instead_of]
    body = {
        "type": "gitea",  # Forgejo takes this, too
        "config": {"url": url, "content_type": "json", "secret": secret.token},
        "events": ["push"],
        "branch_filter": FILTER,
        "active": True,  # not so by default
    }
    hook = session.post(f"{path}/hooks", body, _hook)
    if hook.url != url or not hook.narrow or not hook.active:
        raise UnexpectedAnswer(
            f"{session.url} did not set the webhook up as it was asked to.",
            hint="Run it again; if it stays, look at it in the project's settings on the forge.",
        )
    for other in ours:
        remove(session, path, other.id)
    return hook


def remove(session: Session, path: str, hook_id: int) -> None:
    """Remove the hook, if it is still there."""
    with suppress(NotFound):
        session.change("delete", f"{path}/hooks/{hook_id}")


def _hook(raw: dict[str, Any]) -> Hook:
    config = raw["config"]
    return Hook(
        id=number(raw["id"]),
        url=text(config["url"]),
        active=raw["active"] is True,
        disabled_until=None,  # people switch hooks off; the server never does
        signs=True,  # by the secret; nothing is said of a hook that has none
        narrow=config.get("content_type") == "json"
        and raw.get("events") == ["push"]
        and raw.get("branch_filter") == FILTER,
    )
