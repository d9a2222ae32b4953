"""Somebody at a browser in front of the hub: a session with cookies, forms, and what scripts on pages send."""

from __future__ import annotations

import time
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

import requests


class Form(HTMLParser):
    """The one form of a page that is sent to an address which ends with ``action``."""

    def __init__(self, page: requests.Response, action: str) -> None:
        super().__init__()
        self.page = page
        self.wanted = action
        self.address = ""
        self.fields: dict[str, str] = {}
        self._inside = False
        self.feed(page.text)
        assert self.address, f"{page.url} has no form for {action}: {page.text[:2000]}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            address = urljoin(self.page.url, given.get("action", ""))
            self._inside = address.partition("?")[0].endswith(self.wanted)
            self.address = address if self._inside else self.address
        elif tag == "input" and self._inside and "name" in given and given.get("type") != "checkbox":
            self.fields[given["name"]] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False


class Browser:
    """A session with cookies, at the hub."""

    def __init__(self, hub: str) -> None:
        self.hub = hub
        self.http = requests.Session()

    def get(self, path: str) -> requests.Response:
        return self.http.get(f"{self.hub}{path}", timeout=120)

    def send(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send what a script on a page sends: with the page's secret against requests from other sites."""
        cookies = [cookie for cookie in self.http.cookies if cookie.name == "_xsrf" and path.startswith(cookie.path)]
        secret = max(cookies, key=lambda cookie: len(cookie.path)).value if cookies else None
        headers = {"X-XSRFToken": str(secret), "Origin": self.hub, "Sec-Fetch-Site": "same-origin"}
        return self.http.request(method, f"{self.hub}{path}", headers=headers, timeout=120, **options)

    def sign_in(self, username: str, password: str = "") -> requests.Response:
        """Sign in at the hub's own page; return the page on which that ends."""
        return self.fill_in(Form(self.get("/hub/login"), "/hub/login"), username=username, password=password)

    def start_server(self, username: str, page: str = "nbgrader_version?version=0") -> None:
        """Start the person's server and wait until it shows this page, which sends whoever is not known to the hub."""
        limit = time.monotonic() + 180
        answer = self.get("/hub/spawn")
        while f"/user/{username}/" not in answer.url or "/hub/" in answer.url:
            assert answer.status_code < 400, answer.text
            assert time.monotonic() < limit, answer.url
            time.sleep(0.2)  # polling a starting server, with a limit
            answer = self.get(f"/user/{username}/{page}")
            if answer.status_code in (424, 503):  # it is still starting
                answer.status_code = 200

    def fill_in(self, form: Form, **filled_in: str) -> requests.Response:
        # Newer servers look at where a form comes from instead of at a secret in it.
        headers = {"Origin": "/".join(form.page.url.split("/")[:3]), "Sec-Fetch-Site": "same-origin"}
        return self.http.post(form.address, data={**form.fields, **filled_in}, headers=headers, timeout=120)
