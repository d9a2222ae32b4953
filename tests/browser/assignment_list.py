"""The assignment list: what is released, fetched and submitted, with a button each."""

from __future__ import annotations

import time

from playwright.sync_api import FrameLocator, Locator, expect

from tests.browser.lab import SECONDS, Lab

SECTIONS = ("released", "fetched", "submitted")


class AssignmentList:
    """The assignment list in a tab of JupyterLab."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        lab.choose("nbgrader:open-assignment-list", "Assignments")
        self.wait()

    def wait(self) -> None:
        """Wait until no section is loading."""
        for section in SECTIONS:
            loading = self.lab.page.locator(f"#{section}_assignments_list_loading")
            expect(loading).to_be_hidden(timeout=SECONDS * 1000)

    def refresh(self) -> None:
        """Press the page's own button."""
        with self.lab.page.expect_response("**/courses*"):
            self.lab.page.locator("#refresh_assignments_list").click()
        self.wait()

    def refresh_until(self, section: str, number: int, *, text: str = "") -> None:
        """Press it until a section has so many assignments, with ``text`` in them: lists are kept for seconds."""
        limit = time.monotonic() + SECONDS
        while True:
            self.refresh()
            rows = self.rows(section)
            if rows.count() == number and all(text in row for row in rows.all_inner_texts()):
                return
            assert time.monotonic() < limit, rows.all_inner_texts()

    def rows(self, section: str) -> Locator:
        """Return the assignments of "released", "fetched" or "submitted"."""
        return self.lab.page.locator(f"#{section}_assignments_list > .list_item")

    def submissions(self) -> Locator:
        """Return the attempts below the submitted assignments."""
        return self.rows("submitted").locator(".assignment-notebooks .list_item .item_name")

    def press(self, section: str) -> None:
        """Press the button of the only assignment of a section, and wait for the answer."""
        button = self.rows(section).locator("> div > .item_status button")
        with self.lab.page.expect_response("**/assignments/*"):
            button.click()
        self.wait()

    def error(self, section: str = "released") -> Locator:
        """Return where a section says that the list could not be had."""
        return self.lab.page.locator(f"#{section}_assignments_list_error")

    def dialog(self) -> str:
        """Return what the dialog says, and close it."""
        dialog = self.lab.page.locator(".jp-Dialog")
        expect(dialog).to_be_visible()
        text = dialog.inner_text()
        self.lab.picture("submit-failed")
        dialog.locator("button.jp-mod-accept").click()
        expect(dialog).to_have_count(0)
        return text

    def open_feedback(self, notebook: str) -> FrameLocator:
        """Follow the newest attempt's link to its folder, open the page, and return what is in it."""
        self.submissions().get_by_text("(view feedback)").last.click()
        self.lab.page.locator(".jp-DirListing-item", has_text=f"{notebook}.html").dblclick()
        shown = self.lab.page.locator(".jp-HTMLViewer iframe")
        expect(shown).to_be_visible()
        return shown.content_frame
