"""Accounts and tokens, as a site administrator makes them."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from typing import Any

from git_exchange.errors import Conflict, Forbidden, NotFound, UnexpectedAnswer
from git_exchange.forge.answers import text
from git_exchange.forge.gitea import scopes, values
from git_exchange.forge.gitea.session import Session
from git_exchange.forge.http import encoded
from git_exchange.forge.ports import Account
from git_exchange.secret import Token


def find(session: Session, username: str) -> Account | None:
    """Return the account of exactly this user name; None also for who only had it once."""
    try:
        found = session.get(f"/users/{encoded(username)}", values.account)
    except NotFound:
        return None
    return found if found.username.lower() == username.lower() else None


def by_id(session: Session, number: int) -> Account | None:
    """Return the account of this number; None if there is none, or this account cannot see it."""
    # The only look-up by number that is open to all; it answers {"ok": true, "data": [...]}.
    found = session.get("/users/search", _found, uid=number)
    return next((account for account in found if account.id == number), None)


def _found(answer: Any) -> list[Account]:
    return [values.account(user) for user in answer["data"]]


class Accounts:
    """Makes accounts, and tokens for those that it made: only their passwords open the door to tokens."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._passwords: dict[int, str] = {}

    def create(self, username: str, *, name: str, email: str) -> Account:
        """Create a confirmed account with a random password. Raise Conflict, Forbidden."""
        password = f"{secrets.token_urlsafe(24)}-aA1"
        body = {
            "username": username,
            "full_name": name,
            "email": email,
            "password": password,
            "must_change_password": False,  # an account that has to can use neither API nor git
            "send_notify": False,
            # Pushes of private accounts are hidden from the staff.
            "visibility": "limited",
        }
        made = self._session.post("/admin/users", body, values.account)
        self._passwords[made.id] = password
        return made

    def create_token(self, account: Account, *, name: str, words: Collection[str]) -> Token:
        """Create a token of the account. Raise Forbidden if neither its password is known nor the server helps."""
        body: dict[str, object] = {"name": name, "scopes": sorted(scopes.native(words))}
        try:
            return self._create(account, body)
        except Conflict:
            # Names of tokens are unique here.
            return self._create(account, {**body, "name": f"{name} {secrets.token_hex(4)}"})

    def _create(self, account: Account, body: dict[str, object]) -> Token:
        password = self._passwords.get(account.id)
        user = encoded(account.username)
        if password is not None:
            path = f"/users/{user}/tokens"
            answer = self._session.answer("post", path, body=body, password=(account.username, password))
        else:
            path = f"/admin/users/{user}/tokens"  # Forgejo 16 or later
            try:
                answer = self._session.answer("post", path, body=body)
            except (NotFound, UnexpectedAnswer) as error:
                raise Forbidden(
                    f"{self._session.url} makes a token for {account.username} only with the account's password.",
                    hint="Sign in as that account and make the token in its settings.",
                ) from error
        return self._session.understood(lambda raw: self._token(raw, account), answer.document, path)

    def _token(self, raw: dict[str, Any], account: Account) -> Token:
        return Token(text(raw["sha1"]), f"{self._session.url}, made for {account.username}")
