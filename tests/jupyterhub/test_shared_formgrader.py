"""The formgrader that a course's instructors share: who may open it, and under whose name it works on the forge."""

from __future__ import annotations

import json

import pytest

from tests.jupyterhub.school import BOT, COURSE, School

pytestmark = pytest.mark.xdist_group("jupyterhub")

PREFIX = f"/services/{COURSE}"


def test_its_instructors_open_it_and_a_student_does_not(with_renewal: School) -> None:
    page = with_renewal.browsers["ada"].get(f"{PREFIX}/formgrader")
    assert (page.status_code, "formgrader" in page.text) == (200, True)
    assert with_renewal.browsers["bo"].get(f"{PREFIX}/formgrader").status_code == 403
    assert with_renewal.browsers["bo"].get(f"{PREFIX}/formgrader/api/assignments").status_code == 403


def test_what_it_does_is_recorded_under_the_bot(with_renewal: School) -> None:
    released = with_renewal.formgrader("ada", "release", PREFIX, "ps2")
    assert released["success"], released
    path = f"/projects/teaching%2F{COURSE}%2Fassignments/repository/commits?ref_name=release/ps2"
    commit = with_renewal.forge_asked("GET", path).json()[0]
    assert BOT in commit["author_email"]

    with_renewal.presses("bo", "fetch", "ps2")
    assert with_renewal.presses("bo", "submit", "ps2")["success"]
    collected = with_renewal.formgrader("ada", "collect", PREFIX, "ps2")
    assert collected["success"], collected
    home = with_renewal.hub.home(f"grader-{COURSE}")
    assert (home / COURSE / "submitted" / "bo" / "ps2" / "p1.ipynb").is_file()
    path = f"/projects/teaching%2F{COURSE}%2Fstaff/repository/files/receipts%2Fps2.jsonl/raw?ref=HEAD"
    lines = with_renewal.forge_asked("GET", path).text.splitlines()
    assert [json.loads(line)["recorded_by"] for line in lines] == [BOT]
