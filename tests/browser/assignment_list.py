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

    def show(self) -> None:
        """Bring its tab to the front."""
        self.lab.page.locator("#jp-main-dock-panel .lm-TabBar-tab", has_text="Assignments").click()

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

    def refresh_until(self, section: str, assignment: str, *, there: bool = True, text: str = "") -> None:
        """Press it until the assignment is in the section (or not), with ``text``: lists are kept for seconds."""
        limit = time.monotonic() + SECONDS
        while True:
            self.refresh()
            rows = self.row(section, assignment).all_inner_texts()
            if bool(rows) == there and all(text in row for row in rows):
                return
            assert time.monotonic() < limit, rows

    def refresh_until_it_says(self, sentence: str) -> None:
        """Press it until it shows this in place of the lists: that the forge was down is kept for seconds, too."""
        limit = time.monotonic() + SECONDS
        while sentence not in " ".join(self.error().inner_text().split()):
            assert time.monotonic() < limit, self.error().inner_text()
            self.refresh()

    def row(self, section: str, assignment: str) -> Locator:
        """Return the assignment in "released", "fetched" or "submitted"."""
        return self.lab.page.locator(f"#{section}_assignments_list > .list_item", has_text=assignment)

    def submissions(self, assignment: str) -> Locator:
        """Return the attempts below a submitted assignment."""
        return self.row("submitted", assignment).locator(".assignment-notebooks .list_item .item_name")

    def press(self, section: str, assignment: str) -> None:
        """Press the assignment's button, and wait for the answer."""
        button = self.row(section, assignment).locator("> div > .item_status button")
        with self.lab.page.expect_response("**/assignments/*"):
            button.click()
        self.wait()

    def error(self, section: str = "released") -> Locator:
        """Return where a section says that the list could not be had."""
        return self.lab.page.locator(f"#{section}_assignments_list_error")

    def dialog(self, *, picture: str) -> str:
        """Return what the dialog says, and close it."""
        dialog = self.lab.page.locator(".jp-Dialog")
        expect(dialog).to_be_visible()
        text = dialog.inner_text()
        self.lab.picture(picture)
        dialog.locator("button.jp-mod-accept").click()
        expect(dialog).to_have_count(0)
        return text

    def open_feedback(self, assignment: str, notebook: str) -> FrameLocator:
        """Follow the newest attempt's link to its folder, open the page, and return what is in it."""
        self.submissions(assignment).get_by_text("(view feedback)").last.click()
        self.lab.page.locator(".jp-DirListing-item", has_text=f"{notebook}.html").dblclick()
        shown = self.lab.page.locator(".jp-HTMLViewer iframe")
        expect(shown).to_be_visible()
        return shown.content_frame
