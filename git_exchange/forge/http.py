"""HTTP to a forge, as far as it is the same for every kind: one origin, clocks, waits, and texts from foreign servers.

Nothing here knows a vendor's API or sends anything by itself: the adapters' sessions do.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlsplit

import requests

from git_exchange.errors import ForgeUnreachable, Throttled
from git_exchange.secret import Token

# A read is tried three times; one wait is never longer than this, and a server that asks for more gets an error.
RETRIES = 2
LONGEST_WAIT = 10.0


class ForeignOrigin(requests.RequestException):
    """The server redirected to another origin, which must not get the token."""


class BoundSession(requests.Session):
    """A session that talks to one origin only and remembers its last answer."""

    def __init__(self, origin: str) -> None:
        super().__init__()
        self._origin = origin
        self.answer: requests.Response | None = None

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send it, and each hop of a redirect, if it goes to the origin."""
        target = origin(request.url or "")
        if target != self._origin:
            raise ForeignOrigin(target)
        self.answer = None
        self.answer = super().send(request, **kwargs)
        return self.answer

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        """Keep our own header on a redirect; requests would put in what ``.netrc`` says."""


def origin(url: str) -> str:
    """Return scheme, host and port of a URL, the port always written."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}:{parts.port or {'http': 80, 'https': 443}.get(parts.scheme, 0)}"


def encoded(part: object) -> str:
    """Return a number or name as one component of a path: "group/project" becomes "group%2Fproject"."""
    return quote(str(part), safe="")


def date_of(headers: Mapping[str, str]) -> datetime | None:
    """Return when the server answered by its own clock (whole seconds), None if it does not say."""
    try:
        return parsedate_to_datetime(headers["Date"]).astimezone(timezone.utc)
    except (KeyError, ValueError, TypeError):
        return None


def clock_ahead(before: datetime, there: datetime, after: datetime) -> float:
    """Return by how many seconds the server's clock is ahead: it said ``there`` between ``before`` and ``after``."""
    here = before + (after - before) / 2
    # The header has whole seconds: on average the clock was half a second further.
    return (there + timedelta(seconds=0.5) - here).total_seconds()


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return how many seconds the server asks to wait, None if it does not say."""
    for name, base in (("Retry-After", 0.0), ("RateLimit-Reset", time.time())):
        try:
            seconds = float(headers[name]) - base
        except (KeyError, ValueError):
            continue
        if math.isfinite(seconds):
            return max(0.0, seconds)
    return None


def wait_before(error: ForgeUnreachable | Throttled, answer: object, harmless: bool, tried: int) -> float | None:
    """Return how long to wait before the next try, None to give up. Pure but for reading the answer's headers."""
    refused = isinstance(error, Throttled)
    if tried >= RETRIES or isinstance(error.__cause__, (requests.Timeout, requests.exceptions.SSLError)):
        return None
    status = answer.status_code if isinstance(answer, requests.Response) else None
    # A throttled request was not processed, so repeating it is harmless; a banned address must not insist.
    if status == 403 or not (harmless or refused):
        return None
    asked = retry_after(answer.headers) if isinstance(answer, requests.Response) else None
    wait = asked if asked is not None else 0.5 * 2**tried
    return wait if wait <= LONGEST_WAIT else None


def escaped(text: str, token: Token) -> str:
    """Return at most 300 printable characters of what a server said, without the token."""
    shown = "".join(c if c.isprintable() else " " for c in text.replace(token.value, "[token]"))
    return shown[:300]


def written(query: Mapping[str, object]) -> dict[str, str]:
    """Return a query as forges read it: booleans in lower case, nothing for None."""
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in query.items()
        if value is not None
    }
