"""What we say of commits: https://docs.gitlab.com/api/commits/#set-commit-pipeline-status.

A project whose CI is switched off may refuse it (403).
"""

from __future__ import annotations

from git_exchange.forge.answers import text
from git_exchange.forge.gitlab.session import Session
from git_exchange.forge.http import encoded
from git_exchange.forge.ports import RECEIVED


def note_received(session: Session, project: str, commit: str, description: str, url: str) -> bool:
    """Say once of the commit that it was received; ``project`` is a path of the API. Raise Forbidden, NotFound."""
    there = session.all(
        f"{project}/repository/commits/{encoded(commit)}/statuses", lambda raw: text(raw["name"]), name=RECEIVED
    )
    if RECEIVED in there:
        return False
    # A second one of the same state would be refused, so this is only asked for once.
    session.change(
        "post",
        f"{project}/statuses/{encoded(commit)}",
        {"state": "success", "name": RECEIVED, "description": description, "target_url": url},
    )
    return True
