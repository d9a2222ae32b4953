"""The whole cycle by nbgrader's buttons: what the pages show, and what is then on the forge and on the disk."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.school import ASSIGNMENT, COURSE, NOTEBOOK, STUDENTS, School

pytestmark = pytest.mark.timeout(600)  # the first test waits for everybody's server

FILE = f"{NOTEBOOK}.ipynb"


@pytest.fixture(scope="module")
def released(school: School) -> School:
    """The instructor generates the assignment and releases it."""
    formgrader = school.formgrader
    assert formgrader.press(ASSIGNMENT, "assign", picture="generated").title == "Success"
    said = formgrader.press(ASSIGNMENT, "release", picture="released")
    assert said.title == "Success", said.text
    assert f"Released as: {COURSE} {ASSIGNMENT}" in said.log
    return school


@pytest.fixture(scope="module")
def fetched(released: School) -> School:
    """Both students fetch it."""
    for name in STUDENTS:
        page = released.list(name)
        page.refresh_until("released", ASSIGNMENT)
        page.lab.picture("list")
        page.press("released", ASSIGNMENT)
        expect(page.row("fetched", ASSIGNMENT)).to_be_visible()
        page.lab.picture("fetched")
    return released


@pytest.fixture(scope="module")
def submitted(fetched: School) -> School:
    """bo hands in something wrong and then what is right, cleo something wrong."""
    for name, right in (("bo", False), ("cleo", False), ("bo", True)):
        fetched.answer(name, right=right)
        page = fetched.list(name)
        page.press("fetched", ASSIGNMENT)
        expect(page.row("submitted", ASSIGNMENT)).to_be_visible()
        page.lab.picture("submitted")
    return fetched


@pytest.fixture(scope="module")
def collected(submitted: School) -> School:
    said = submitted.formgrader.press(ASSIGNMENT, "collect", picture="collected")
    assert said.title == "Success", said.text
    assert "Collect: 2 collected" in said.log
    return submitted


@pytest.fixture(scope="module")
def graded(collected: School) -> School:
    """The instructor autogrades everybody's work in the list of submissions."""
    formgrader = collected.formgrader
    formgrader.show(f"manage_submissions/{ASSIGNMENT}")
    for name in STUDENTS:
        said = formgrader.press(name, "autograde", picture=f"autograded-{name}")
        assert said.title == "Success", said.text
    collected.lab("teacher").picture("graded")
    return collected


@pytest.fixture(scope="module")
def returned(graded: School) -> School:
    """The instructor generates and releases the feedback; the students fetch it."""
    formgrader = graded.formgrader
    formgrader.show("manage_assignments")
    for button in ("generate-feedback", "release-feedback"):
        said = formgrader.press(ASSIGNMENT, button, picture=button)
        assert said.title == "Success", said.text
    for name in STUDENTS:
        page = graded.list(name)
        page.refresh_until("submitted", ASSIGNMENT, text="(feedback available to fetch)")
        page.press("submitted", ASSIGNMENT)
        expect(page.submissions(ASSIGNMENT).last).to_contain_text("(view feedback)")
        page.lab.picture("feedback-fetched")
    return graded


def test_a_release_shows_on_the_page_and_is_a_commit_on_the_forge(released: School) -> None:
    expect(released.formgrader.row(ASSIGNMENT).locator(".status")).to_have_text("released")
    (commit,) = released.commits("assignments", f"release/{ASSIGNMENT}")
    assert commit.tree[FILE].data_stream.read() == (released.root / "release" / ASSIGNMENT / FILE).read_bytes()


def test_a_fetch_moves_the_assignment_and_writes_the_released_files(fetched: School) -> None:
    for name in STUDENTS:
        expect(fetched.list(name).row("released", ASSIGNMENT)).to_have_count(0)
        assert (fetched.work(name) / ASSIGNMENT / FILE).is_file()
        assert not list(fetched.work(name).rglob(".git"))


def test_submissions_are_listed_each_and_are_commits_on_the_release(submitted: School) -> None:
    (release,) = submitted.commits("assignments", f"release/{ASSIGNMENT}")
    for name, attempts in (("bo", 2), ("cleo", 1)):
        expect(submitted.list(name).submissions(ASSIGNMENT)).to_have_count(attempts)
        *commits, first = submitted.commits(f"student-{name}", f"submit/{ASSIGNMENT}")
        assert (len(commits), first) == (attempts, release)
        assert commits[0].tree[FILE].data_stream.read() == (submitted.work(name) / ASSIGNMENT / FILE).read_bytes()


def test_a_collect_counts_on_the_page_and_brings_the_last_attempts(collected: School) -> None:
    expect(collected.formgrader.row(ASSIGNMENT).locator(".num-submissions")).to_have_text("2")
    for name in STUDENTS:
        brought = collected.root / "submitted" / name / ASSIGNMENT / FILE
        assert brought.read_bytes() == (collected.work(name) / ASSIGNMENT / FILE).read_bytes()


def test_autograding_runs_the_notebooks(graded: School) -> None:
    graded.formgrader.show(f"manage_submissions/{ASSIGNMENT}")
    scores = {name: graded.formgrader.row(name).locator(".score").inner_text() for name in STUDENTS}
    reached, possible = scores["bo"].split(" / ")
    assert reached != "0"
    assert scores["cleo"] == f"0 / {possible}"


def test_feedback_opens_in_the_students_own_lab_and_is_on_the_forge(returned: School) -> None:
    for name in STUDENTS:
        (page,) = (returned.work(name) / ASSIGNMENT / "feedback").glob("*/*.html")
        commits = returned.commits(f"student-{name}", f"feedback/{ASSIGNMENT}")
        (sent,) = (blob for blob in commits[0].tree.traverse() if blob.path.endswith(f"/{NOTEBOOK}.html"))
        assert sent.data_stream.read() == page.read_bytes()
    shown = returned.list("bo").open_feedback(ASSIGNMENT, NOTEBOOK)
    expect(shown.locator("body")).to_contain_text("Score: ")
    returned.lab("bo").picture("feedback")


def test_an_unreleased_assignment_leaves_the_lists_and_can_be_released_again(returned: School) -> None:
    formgrader, page = returned.formgrader, returned.list("cleo")
    formgrader.show("manage_assignments")
    said = formgrader.press(ASSIGNMENT, "release", picture="unreleased")
    assert (said.title, said.sentence) == ("Success", f"Successfully unreleased '{ASSIGNMENT}'.")
    expect(formgrader.row(ASSIGNMENT).locator(".status")).to_have_text("draft")
    page.refresh_until("fetched", ASSIGNMENT, there=False)
    expect(page.row("submitted", ASSIGNMENT)).to_be_visible()
    said = formgrader.press(ASSIGNMENT, "release", picture="released-again")
    assert said.title == "Success", said.text
    page.refresh_until("fetched", ASSIGNMENT)
    kinds = [bool(commit.tree.blobs) for commit in returned.commits("assignments", f"release/{ASSIGNMENT}")]
    assert kinds == [True, False, True]
