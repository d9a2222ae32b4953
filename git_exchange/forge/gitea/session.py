"""HTTP to one Gitea or Forgejo: a session for each thread, time-outs, repeats, paging, translation of every error.

The only module here that knows requests. The token goes to the configured origin and nowhere else: every URL is built
from the settings, pages are counted instead of following links, and only reads follow redirects (renamed users and
projects answer 307), within the origin.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

import requests

from git_exchange import __version__
from git_exchange.errors import ForgeUnreachable, NotFound, Throttled, UnexpectedAnswer
from git_exchange.forge.gitea.refusal import error_of
from git_exchange.forge.http import BoundSession, ForeignOrigin, date_of, origin, wait_before, written
from git_exchange.secret import Token
from git_exchange.settings import Settings

# The server gives fewer if it is set so (MAX_RESPONSE_ITEMS), and counts its pages accordingly.
PER_PAGE = 50

_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Answer:
    """A JSON answer, when the server gave it by its own clock (whole seconds), and how long the whole list is."""

    document: Any
    date: datetime | None = None
    total: int | None = None

    def moment(self) -> datetime:
        """Return the date, where something is measured by it. Raise UnexpectedAnswer if the server sent none."""
        if self.date is None:
            raise UnexpectedAnswer("The forge's answer has no date, which is what times are measured by.")
        return self.date


@dataclass(frozen=True)
class Page(Generic[_Value]):
    """One page of a list, and when the server gave it."""

    items: list[_Value]
    answer: Answer


class Session:
    """Requests to one forge as one account; usable from several threads."""

    def __init__(self, settings: Settings, token: Token, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self.url = settings.url
        self.sleep = sleep
        self._settings = settings
        self._token = token
        self._own = threading.local()

    def get(self, path: str, /, into: Callable[[Any], _Value], **query: object) -> _Value:
        """Return the object at ``path`` (below /api/v1, already encoded), as ``into`` makes it."""
        return self.understood(into, self.answer("get", path, query=query).document, path)

    def exists(self, path: str, /) -> bool:
        """Return whether there is something at ``path``; "hidden from this account" counts as no."""
        try:
            self.answer("get", path)
        except NotFound:
            return False
        return True

    def all(self, path: str, /, into: Callable[[Any], _Value], **query: object) -> list[_Value]:
        """Return the whole list at ``path``, over all its pages."""
        return [item for page in self.pages(path, into, **query) for item in page.items]

    def pages(self, path: str, /, into: Callable[[Any], _Value], **query: object) -> Iterator[Page[_Value]]:
        """Yield the pages of the list at ``path`` (or in the ``data`` of a search)."""
        seen, number = 0, 1
        while True:
            answer = self.answer("get", path, query={**query, "limit": PER_PAGE, "page": number})
            rows = answer.document
            if isinstance(rows, dict):
                rows = rows.get("data")
            elif rows is None:  # a list of nothing is sometimes written so
                rows = []
            if not isinstance(rows, list):
                raise UnexpectedAnswer(f"{self.url} answered GET {path} with something else than a list.")
            yield Page([self.understood(into, row, path) for row in rows], answer)
            seen += len(rows)
            # A page may be short without being the last; without a count only an empty one is.
            if not rows or (answer.total is not None and seen >= answer.total):
                return
            number += 1

    def post(self, path: str, /, body: Mapping[str, object], into: Callable[[Any], _Value]) -> _Value:
        """Create something, and return the answer as ``into`` makes it. Never repeated if it may have been done."""
        return self.understood(into, self.answer("post", path, body=body).document, path)

    def patch(self, path: str, /, body: Mapping[str, object], into: Callable[[Any], _Value]) -> _Value:
        """Change something, and return the answer as ``into`` makes it."""
        return self.understood(into, self.answer("patch", path, body=body).document, path)

    def change(self, method: str, path: str, /, body: Mapping[str, object] | None = None) -> None:
        """Change or delete what is at ``path``, whatever the answer holds."""
        self.answer(method, path, body=body)

    def answer(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        body: Mapping[str, object] | None = None,
        password: tuple[str, str] | None = None,
    ) -> Answer:
        """Return the server's answer. ``password`` (user name, password) signs in instead of the token.

        What is the same when it is done twice (all but POST and PATCH) is repeated where that may help. Raise any
        ForgeError, TokenRefused.
        """
        repeatable = method in ("get", "put", "delete")
        what = f"{method.upper()} {path}"
        tried = 0
        while True:
            http = self._client()
            try:
                with translated(what, self.url):
                    response = http.request(
                        method,
                        f"{self.url}/api/v1{path}",
                        params=written(query or {}),
                        json=body,
                        auth=password or self._sign,
                        timeout=self._settings.limits.http_timeout,
                        allow_redirects=method == "get",
                    )
                    if not 200 <= response.status_code < 300:
                        raise error_of(
                            response.status_code, response.content, response.headers, what, self.url, self._token
                        )
                    return _understand(response)
            except (ForgeUnreachable, Throttled) as error:
                wait = wait_before(error, http.answer, repeatable, tried)
                if wait is None:
                    raise
                self.sleep(wait)
                tried += 1

    def understood(self, into: Callable[[Any], _Value], document: Any, path: str) -> _Value:
        """Return ``into(document)``. Raise UnexpectedAnswer if that fails: the document is not what Gitea gives."""
        try:
            return into(document)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise UnexpectedAnswer(f"{self.url} answered {path} with an object that Gitea does not give.") from error

    def _client(self) -> BoundSession:
        """Return this thread's session: requests' sessions must not be shared by threads."""
        found: BoundSession | None = getattr(self._own, "http", None)
        if found is None:
            found = self._own.http = BoundSession(origin(self.url))
            ca_bundle = self._settings.ca_bundle
            found.verify = str(ca_bundle) if ca_bundle is not None else True
            found.headers.update({"Accept": "application/json", "User-Agent": f"git-exchange/{__version__}"})
        return found

    def _sign(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"token {self._token.value}"
        return request


@contextmanager
def translated(what: str, url: str) -> Iterator[None]:
    """Turn every error of requests into ours. ``what`` names the request in messages."""
    try:
        yield
    except ForeignOrigin as error:
        raise UnexpectedAnswer(
            f"{url} redirects {what} to another server ({error}); nothing was sent there.",
            hint="If that is the forge, set the URL to it; if it is a login page, the API needs an exception.",
        ) from error
    except requests.TooManyRedirects as error:
        raise UnexpectedAnswer(
            f"{url} redirects {what}.", hint="Set the URL to the address to which the forge redirects."
        ) from error
    except requests.exceptions.SSLError as error:
        raise ForgeUnreachable(
            f"The certificate of {url} could not be verified.",
            hint="If the server has a private certificate authority, set ca_bundle to its PEM file.",
        ) from error
    except requests.Timeout as error:
        raise ForgeUnreachable(f"{url} did not answer {what} in time.") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UnexpectedAnswer(f"{url} answered {what} with something that is not JSON.") from error
    except requests.RequestException as error:
        raise ForgeUnreachable(f"{url} cannot be reached, or broke off ({type(error).__name__}).") from error


def _understand(response: requests.Response) -> Answer:
    document = None
    if response.status_code != 204 and response.content:
        if "json" not in response.headers.get("Content-Type", "json"):
            raise UnexpectedAnswer(f"{origin(response.url)} answered with a page instead of data.")
        document = response.json()
    total = response.headers.get("X-Total-Count", "")
    return Answer(document, date_of(response.headers), int(total) if total.isascii() and total.isdecimal() else None)
