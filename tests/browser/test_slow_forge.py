"""Collecting from formgrader with a slow forge: it stops, says how far it came, and goes on when pressed again."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.school import COURSE, STUDENTS, School

pytestmark = pytest.mark.timeout(600)  # the first test waits for everybody's server

ASSIGNMENT = "ps4"
EVERYBODY = (*STUDENTS, "dora", "emil")

# git asks twice for each student: one after another they take twice as long as is allowed, and each half of it.
SECONDS = 2.0
DEADLINE = 8.0


@pytest.fixture
def submitted(school: School) -> Iterator[School]:
    """Four students have submitted; the instructor's server has little patience and works on one at a time."""
    classroom, configuration = school.classroom, school.root / "nbgrader_config.py"
    classroom.enrol(*EVERYBODY, course=COURSE)
    classroom.make_release(ASSIGNMENT, COURSE)
    (school.root / "source" / ASSIGNMENT).mkdir()
    classroom.ok("teacher", "release_assignment", ASSIGNMENT, course=COURSE)
    for name in EVERYBODY:
        shutil.copytree(school.root / "release" / ASSIGNMENT, school.work(name) / ASSIGNMENT)
        classroom.ok(name, "submit", ASSIGNMENT, course=COURSE)
    before = configuration.read_text()
    configuration.write_text(f"{before}c.GitExchange.bulk_deadline = {DEADLINE}\nc.GitExchange.pool = 1\n")
    yield school
    configuration.write_text(f"{before}c.GitExchange.bulk_deadline = 45.0\nc.GitExchange.pool = 8\n")


def test_collecting_ends_in_time_with_what_it_has_and_the_next_press_goes_on(submitted: School) -> None:
    formgrader = submitted.formgrader
    formgrader.show("manage_assignments")
    collected = []
    with submitted.gate.slow(r"POST .*/student-.*/git-upload-pack", SECONDS):
        for number in range(1, 7):
            said = formgrader.press(ASSIGNMENT, "collect", picture=f"slow-{number}")
            collected += re.findall(rf"Collecting submission: (\w+) {ASSIGNMENT}", said.log)
            if said.title == "Success":
                break
            assert re.search(r"\[CRITICAL\] Collect: .*[1-4] waiting \(of 4\)", said.log), said.text
            assert said.log.rstrip().endswith("Collect again: it goes on with the rest.")
    assert number > 1, "there was to be too little time for all"
    assert said.title == "Success", said.text
    assert sorted(collected) == sorted(EVERYBODY)
    expect(formgrader.row(ASSIGNMENT).locator(".num-submissions")).to_have_text("4")
