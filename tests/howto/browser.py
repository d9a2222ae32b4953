"""Somebody at a browser: signs in to the hub by way of the forge's login and grant pages."""

from __future__ import annotations

import requests

from tests.jupyterhub import browser
from tests.jupyterhub.browser import Form


class Browser(browser.Browser):
    """A session with cookies, at a hub that knows people by the forge."""

    def sign_in(self, username: str, password: str = "") -> requests.Response:
        """Sign in as a person does for the first time; return the page on which that ends."""
        page = self.fill_in(Form(self.get("/hub/oauth_login"), "/user/login"), user_name=username, password=password)
        if "/login/oauth/authorize" in page.url:
            page = self.fill_in(Form(page, "/login/oauth/grant"), granted="true")
        return page
