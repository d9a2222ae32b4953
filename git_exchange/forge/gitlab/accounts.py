"""Accounts and tokens, as a site administrator makes them, and how to find an account.

https://docs.gitlab.com/api/users/
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

from git_exchange.errors import Forbidden
from git_exchange.forge.answers import text
from git_exchange.forge.gitlab import values
from git_exchange.forge.gitlab.session import Session
from git_exchange.forge.http import encoded
from git_exchange.forge.ports import Account, SignInAs
from git_exchange.secret import Token


def find(session: Session, username: str) -> Account | None:
    """Return the account of this user name, None if there is none."""
    found = session.all("/users", values.account, username=username)
    return next((account for account in found if account.username.lower() == username.lower()), None)


def signed_in(session: Session, sign_in: SignInAs) -> Account | None:
    """Return the one account that signs in exactly so. Raise Forbidden without an administrator's token."""
    query = {"extern_uid": sign_in.identity, "provider": sign_in.provider}
    found = session.all("/users", _with_identities, **query)
    # GitLab ignores the case of the external id, which is none of an exact match.
    exact = [account for account, identities in found if (sign_in.provider, sign_in.identity) in identities]
    return exact[0] if len(exact) == 1 else None


def create(session: Session, username: str, *, name: str, email: str) -> Account:
    """Create a confirmed account with a random password. Raise Conflict, Forbidden."""
    return _create(session, username, name, email, {"force_random_password": True})


def open_for(session: Session, username: str, *, name: str, email: str, sign_in: SignInAs | None) -> Account:
    """Create an account that its owner gets into: by the institution, else by a link that GitLab sends."""
    if sign_in is None:
        return _create(session, username, name, email, {"reset_password": True})
    way = {"force_random_password": True, "provider": sign_in.provider, "extern_uid": sign_in.identity}
    return _create(session, username, name, email, way)


def create_token(session: Session, account: Account, *, name: str, scopes: Collection[str], expires: date) -> Token:
    """Create an impersonation token, which works like a personal one. Raise Forbidden."""
    return session.post(
        f"/users/{encoded(account.id)}/impersonation_tokens",
        {"name": name, "scopes": sorted(scopes), "expires_at": expires.isoformat()},
        lambda raw: Token(text(raw["token"]), f"{session.url}, made for {account.username}"),
    )


def _create(session: Session, username: str, name: str, email: str, way: dict[str, object]) -> Account:
    body = {"username": username, "name": name, "email": email, "skip_confirmation": True, **way}
    return session.post("/users", body, values.account)


def _with_identities(raw: dict[str, Any]) -> tuple[Account, frozenset[tuple[str, str]]]:
    if "identities" not in raw:
        raise Forbidden("GET /users: only a site administrator sees by what people sign in.")
    return values.account(raw), frozenset((text(one["provider"]), text(one["extern_uid"])) for one in raw["identities"])
