"""Formgrader: the assignments, one assignment's submissions, and the dialogs that tell how an operation went."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import FrameLocator, Locator, expect

from tests.browser.lab import Lab

# Autograding starts a kernel for every notebook.
LONG = 240.0


@dataclass(frozen=True)
class Dialog:
    """What a dialog said: its title, its sentence, the log that it shows and the traceback ("" without one)."""

    title: str
    sentence: str
    log: str
    traceback: str

    @property
    def text(self) -> str:
        return "\n".join((self.title, self.sentence, self.log, self.traceback))


class Formgrader:
    """Formgrader in a tab of JupyterLab."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        lab.choose("nbgrader:open-formgrader", "Formgrader")
        self.frame: FrameLocator = lab.page.frame_locator("#jp-main-dock-panel iframe")
        self.wait()

    def wait(self) -> None:
        """Wait until the table is filled."""
        expect(self.frame.locator("#main-table")).not_to_contain_text("Loading, please wait")

    def show(self, page: str) -> None:
        """Go to one of its pages, also to the one that is shown."""
        inner = self.lab.page.locator("#jp-main-dock-panel iframe").element_handle().content_frame()
        assert inner is not None
        inner.goto(f"{self.lab.server.url}/formgrader/{page}")
        self.wait()

    def row(self, text: str) -> Locator:
        """Return the row of an assignment or a student."""
        return self.frame.locator("#main-table tr", has_text=text)

    @property
    def banner(self) -> Locator:
        """What stands above the table when the list could not be had."""
        return self.frame.locator("#warning-exchange")

    def press(self, row: str, button: str, *, picture: str) -> Dialog:
        """Press the button of a row, wait for the dialog, close it, and return what it said."""
        self.row(row).locator(f"td.{button} a").click()
        modal = self.frame.locator(".modal.in")
        expect(modal).to_be_visible(timeout=LONG * 1000)
        expect(modal.locator(".modal-body")).to_be_visible()
        panels = {
            name: "\n".join(modal.locator(f".panel-{kind} pre").all_inner_texts())
            for name, kind in (("log", "warning"), ("traceback", "danger"))
        }
        said = Dialog(
            modal.locator(".modal-title").inner_text(), modal.locator(".modal-body > div > p").inner_text(), **panels
        )
        self.lab.picture(picture)
        modal.locator(".modal-footer button").click()
        expect(modal).to_have_count(0)
        return said
