"""Accounts and tokens, as a site administrator makes them."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from typing import Any

from git_exchange.errors import ConfigurationError, Conflict, Forbidden, NotFound, UnexpectedAnswer
from git_exchange.forge.answers import number, text
from git_exchange.forge.gitea import scopes, values
from git_exchange.forge.gitea.session import Session
from git_exchange.forge.http import encoded
from git_exchange.forge.ports import Account, SignInAs
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


def signed_in(session: Session, sign_in: SignInAs) -> Account | None:
    """Return the one account that signs in exactly so. Raise Forbidden without an administrator's token."""
    source = _source(sign_in)
    found = session.all("/admin/users", _with_identity, login_name=sign_in.identity, source_id=source)
    exact = [account for account, identity in found if identity == (source, sign_in.identity)]
    return exact[0] if len(exact) == 1 else None


def open_for(session: Session, username: str, *, name: str, email: str, sign_in: SignInAs | None) -> Account:
    """Create an account that its owner gets into: by the institution, else by the message that the server sends."""
    body: dict[str, object] = {"username": username, "full_name": name, "email": email, "visibility": "limited"}
    if sign_in is not None:
        body |= {"source_id": _source(sign_in), "login_name": sign_in.identity, "must_change_password": False}
    else:
        # Nobody learns this password: the message says how to set one.
        body |= {"password": _password(), "must_change_password": True, "send_notify": True}
    return session.post("/admin/users", body, values.account)


def _source(sign_in: SignInAs) -> int:
    if not sign_in.provider.isdecimal() or int(sign_in.provider) == 0:
        raise ConfigurationError(
            f"{sign_in.provider!r} is no authentication source.",
            hint="On Gitea and Forgejo give its number, as Site Administration, Authentication Sources shows it.",
        )
    return int(sign_in.provider)


def _with_identity(raw: dict[str, Any]) -> tuple[Account, tuple[int, str]]:
    return values.account(raw), (number(raw["source_id"]), text(raw["login_name"]))


def _password() -> str:
    return f"{secrets.token_urlsafe(24)}-aA1"


def _found(answer: Any) -> list[Account]:
    return [values.account(user) for user in answer["data"]]


class Accounts:
    """Makes accounts, and tokens for those that it made: only their passwords open the door to tokens."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._passwords: dict[int, str] = {}

    def create(self, username: str, *, name: str, email: str) -> Account:
        """Create a confirmed account with a random password. Raise Conflict, Forbidden."""
        password = _password()
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
