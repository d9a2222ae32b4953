"""What an answer of GitLab that is no success means, as one of our errors. Pure.

https://docs.gitlab.com/api/rest/troubleshooting/ and https://docs.gitlab.com/security/rate_limits/
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
    status: int | None, body: bytes | None, headers: Mapping[str, str], what: str, url: str, token: Token
) -> ForgeError | CredentialsError:
    """Return the error that ``what`` ("GET /user") ended in. ``body`` is None if it is not known."""
    document = _document(body)
    plain = headers.get("Content-Type", "").startswith("text/plain")
    if status == 429 or (status == 403 and (plain or "Retry-After" in headers)):
        # Rack::Attack answers in plain text: 429 "Retry later", and 403 to an address with many failed sign-ins.
        return Throttled(f"{url} limits how often it may be asked ({status}).", retry_after=retry_after(headers))
    said = escaped(_words(document), token)
    if status is not None and status >= 500:
        return ForgeUnreachable(f"{url} answered {what} with an error of its own ({status}). {said}".strip())
    if body and document is None:
        return UnexpectedAnswer(f"{url} answered {what} with a page instead of data ({status}).")
    if status == 401:
        return TokenRefused(f"{url} does not accept the {token}. {said}".strip())
    return _refusal(status, document, said, what, url, token)


def _refusal(status: int | None, document: object, said: str, what: str, url: str, token: Token) -> ForgeError:
    if status == 403:
        return _forbidden(document, said, what, url, token)
    if status == 404:
        return NotFound(f"{what}: not found on {url}, or hidden from this account.")
    invalid = status in (400, 422)
    if invalid and "namespace is not valid" in said:
        # What GitLab says to whoever may not create projects in the group.
        return Forbidden(f"{what}: this account may not create that there.")
    taken = any(words in said.lower() for words in ("already been taken", "already exists"))
    if status in (409, 412) or (invalid and taken):
        return Conflict(f"{url} refuses {what}: {said or 'it exists already, or changed meanwhile.'}")
    if invalid:
        return UnexpectedAnswer(f"{url} refuses {what}: {said or status}", hint="The forge's rules do not allow it.")
    return UnexpectedAnswer(f"{url} answered {what} with {status or 'no status'}. {said}".strip())


def _forbidden(document: object, said: str, what: str, url: str, token: Token) -> Forbidden:
    if isinstance(document, dict) and document.get("error") == "insufficient_scope":
        scopes = escaped(str(document.get("scope", "")), token) or "api"
        return Forbidden(
            f"{what}: the {token} may not be used for this.", hint=f"Make a token with one of the scopes: {scopes}."
        )
    return Forbidden(f"{what}: this account may not do that on {url}. {said}".strip())


def _document(body: bytes | None) -> object:
    try:
        return json.loads(body or b"null")
    except ValueError:
        return None


def _words(document: object) -> str:
    """Return what GitLab says in an error: ``message`` or ``error`` as text, list, or a mapping of fields to lists."""
    if isinstance(document, dict):
        told = [document[key] for key in ("message", "error", "error_description") if document.get(key)]
        parts = told or [f"{key} {_words(value)}" for key, value in document.items()]
        return "; ".join(part if isinstance(part, str) else _words(part) for part in parts)
    if isinstance(document, list):
        return ", ".join(_words(item) for item in document)
    return "" if document is None else str(document)
