"""JupyterLab as its user sees it: the page, nbgrader's menu, and pictures of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from git_exchange.secret import Token
from tests.browser.servers import Server

# A loaded machine is slow, and so is JupyterLab's first page.
SECONDS = 90.0
expect.set_options(timeout=SECONDS * 1000)

ROOT = Path(__file__).parent.parent.parent
PICTURES = Path(os.environ.get("GIT_EXCHANGE_TEST_PICTURES") or ROOT / "test-artifacts" / "browser")


class Lab:
    """One person's browser window with JupyterLab in it."""

    def __init__(self, browser: Browser, server: Server, tokens: Mapping[str, Token]) -> None:
        self.server = server
        self.tokens = tokens
        self.context = browser.new_context(viewport={"width": 1400, "height": 760})
        self.context.set_default_timeout(SECONDS * 1000)
        self.page: Page = self.context.new_page()

    def open(self) -> Lab:
        """Open JupyterLab and wait until it is there."""
        self.page.goto(self.server.address("lab"))
        expect(self.page.locator("#jp-MainMenu")).to_be_visible()
        return self

    def choose(self, command: str, title: str) -> None:
        """Choose an entry of nbgrader's menu, which opens a tab called ``title``."""
        self.page.locator("#jp-MainMenu div.lm-MenuBar-itemLabel", has_text="Nbgrader").click()
        self.page.locator(f'#jp-mainmenu-nbgrader li[data-command="{command}"]').click()
        expect(self.page.locator("#jp-main-dock-panel .lm-TabBar-tab", has_text=title)).to_be_visible()

    def picture(self, name: str) -> None:
        """Keep a picture of the page, on which no token may stand."""
        shown = "".join(frame.content() for frame in self.page.frames)
        assert not [name for name, token in self.tokens.items() if token.value in shown]
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=PICTURES / f"{self.server.someone.name}-{name}.png", animations="disabled")

    def close(self) -> None:
        """Close the window."""
        self.context.close()
