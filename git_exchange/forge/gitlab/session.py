"""HTTP to one GitLab: the client of each thread, time-outs, repeats, paging, and the translation of every error.

The only module that knows python-gitlab's and requests' exceptions. It sends the token to the configured origin and
nowhere else: every URL is built here from the settings, page numbers are counted instead of following links, and a
redirect to another origin is refused before anything is sent there.
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
from urllib.parse import urlsplit

import gitlab
import gitlab.exceptions
import requests

from git_exchange import __version__
from git_exchange.errors import ForgeUnreachable, Throttled, UnexpectedAnswer
from git_exchange.forge.gitlab.refusal import error_of
from git_exchange.forge.http import BoundSession, ForeignOrigin, date_of, origin, wait_before, written
from git_exchange.secret import Token
from git_exchange.settings import Settings

PER_PAGE = 100

_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Answer:
    """A JSON answer, when the server gave it by its own clock (whole seconds), and the page that follows it."""

    document: Any
    date: datetime | None = None
    next_page: int | None = None

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
    """Requests to one GitLab as one account; usable from several threads."""

    def __init__(self, settings: Settings, token: Token, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self.url = settings.url
        self._settings = settings
        self._token = token
        self._sleep = sleep
        self._own = threading.local()

    def get(self, path: str, /, into: Callable[[Any], _Value], **query: object) -> _Value:
        """Return the object at ``path`` (below /api/v4, already encoded), as ``into`` makes it."""
        return self.understood(into, self.answer("get", path, query=query).document, path)

    def all(self, path: str, /, into: Callable[[Any], _Value], **query: object) -> list[_Value]:
        """Return the whole list at ``path``, over all its pages."""
        return [item for page in self.pages(path, into, **query) for item in page.items]

    def pages(self, path: str, /, into: Callable[[Any], _Value], **query: object) -> Iterator[Page[_Value]]:
        """Yield the pages of the list at ``path``; a page may be short or empty without being the last."""
        page: int | None = 1
        while page is not None:
            answer = self.answer("get", path, query={**query, "per_page": PER_PAGE, "page": page})
            if not isinstance(answer.document, list):
                raise UnexpectedAnswer(f"{self.url} answered GET {path} with something else than a list.")
            yield Page([self.understood(into, item, path) for item in answer.document], answer)
            if answer.next_page is not None and answer.next_page <= page:
                raise UnexpectedAnswer(f"{self.url} sends GET {path} back from page {page} to {answer.next_page}.")
            page = answer.next_page

    def post(self, path: str, /, body: Mapping[str, object], into: Callable[[Any], _Value]) -> _Value:
        """Create something, and return the answer as ``into`` makes it. Never repeated if it may have been done."""
        return self.understood(into, self.answer("post", path, body=body).document, path)

    def put(self, path: str, /, body: Mapping[str, object], into: Callable[[Any], _Value]) -> _Value:
        """Change something, and return the answer as ``into`` makes it."""
        return self.understood(into, self.answer("put", path, body=body).document, path)

    def change(self, method: str, path: str, /, body: Mapping[str, object] | None = None) -> None:
        """Change or delete what is at ``path``, whatever the answer holds."""
        self.answer(method, path, body=body)

    def graphql(self, query: str, variables: Mapping[str, object]) -> Answer:
        """Return the answer to a GraphQL query (no mutation: it is repeated like any read)."""
        body = {"query": query, "variables": variables}
        return self.answer("post", f"{self.url}/api/graphql", body=body, harmless=True)

    def answer(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        body: Mapping[str, object] | None = None,
        harmless: bool | None = None,
    ) -> Answer:
        """Return the server's answer. ``harmless`` says that repeating does no harm; None: as the method says.

        Raise any ForgeError, TokenRefused.
        """
        repeatable = method == "get" if harmless is None else harmless
        tried = 0
        while True:
            client, http = self._client()
            try:
                with translated(f"{method.upper()} {urlsplit(path).path}", self.url, self._token, http):
                    response = client.http_request(
                        method,
                        path,
                        query_data=written(query or {}),
                        post_data=body,
                        obey_rate_limit=False,
                        retry_transient_errors=False,
                    )
                    return _understand(response)
            except (ForgeUnreachable, Throttled) as error:
                wait = wait_before(error, http.answer, repeatable, tried)
                if wait is None:
                    raise
                self._sleep(wait)
                tried += 1

    def _client(self) -> tuple[Any, BoundSession]:
        """Return this thread's client: requests' sessions must not be shared by threads."""
        if not hasattr(self._own, "client"):
            http = BoundSession(origin(self.url))
            ca_bundle = self._settings.ca_bundle
            self._own.client = gitlab.Gitlab(
                self.url,
                oauth_token=self._token.value,
                ssl_verify=str(ca_bundle) if ca_bundle is not None else True,
                timeout=self._settings.limits.http_timeout,
                user_agent=f"git-exchange/{__version__}",
                session=http,
            )
            self._own.http = http
        return self._own.client, self._own.http

    def understood(self, into: Callable[[Any], _Value], document: Any, path: str) -> _Value:
        """Return ``into(document)``. Raise UnexpectedAnswer if that fails: the document is not what GitLab gives."""
        try:
            return into(document)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise UnexpectedAnswer(f"{self.url} answered {path} with an object that GitLab does not give.") from error


@contextmanager
def translated(what: str, url: str, token: Token, http: BoundSession) -> Iterator[None]:
    """Turn every error of python-gitlab and requests into ours. ``what`` names the request in messages."""
    try:
        yield
    except gitlab.exceptions.GitlabParsingError as error:
        raise UnexpectedAnswer(f"{url} answered {what} with something that is not JSON.") from error
    except (gitlab.exceptions.RedirectError, requests.TooManyRedirects) as error:
        raise UnexpectedAnswer(
            f"{url} redirects {what}.", hint="Set the URL to the address to which the forge redirects."
        ) from error
    except gitlab.exceptions.GitlabConnectionError as error:
        raise ForgeUnreachable(f"{url} cannot be reached.") from error
    except gitlab.exceptions.GitlabError as error:
        headers = http.answer.headers if http.answer is not None else {}
        raise error_of(error.response_code, error.response_body, headers, what, url, token) from error
    except ForeignOrigin as error:
        raise UnexpectedAnswer(
            f"{url} redirects {what} to another server ({error}); nothing was sent there.",
            hint="If that is the forge, set the URL to it; if it is a login page, the API needs an exception.",
        ) from error
    except requests.exceptions.SSLError as error:
        raise ForgeUnreachable(
            f"The certificate of {url} could not be verified.",
            hint="If the server has a private certificate authority, set ca_bundle to its PEM file.",
        ) from error
    except requests.Timeout as error:
        raise ForgeUnreachable(f"{url} did not answer {what} in time.") from error
    except (requests.JSONDecodeError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UnexpectedAnswer(f"{url} answered {what} with something that is not JSON.") from error
    except requests.RequestException as error:
        raise ForgeUnreachable(f"{url} cannot be reached, or broke off ({type(error).__name__}).") from error


def _understand(response: requests.Response) -> Answer:
    document = None
    if response.status_code != 204 and response.content:
        if "json" not in response.headers.get("Content-Type", "json"):
            raise UnexpectedAnswer(f"{origin(response.url)} answered with a page instead of data.")
        document = response.json()
    return Answer(document, date_of(response.headers), _next_page(response))


def _next_page(response: requests.Response) -> int | None:
    """Return the number of the next page. ``X-Next-Page`` is empty on the last one; some lists have only ``Link``."""
    number = response.headers.get("X-Next-Page")
    if number is None and "next" in response.links:
        asked = dict(part.partition("=")[::2] for part in urlsplit(response.links["next"]["url"]).query.split("&"))
        number = asked.get("page")
    if not number:
        return None
    if not number.isascii() or not number.isdecimal():
        raise UnexpectedAnswer(f"{origin(response.url)} names a next page that is no number.")
    return int(number)
