"""Who a request comes from: tokens of the API, Basic credentials of git."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from git_exchange.devserver.api.answers import ApiError, forbidden, message, unauthorized
from git_exchange.devserver.clock import Clock
from git_exchange.devserver.store import Store
from git_exchange.devserver.values import AccessToken, User
from git_exchange.devserver.viewer import Viewer


def api_viewer(store: Store, clock: Clock, headers: Mapping[str, str], query_token: str | None) -> Viewer:
    """Return who asks the API; nobody if no token is given. Raise 401 for a wrong one, 403 for a blocked account."""
    secret = headers.get("PRIVATE-TOKEN") or query_token
    bearer = headers.get("Authorization", "")
    if not secret and bearer.lower().startswith("bearer "):
        secret = bearer[7:].strip()
    if not secret:
        return Viewer(store, None, None)
    token = store.accounts.find_token(secret)
    if token is None:
        raise unauthorized()
    if token.revoked:
        raise _invalid("Token was revoked. You have to re-authorize from the user.")
    if is_expired(token, clock):
        raise _invalid("Token is expired. You can either do re-authorization or token refresh.")
    user = store.accounts.get(token.user_id)
    if user.state != "active":
        raise message(403, "403 Forbidden - Your account has been blocked.")
    store.accounts.used(token)
    return Viewer(store, user, token)


def check_scope(viewer: Viewer, method: str, scopes: frozenset[str]) -> None:
    """Let a request on if the token's scopes suffice; ``scopes`` suffice besides api and, for reading, read_api."""
    if viewer.token is None:
        return
    allowed = {"api"} | ({"read_api", *scopes} if method in ("GET", "HEAD") else set())
    if "self_rotate" in scopes:
        allowed |= scopes
    if not allowed & set(viewer.token.scopes):
        raise ApiError(
            403,
            {
                "error": "insufficient_scope",
                "error_description": "The request requires higher privileges than provided by the access token.",
                "scope": " ".join(sorted(allowed & {"api", "read_api"})),
            },
        )


def git_user(store: Store, clock: Clock, header: str | None) -> tuple[User, AccessToken] | None:
    """Return who git's Basic credentials belong to, None if missing or wrong. The user name does not matter."""
    if header is None or not header.lower().startswith("basic "):
        return None
    try:
        name, _, secret = base64.b64decode(header[6:].strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    token = store.accounts.find_token(secret) if name and secret else None
    if token is None or token.revoked or is_expired(token, clock):
        return None
    user = store.accounts.get(token.user_id)
    if user.state != "active":
        return None
    store.accounts.used(token)
    return user, token


def is_expired(token: AccessToken, clock: Clock) -> bool:
    """Return whether the day has come on which the token ends."""
    return token.expires_at is not None and token.expires_at <= clock.now().date()


def require_admin(viewer: Viewer) -> None:
    """Let only a signed-in administrator on."""
    if viewer.user is None:
        raise unauthorized()
    if not viewer.is_admin:
        raise forbidden()


def _invalid(description: str) -> ApiError:
    return ApiError(401, {"error": "invalid_token", "error_description": description})
