"""The access token of an LTI 1.3 tool: client credentials with a signed assertion.

Source: 1EdTech Security Framework 1.0, section 4.1.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import jwt
import requests

from git_exchange.errors import ConfigurationError, LmsError, LmsRefused, LmsUnreachable
from git_exchange.provisioning.lms.keys import ToolKey
from git_exchange.provisioning.lms.session import LmsSession, json_of
from git_exchange.secret import Token

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ROSTER_SCOPE = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
LINE_ITEM_SCOPE = "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem"
SCORE_SCOPE = "https://purl.imsglobal.org/spec/lti-ags/scope/score"
RESULT_SCOPE = "https://purl.imsglobal.org/spec/lti-ags/scope/result.readonly"
# Moodle tolerates no difference of clocks at all: 5 seconds ahead is a refusal.
BACKDATED = 60
LIFETIME = 300
RENEWED_BEFORE = 60.0


@dataclass(frozen=True)
class Platform:
    """What an LMS told us when it registered us as a tool. ``audience`` defaults to the token URL."""

    issuer: str
    client_id: str
    token_url: str
    audience: str = ""

    def __post_init__(self) -> None:
        for name in ("issuer", "client_id", "token_url"):
            if not getattr(self, name):
                raise ConfigurationError(f"The LTI configuration has no {name}.", hint="The LMS shows it.")


def assertion(platform: Platform, key: ToolKey, *, now: float) -> str:
    """Return the signed assertion with which we ask for a token; ``now`` in seconds since 1970."""
    claims: dict[str, Any] = {
        "iss": platform.client_id,
        "sub": platform.client_id,
        "aud": platform.audience or platform.token_url,  # one string: Brightspace fails on a list
        "iat": int(now) - BACKDATED,
        "exp": int(now) + LIFETIME,
        "jti": str(uuid.uuid4()),
    }
    return jwt.encode(claims, key.private, algorithm="RS256", headers={"kid": key.key_id})


class TokenSource:
    """Access tokens, kept in memory per set of scopes and renewed a minute before they end."""

    def __init__(
        self, platform: Platform, key: ToolKey, session: LmsSession, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._platform, self._key, self._session, self._clock = platform, key, session, clock
        self._kept: dict[frozenset[str], tuple[Token, float]] = {}

    def token(self, scopes: Iterable[str], *, renew: bool = False) -> Token:
        """Return a token for all of ``scopes``; with ``renew`` never a kept one. Raise LmsRefused, LmsUnreachable."""
        wanted = frozenset(scopes)
        kept = self._kept.get(wanted)
        if kept is not None and not renew and self._clock() < kept[1]:
            return kept[0]
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion(self._platform, self._key, now=self._clock()),
            "scope": " ".join(sorted(wanted)),
        }
        answer = self._session.send("POST", self._platform.token_url, headers={"Accept": "application/json"}, form=form)
        if answer.status_code != 200:
            raise _refusal(answer, self._platform)
        token, seconds = _granted(json_of(answer, "a token"), wanted, self._session.host)
        self._kept[wanted] = (token, self._clock() + seconds - RENEWED_BEFORE)
        return token


def _granted(said: object, wanted: frozenset[str], host: str) -> tuple[Token, float]:
    if not isinstance(said, Mapping) or not isinstance(said.get("access_token"), str):
        raise LmsError(f"{host} answered without an access token.")
    if str(said.get("token_type", "Bearer")).casefold() != "bearer":
        raise LmsError(f"{host} gave a token of the unknown type {str(said['token_type'])[:40]!r}.")
    # Not saying it means all of it (RFC 6749, 5.1); Open edX grants nothing with an empty text.
    granted = said.get("scope")
    missing = wanted - set(granted.split()) if isinstance(granted, str) else set()
    if missing:
        raise LmsRefused(
            f"{host} grants less than what is needed; missing: {', '.join(sorted(missing))}.",
            hint="Switch these services on in the tool's settings in the LMS.",
        )
    try:
        seconds = float(said.get("expires_in") or 3600)
        return Token(said["access_token"], host), seconds
    except (TypeError, ValueError) as error:
        raise LmsError(f"{host} answered with an unusable token.") from error


def _refusal(answer: requests.Response, platform: Platform) -> LmsError:
    text = answer.text[:2000]
    if answer.status_code >= 500:
        return LmsUnreachable(f"{platform.token_url} failed (HTTP {answer.status_code}).")
    said, hint = f"HTTP {answer.status_code}", "Compare client id, key and token URL with what the LMS shows."
    for sign, words, advice in _REASONS:
        if sign.casefold() in text.casefold():
            said, hint = words, advice
            break
    return LmsRefused(f"The LMS gives no access token ({said}).", hint=hint)


_CLOCK = "Set this machine's clock right."
_SETTINGS = "Compare client id and key with the tool's settings in the LMS."
# What platforms write in their refusals (Moodle 4.5, Canvas and Open edX), the most specific first: words, advice.
_REASONS = (
    ("invalid_scope", "the service is switched off for this tool", "Switch it on in the tool's settings in the LMS."),
    ("'aud' is invalid", "it does not accept the audience", "Set audience to exactly what the LMS documents."),
    ("Signature verification failed", "our key is not the one that it knows", "Give it ours: git-exchange lti keys."),
    ("No public key configured", "it has no key of ours", "Give it the public key: git-exchange lti keys."),
    ("Expired token", "it takes our request for expired", _CLOCK),
    ("Cannot handle token with", "our clock is ahead of its clock", _CLOCK),
    ("invalid_client", "it does not know the client id or the key", _SETTINGS),
    # Open edX, for a request that is expired, or from the future.
    ("unidentified_error", "it does not say why", f"{_CLOCK} If it is right: {_SETTINGS}"),
    (
        "<html",
        "token_url is not where it gives tokens, or it cannot read our JWKS",
        "Copy token_url again (on Open edX it belongs to one tool); publish the JWKS where the LMS can read it, or"
        " paste the key there.",
    ),
)
