"""The forge's token from JupyterHub: what its sign-in gave, which the hub keeps and renews.

Inside a server that a hub has started, the hub is asked when a token is needed. The answer is kept in memory for less
than a minute, so that a token that the hub has renewed meanwhile is soon in use. Nothing is raised: without the hub's
token the next source is asked, and ``Answer.reason`` says why for whoever finds none.

https://jupyterhub.readthedocs.io/en/stable/reference/rest-api.html
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from urllib.parse import quote

import requests

from git_exchange.rules import expiry
from git_exchange.secret import Token

SOURCE = "the hub"
VARIABLES = ("JUPYTERHUB_API_URL", "JUPYTERHUB_API_TOKEN", "JUPYTERHUB_USER")
# For hubs where people sign in with something else than the forge, which must not get that token.
SWITCH = "GIT_EXCHANGE_ASK_HUB"
SIGN_IN_AGAIN = "Sign out of the hub and in again."
RESTART = (
    "Restart your server (Hub Control Panel), which brings a new token where the hub hands one over at the start. If"
    " that does not help, who runs the hub has to give the role `server` the scope admin:auth_state!user."
)
RENEWED_SOON = "The hub renews it: try again in a few minutes. If that does not help, sign out of the hub and in again."

# How long an answer is kept: one with a token, one without, and one whose token the forge has refused.
KEEP_SECONDS = 45.0
KEEP_FAILURE_SECONDS = 5.0
KEEP_REFUSED_SECONDS = 1.0
TIMEOUT = (3.0, 10.0)  # to connect; to answer, for which the hub may have to renew the token


@dataclass(frozen=True)
class Answer:
    """What the hub gave: a token, or the reason why there is none and what can be done about it."""

    token: Token | None
    reason: str = ""
    hint: str = ""
    ends: datetime | None = None


@dataclass(frozen=True)
class _Kept:
    at: float
    answer: Answer


_kept: dict[str, _Kept] = {}
_lock = threading.Lock()


def is_there(environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether this process belongs to a person's server of a hub. A service of a hub is nobody's."""
    return all(environment.get(name) for name in VARIABLES) and not environment.get("JUPYTERHUB_SERVICE_NAME")


def is_asked(environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether tokens come from the hub here."""
    return is_there(environment) and environment.get(SWITCH) != "no"


def ask(refused: Token | None = None, environment: Mapping[str, str] = os.environ) -> Answer:
    """Return the hub's answer, the kept one if it is young. With ``refused``, one in which that token is kept is old.

    Where the hub is not asked the answer has neither token nor reason.
    """
    if not is_asked(environment):
        return Answer(None)
    url, secret, user = (environment[name] for name in VARIABLES)
    key = hashlib.sha256("\0".join((url, secret, user)).encode()).hexdigest()
    with _lock:  # whoever comes meanwhile waits for the same answer
        kept = _kept.get(key)
        if kept is not None and time.monotonic() - kept.at < _lasts(kept.answer, refused):
            return kept.answer
        answer = _asked(url, secret, user, environment)
        _kept.clear()
        _kept[key] = _Kept(time.monotonic(), answer)
        return answer


def may_list_services(environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether this server's token may see which services the hub has; False outside a hub's server.

    https://jupyterhub.readthedocs.io/en/stable/rbac/scopes.html
    """
    if not is_there(environment):
        return False
    url, secret, _ = (environment[name] for name in VARIABLES)
    try:
        answer = _get(f"{url.rstrip('/')}/user", secret, environment)
        scopes = answer.json()["scopes"] if answer.status_code == 200 else ()
        return any(str(scope).partition("!")[0] == "list:services" for scope in scopes)
    except (requests.RequestException, KeyError, TypeError):
        return False


def forget() -> None:
    """Forget what the hub said."""
    with _lock:
        _kept.clear()


def _lasts(answer: Answer, refused: Token | None) -> float:
    if answer.token is None:
        return KEEP_FAILURE_SECONDS
    return KEEP_REFUSED_SECONDS if refused is not None and answer.token.value == refused.value else KEEP_SECONDS


def _asked(url: str, secret: str, user: str, environment: Mapping[str, str]) -> Answer:
    # The model of one's own at /user has no auth_state, this one has.
    try:
        answer = _get(f"{url.rstrip('/')}/users/{quote(user, safe='')}", secret, environment)
    except requests.RequestException as error:
        return Answer(None, f"The hub does not answer ({type(error).__name__}).", "Try again in a moment.")
    return _understood(answer)


def _get(where: str, secret: str, environment: Mapping[str, str]) -> requests.Response:
    certificate = (environment.get("JUPYTERHUB_SSL_CERTFILE"), environment.get("JUPYTERHUB_SSL_KEYFILE"))
    with requests.Session() as http:
        http.trust_env = False  # neither a proxy nor ~/.netrc stands between a server and its hub
        return http.get(
            where,
            headers={"Authorization": f"Bearer {secret}", "Accept": "application/json"},
            timeout=TIMEOUT,
            allow_redirects=False,
            verify=environment.get("JUPYTERHUB_SSL_CLIENT_CA") or True,
            cert=certificate if all(certificate) else None,  # type: ignore[arg-type]  # both are there
        )


def _understood(answer: requests.Response) -> Answer:
    if answer.status_code in (401, 403, 404):
        return Answer(
            None,
            f"The hub does not let this server ask for its owner's sign-in ({answer.status_code}).",
            f"{SIGN_IN_AGAIN} If that does not help, restart your server.",
        )
    if answer.status_code != 200:
        return Answer(None, f"The hub answered with an error ({answer.status_code}).", "Try again in a moment.")
    try:
        model = answer.json()
    except requests.JSONDecodeError:
        model = None
    if not isinstance(model, dict):
        return Answer(None, "The hub answered with a page instead of data.", "Tell who runs the hub.")
    if "auth_state" not in model:
        return Answer(None, "The hub does not show this server its owner's sign-in.", RESTART)
    return _token_in(model["auth_state"])


def _token_in(kept: object) -> Answer:
    value = kept.get("access_token") if isinstance(kept, dict) else None
    if not isinstance(kept, dict) or not isinstance(value, str) or not value:
        return Answer(
            None,
            "The hub keeps no token of your sign-in.",
            f"{SIGN_IN_AGAIN} If that does not help, who runs the hub has to enable auth_state.",
        )
    ends = expiry.of_sign_in(kept)
    if expiry.has_ended(ends, datetime.now(timezone.utc)):
        return Answer(None, f"The token that the hub keeps ended at {ends:%Y-%m-%d %H:%M} UTC.", RENEWED_SOON)
    try:
        return Answer(Token(value, SOURCE), ends=ends)
    except ValueError:
        return Answer(None, "What the hub keeps of your sign-in is no token of a forge.", "Tell who runs the hub.")
