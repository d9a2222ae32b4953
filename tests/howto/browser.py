"""Somebody at a browser: signs in to the hub by way of the forge's login and grant pages."""

from __future__ import annotations

import time
from html.parser import HTMLParser
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

    def sign_in(self, username: str, password: str) -> requests.Response:
        """Sign in as a person does for the first time; return the page on which that ends."""
        page = self._send(Form(self.get("/hub/oauth_login"), "/user/login"), user_name=username, password=password)
        if "/login/oauth/authorize" in page.url:
            page = self._send(Form(page, "/login/oauth/grant"), granted="true")
        return page

    def start_server(self, username: str) -> None:
        """Start the person's server and wait until it answers."""
        limit = time.monotonic() + 120
        page = self.get("/hub/spawn")
        while f"/user/{username}/" not in page.url or "/hub/" in page.url:
            assert page.status_code < 400, page.text
            assert time.monotonic() < limit, page.url
            time.sleep(0.2)  # polling a starting server, with a limit
            page = self.get(f"/user/{username}/lab")
            if page.status_code in (424, 503):  # it is still starting
                page.status_code = 200

    def _send(self, form: Form, **filled_in: str) -> requests.Response:
        # Newer servers look at where a form comes from instead of at a secret in it.
        headers = {"Origin": "/".join(form.page.url.split("/")[:3]), "Sec-Fetch-Site": "same-origin"}
        return self.http.post(form.address, data={**form.fields, **filled_in}, headers=headers, timeout=120)
