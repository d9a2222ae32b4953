"""HTTP to an LMS: one origin per session, a timeout on every call, bounded repeats, bounded answers.

Credentials go to the configured origin only: redirects and links to another one are refused, and so is plain HTTP to
another machine.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

from git_exchange.errors import LmsError, LmsUnreachable
from git_exchange.forge.http import BoundSession, ForeignOrigin, origin, retry_after
from git_exchange.provisioning.lms.urls import check_url

TIMEOUT = 60.0  # a class of 2,000 in one answer takes Moodle some seconds
TRIES = 5
LONGEST_WAIT = 30.0
MAX_ANSWER = 50_000_000


class LmsSession:
    """A connection to one origin. ``wait`` sleeps; tests give another one. Not for several threads."""

    def __init__(self, base: str, *, ca_bundle: Path | None = None, wait: Callable[[float], None] = time.sleep) -> None:
        check_url(base)
        self.origin = origin(base)
        self.host = urlsplit(base).hostname or ""
        self._http = BoundSession(self.origin)
        self._http.trust_env = True
        if ca_bundle is not None:
            self._http.verify = str(ca_bundle)
        self._wait = wait

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        body: bytes | None = None,
        repeat: bool = True,
    ) -> requests.Response:
        """Return the answer whatever its status, but for those that ask to come again: these are repeated, bounded.

        ``repeat=False`` is for requests that must not be processed twice: only a throttled one is sent again. Raise
        LmsUnreachable, LmsError.
        """
        for last in (*([False] * (TRIES - 1)), True):
            try:
                answer = self._once(method, url, headers or {}, form if form is not None else body)
            except ForeignOrigin as error:
                raise LmsError(
                    f"{self.host} redirected to another server, which does not get the credentials.",
                    hint="Write the address that the LMS really has into the configuration.",
                ) from error
            except requests.exceptions.SSLError as error:
                raise LmsUnreachable(
                    f"The certificate of {self.host} is not trusted.",
                    hint="Name the certificate authority's PEM file as ca_bundle, or have the certificate renewed.",
                ) from error
            except (requests.RequestException, OSError) as error:
                if last or not repeat:
                    raise LmsUnreachable(f"{self.host} did not answer ({type(error).__name__}).") from error
                self._wait(1.0)
                continue
            if not _busy(answer):
                return answer
            asked = retry_after(answer.headers)
            if last or not (repeat or _throttled(answer)) or (asked is not None and asked > LONGEST_WAIT):
                raise LmsUnreachable(_says_busy(self.host, answer, asked))
            self._wait(asked if asked is not None else 2.0)
        raise AssertionError("unreachable")

    def _once(
        self, method: str, url: str, headers: Mapping[str, str], data: Mapping[str, str] | bytes | None
    ) -> requests.Response:
        answer = self._http.request(method, url, headers=dict(headers), data=data, timeout=TIMEOUT, stream=True)
        with answer:
            content = bytearray()
            for chunk in answer.iter_content(1 << 16):
                content += chunk
                if len(content) > MAX_ANSWER:
                    raise LmsError(f"{self.host} sent more than {MAX_ANSWER // 1_000_000} MB.")
        answer._content = bytes(content)  # what requests itself sets when it reads an answer without a limit
        return answer


def json_of(answer: requests.Response, what: str) -> Any:
    """Return the JSON of an answer, whatever content type it claims (Moodle's token is "text/html").

    Raise LmsError that names ``what`` was asked for.
    """
    try:
        return json.loads(answer.content)
    except ValueError as error:
        host = urlsplit(answer.url).hostname
        raise LmsError(
            f"{host} answered the request for {what} with something that is not JSON (HTTP {answer.status_code}).",
            hint="Check the address in the configuration: it may be a page for people.",
        ) from error


def next_page(answer: requests.Response, seen: set[str]) -> str | None:
    """Return the address of the next page as the LMS wrote it, None on the last one; ``seen`` collects them.

    Raise LmsError for a link to another origin (it would get the token) or to a page that was read already.
    """
    link = answer.links.get("next", {}).get("url")
    if not link:
        return None
    address = urljoin(answer.url, link)
    host = urlsplit(answer.url).hostname
    if origin(address) != origin(answer.url):
        raise LmsError(
            f"{host} names another server as the next page ({urlsplit(address).hostname}).",
            hint="Nothing was changed. The LMS's own address may be misconfigured (behind a proxy, say).",
        )
    seen.add(answer.url)
    if address in seen:
        raise LmsError(f"{host} names a page as the next one that was read already: the list has no end.")
    return address


def _busy(answer: requests.Response) -> bool:
    return _throttled(answer) or answer.status_code in (502, 503, 504)


def _throttled(answer: requests.Response) -> bool:
    # Canvas throttles with 403 in older versions, told apart from "not allowed" by this text alone.
    return answer.status_code == 429 or (answer.status_code == 403 and b"Rate Limit Exceeded" in answer.content)


def _says_busy(host: str, answer: requests.Response, asked: float | None) -> str:
    if answer.status_code in (403, 429):
        return f"{host} takes no more requests at the moment."
    until = f"; it asks to wait {asked:.0f} seconds" if asked is not None else ""
    return f"{host} is not available (HTTP {answer.status_code}){until}."
