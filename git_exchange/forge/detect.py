"""Which kind of forge answers at an address. Asks without a token, so that a wrong address gets none."""

from __future__ import annotations

import requests

from git_exchange.errors import ForgeUnreachable, UnexpectedAnswer
from git_exchange.forge.http import BoundSession, ForeignOrigin, origin
from git_exchange.settings import Settings

# Where each kind tells its version. Whoever wants a sign-in for that says so in JSON; the other kind has no such page.
_VERSION_OF = {"gitea": "/api/v1/version", "gitlab": "/api/v4/version"}
_THERE = (200, 401, 403)


def detect(settings: Settings) -> str:
    """Return the kind of the forge at ``settings.url``, whatever ``settings.kind`` says.

    Raise ForgeUnreachable, and UnexpectedAnswer if it is none that is known.
    """
    with BoundSession(origin(settings.url)) as http:
        http.verify = str(settings.ca_bundle) if settings.ca_bundle is not None else True
        for kind, path in _VERSION_OF.items():
            if _tells(http, settings, path):
                return kind
    raise UnexpectedAnswer(
        f"{settings.url} is of no known kind: neither GitLab nor Gitea nor Forgejo.",
        hint="Check that the URL is the forge itself, and set the kind if its API wants a sign-in of another sort.",
    )


def _tells(http: BoundSession, settings: Settings, path: str) -> bool:
    try:
        answer = http.get(
            f"{settings.url}{path}",
            timeout=settings.limits.http_timeout,
            headers={"Accept": "application/json"},
            auth=_without_a_sign_in,
        )
    except (ForeignOrigin, requests.TooManyRedirects) as error:
        raise UnexpectedAnswer(
            f"{settings.url} redirects GET {path} to another server.",
            hint="If that is the forge, set the URL to it; if it is a login page, the API needs an exception.",
        ) from error
    except requests.RequestException as error:
        raise ForgeUnreachable(f"{settings.url} cannot be reached, or broke off ({type(error).__name__}).") from error
    if answer.status_code >= 500:
        raise ForgeUnreachable(f"{settings.url} answered GET {path} with an error of its own ({answer.status_code}).")
    try:
        document = answer.json() if answer.status_code in _THERE else None
    except requests.JSONDecodeError:
        return False
    return isinstance(document, dict) and ("version" in document or "message" in document)


def _without_a_sign_in(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Leave the request as it is; without this, requests would sign in by what ``.netrc`` says."""
    return request
