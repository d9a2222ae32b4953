"""What a person sees at nbgrader's pages when something fails: a sentence that helps, and never a token.

That no token stands on a page is looked at with every picture that is taken.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.assignment_list import SECTIONS, AssignmentList
from tests.browser.formgrader import Formgrader
from tests.browser.lab import Lab
from tests.browser.school import COURSE, School
from tests.browser.servers import running

pytestmark = pytest.mark.timeout(600)  # the first test waits for everybody's server

ASSIGNMENT = "ps2"
LATER = "ps3"  # generated, never released
NOT_TRUE = "exchange directory does not exist"


@pytest.fixture(scope="module")
def released(school: School) -> School:
    """bo's and the instructor's pages have listed what is released while the forge was there."""
    for name in (ASSIGNMENT, LATER):
        school.classroom.make_release(name, COURSE)
        (school.root / "source" / name).mkdir()
    school.classroom.ok("teacher", "release_assignment", ASSIGNMENT, course=COURSE)
    school.list("bo").refresh_until("released", ASSIGNMENT)
    school.formgrader.show("manage_assignments")
    return school


@pytest.fixture(scope="module")
def stranger(school: School) -> Iterator[Lab]:
    """eve has an account on the forge and no part in the course; her server finds no token."""
    eve = school.classroom.student("eve", COURSE)
    with running((eve, eve.work), without=("GIT_EXCHANGE_TOKEN_FILE",)) as (server,), school.at(server) as lab:
        yield lab


@pytest.fixture
def with_token(stranger: Lab) -> Iterator[Lab]:
    """eve has put her token where it belongs."""
    eve = stranger.server.someone
    usual = eve.place / "home" / ".config" / "git-exchange" / "token"
    usual.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(eve.token_file, usual)
    yield stranger
    usual.unlink()


def shows(page: AssignmentList, *sentences: str, picture: str) -> None:
    """Look for the sentences in every section of the list."""
    for section in SECTIONS:
        for sentence in sentences:
            expect(page.error(section)).to_contain_text(sentence, use_inner_text=True)
        expect(page.error(section)).not_to_contain_text(NOT_TRUE)
    page.lab.picture(picture)


def test_without_a_token_the_list_says_where_to_put_one(released: School, stranger: Lab) -> None:
    page = AssignmentList(stranger)
    page.refresh_until_it_says("There is no token")
    shows(page, "There is no token", "GIT_EXCHANGE_TOKEN_FILE", picture="no-token-list")


def test_without_a_token_formgrader_says_where_to_put_one(released: School, stranger: Lab) -> None:
    formgrader = Formgrader(stranger)
    formgrader.show("manage_assignments")
    stranger.picture("no-token-formgrader")
    expect(formgrader.banner).to_contain_text(f"{released.gate.url}/{released.classroom.namespace}: There is no token")


def test_formgrader_opens_while_the_forge_hangs_and_names_it(released: School, with_token: Lab) -> None:
    formgrader = Formgrader(with_token)
    started = time.monotonic()
    with released.gate.slow("", 60):
        formgrader.show("manage_assignments")
        took = time.monotonic() - started
        with_token.picture("forge-hangs-formgrader")
    expect(formgrader.banner).to_contain_text(f"Listing from {released.gate.url} took longer than 5 seconds.")
    assert took < 20, "one request alone may take as long as this"


def test_with_the_forge_down_a_list_that_was_never_had_names_it(released: School, with_token: Lab) -> None:
    page = AssignmentList(with_token)
    with released.gate.shut():
        page.refresh()
        shows(page, released.gate.url, "try again; nothing was lost", picture="forge-down-list")


def test_who_is_no_member_is_told_whom_to_ask(released: School, with_token: Lab) -> None:
    page = AssignmentList(with_token)
    page.refresh_until_it_says("You do not have access")
    shows(page, "You do not have access to this course.", "Ask the course's staff", picture="no-member-list")


def test_with_the_forge_down_a_student_sees_the_last_good_list_and_why_fetching_fails(released: School) -> None:
    page = released.list("bo")
    page.refresh()
    with released.gate.shut():
        page.refresh()
        expect(page.row("released", ASSIGNMENT)).to_be_visible()
        page.press("released", ASSIGNMENT)
        shows(page, f"{released.gate.url} cannot be reached", picture="forge-down-fetch")
        page.refresh()
        expect(page.row("released", ASSIGNMENT)).to_be_visible()
    assert not (released.work("bo") / ASSIGNMENT).exists()
    page.press("released", ASSIGNMENT)
    expect(page.row("fetched", ASSIGNMENT)).to_be_visible()


@pytest.fixture
def fetched(released: School) -> Iterator[Path]:
    """cleo has the assignment's folder."""
    folder = released.work("cleo") / ASSIGNMENT
    released.classroom.ok("cleo", "fetch_assignment", ASSIGNMENT, course=COURSE)
    released.list("cleo").refresh_until("fetched", ASSIGNMENT)
    yield folder
    shutil.rmtree(folder)


def test_with_the_forge_down_submitting_says_so_in_lines_that_fit_the_dialog(released: School, fetched: Path) -> None:
    page = released.list("cleo")
    with released.gate.shut():
        page.press("fetched", ASSIGNMENT)
        said = page.dialog(picture="forge-down-submit")
    assert f"{released.gate.url} cannot be reached" in said
    assert max(len(line) for line in said.split("ExchangeError:")[1].splitlines()) <= 100
    assert said.count("Traceback") == 1
    page.press("fetched", ASSIGNMENT)
    expect(page.submissions(ASSIGNMENT)).to_have_count(1)


def test_a_folder_that_is_there_already_is_named_when_fetching(released: School) -> None:
    page = released.list("cleo")
    page.refresh_until("released", ASSIGNMENT)
    folder = released.work("cleo") / ASSIGNMENT
    folder.mkdir()
    try:
        page.press("released", ASSIGNMENT)
        shows(page, "You already have a copy of the assignment", ASSIGNMENT, picture="fetch-again")
    finally:
        folder.rmdir()


@pytest.mark.parametrize(("assignment", "button"), [(LATER, "release"), (ASSIGNMENT, "collect")])
def test_with_the_forge_down_formgraders_dialog_begins_with_the_sentence(
    released: School, assignment: str, button: str
) -> None:
    with released.gate.shut():
        said = released.formgrader.press(assignment, button, picture=f"forge-down-{button}")
    assert said.title == "Error"
    last = said.log.strip().splitlines()[-1]
    assert last.startswith(f"[CRITICAL] {released.gate.url} cannot be reached")
    assert "Traceback" not in said.log
    assert said.traceback.count("Traceback") == 1
