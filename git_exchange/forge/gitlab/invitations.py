"""Invitations by e-mail: https://docs.gitlab.com/api/invitations/.

GitLab answers 201 whatever becomes of the addresses: the body tells. An address of an account is no invitation: the
account becomes a member at once, and who is one gets the level of the invitation, a lower one too.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from git_exchange.errors import NotFound
from git_exchange.forge.answers import number, text
from git_exchange.forge.gitlab import values
from git_exchange.forge.gitlab.session import Session
from git_exchange.forge.http import encoded
from git_exchange.rules.times import parse_iso

GUEST = 10
# More in one request are refused.
AT_ONCE = 100


@dataclass(frozen=True)
class _Own:
    """A membership of the project's own."""

    account_id: int
    level: int
    expires: str | None


def read(session: Session, path: str) -> dict[str, datetime]:
    """Return the addresses with an open invitation, in lower case, and since when. Raise Forbidden."""
    return dict(session.all(f"{path}/invitations", _invitation))


def send(session: Session, path: str, emails: Sequence[str]) -> dict[str, str]:
    """Invite the addresses as guests; return those that GitLab refuses, as they were given, and why."""
    before = session.all(f"{path}/members", _own)
    refused: dict[str, str] = {}
    try:
        for start in range(0, len(emails), AT_ONCE):
            part = emails[start : start + AT_ONCE]
            body = {"email": ",".join(part), "access_level": GUEST}
            said = session.post(f"{path}/invitations", body, _refused)
            told = {shown.casefold(): why for shown, why in said.items()}
            for email in part:
                if (why := told.get(email.casefold(), told.get(""))) is not None:
                    refused[email] = why
    finally:
        _put_back(session, path, before)
    return refused


def _put_back(session: Session, path: str, before: Sequence[_Own]) -> None:
    """Give members who have become guests the level and last day that they had."""
    now = {own.account_id: own for own in session.all(f"{path}/members", _own)} if before else {}
    for own in before:
        is_now = now.get(own.account_id, own)
        if is_now != own and is_now.level == GUEST:
            body = {"access_level": own.level, "expires_at": own.expires or ""}
            with suppress(NotFound):  # removed by somebody else meanwhile
                session.change("put", f"{path}/members/{encoded(own.account_id)}", body)


def _refused(raw: dict[str, Any]) -> dict[str, str]:
    """Return what is refused by address, or by "" if it is everything."""
    if raw["status"] == "success":
        return {}
    said = raw["message"]
    return {str(shown): text(why) for shown, why in said.items()} if isinstance(said, dict) else {"": text(said)}


def _invitation(raw: dict[str, Any]) -> tuple[str, datetime]:
    return text(raw["invite_email"]).lower(), parse_iso(text(raw["created_at"]))


def _own(raw: dict[str, Any]) -> _Own:
    return _Own(number(raw["id"]), values.level(raw), raw.get("expires_at"))
