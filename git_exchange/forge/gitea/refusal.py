"""What an answer of Gitea or Forgejo that is no success means, as one of our errors. Pure.

Their own words tell apart what shares a status: "already exist" comes with 400, 403, 409 or 422. A 404 also stands for
what is hidden from this account.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from git_exchange.errors import (
    Conflict,
    CredentialsError,
    Forbidden,
    ForgeError,
    ForgeUnreachable,
    NotFound,
    Throttled,
    TokenRefused,
    UnexpectedAnswer,
)
from git_exchange.forge.http import escaped, retry_after
from git_exchange.secret import Token


def error_of(
    status: int, body: bytes, headers: Mapping[str, str], what: str, url: str, token: Token
) -> ForgeError | CredentialsError:
    """Return the error that ``what`` ("GET /user") ended in."""
    if status == 429 or (status in (403, 503) and "Retry-After" in headers):
        # Neither Gitea nor Forgejo limits rates by itself: this is the proxy before it.
        return Throttled(f"{url} limits how often it may be asked ({status}).", retry_after=retry_after(headers))
    document = _document(body)
    said = escaped(_words(document), token)
    if status >= 500:
        return ForgeUnreachable(f"{url} answered {what} with an error of its own ({status}). {said}".strip())
    if 300 <= status < 400:
        return NotFound(f"{what}: it was renamed or moved.", hint="Look on the forge what it is called now.")
    if body and document is None:
        return UnexpectedAnswer(f"{url} answered {what} with a page instead of data ({status}).")
    if status == 401:
        return TokenRefused(f"{url} does not accept the {token}. {said}".strip())
    return _refusal(status, said, what, url, token)


def _refusal(status: int, said: str, what: str, url: str, token: Token) -> ForgeError:
    words = said.lower()
    taken = any(said_so in words for said_so in ("already exist", "used already", "already in use"))
    if status in (409, 412) or (status in (400, 403, 422) and taken):
        return Conflict(f"{url} refuses {what}: {said or 'it exists already, or changed meanwhile.'}")
    if status == 403 and "required scope" in words:
        needed = said.partition("required=")[2].partition("]")[0].strip("[ ")
        return Forbidden(
            f"{what}: the {token} may not be used for this.",
            hint=f"Make a token with one of the scopes: {needed or 'write:repository, read:user'}.",
        )
    if status in (403, 413, 423):
        # 413 is a quota, 423 an archived project.
        return Forbidden(f"{what}: this account may not do that on {url}. {said}".strip())
    if status == 404:
        return NotFound(f"{what}: not found on {url}, or hidden from this account.")
    if status in (400, 422):
        return UnexpectedAnswer(f"{url} refuses {what}: {said or status}", hint="The forge's rules do not allow it.")
    return UnexpectedAnswer(f"{url} answered {what} with {status}. {said}".strip())


def _document(body: bytes) -> object:
    try:
        return json.loads(body or b"null")
    except ValueError:
        return None


def _words(document: object) -> str:
    """Return what the forge says in an error: ``message``, and ``errors`` where that only names a function."""
    if not isinstance(document, dict):
        return "" if document is None else str(document)
    errors = document.get("errors")
    parts = [document.get("message"), *(errors if isinstance(errors, list) else [])]
    return "; ".join(str(part) for part in parts if part)
