"""When an access token ends, as far as it can be known without asking the forge. Pure.

Nothing here is proof: a token without a known end may be dead, and clocks differ. The forge has the last word.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone

from git_exchange.rules import times

# A token counts as ended only this long after its end: this machine's clock may be ahead of the forge's.
CLOCKS_DIFFER = timedelta(seconds=60)


def of_sign_in(kept: Mapping[str, object]) -> datetime | None:
    """Return when the token of a sign-in ends, None if nothing tells.

    ``kept`` is what a hub keeps of it: ``access_token``, maybe ``expires_at``, and the OAuth answer in
    ``token_response`` with ``expires_at``, or ``expires_in`` counted from ``created_at`` (GitLab sends both).
    """
    answer = kept.get("token_response")
    told: Mapping[str, object] = answer if isinstance(answer, Mapping) else {}
    for value in (kept.get("expires_at"), told.get("expires_at")):
        if (moment := _moment(value)) is not None:
            return moment
    created, seconds = _moment(told.get("created_at")), told.get("expires_in")
    if created is not None and isinstance(seconds, int | float) and 0 < seconds < 10**9:
        return created + timedelta(seconds=seconds)
    token = kept.get("access_token")
    return of_token(token) if isinstance(token, str) else None


def of_token(value: str) -> datetime | None:
    """Return the end that stands in the token itself (a JSON Web Token, as Gitea and Forgejo give), else None.

    https://www.rfc-editor.org/rfc/rfc7519#section-4.1.4
    """
    parts = value.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return None
    return _moment(claims.get("exp")) if isinstance(claims, dict) else None


def has_ended(ends: datetime | None, now: datetime) -> bool:
    """Return whether a token that ends then is certainly of no use any more."""
    return ends is not None and now >= ends + CLOCKS_DIFFER


def _moment(value: object) -> datetime | None:
    """Return the time that a number of seconds since 1970 or an ISO text tells, None for anything else."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, timezone.utc)
        if isinstance(value, str):
            return times.parse_timestamp(value)
    except (ValueError, OverflowError, OSError):
        return None
    return None
