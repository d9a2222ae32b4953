"""What we say of commits: ``/repos/{owner}/{repo}/statuses/{sha}``. Every status is kept, the newest one is shown."""

from __future__ import annotations

from git_exchange.forge.answers import text
from git_exchange.forge.gitea.session import Session
from git_exchange.forge.http import encoded
from git_exchange.forge.ports import RECEIVED


def note_received(session: Session, project: str, commit: str, description: str, url: str) -> bool:
    """Say once of the commit that it was received; ``project`` is a path of the API. Raise Forbidden, NotFound."""
    there = session.all(f"{project}/commits/{encoded(commit)}/statuses", lambda raw: text(raw["context"]))
    if RECEIVED in there:
        return False
    session.change(
        "post",
        f"{project}/statuses/{encoded(commit)}",
        {"state": "success", "context": RECEIVED, "description": description, "target_url": url},
    )
    return True
