"""With the forge down nbgrader's pages still open, within the deadline, and show what was last known."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from nbgrader.api import Gradebook

from tests.pages.campus import Campus
from tests.pages.live import LiveServer, assignments
from tests.unit.school import COURSE

DEADLINE = 5.0


def waits_once(view: Callable[[], object]) -> bool:
    """Return whether the view waits for the forge once at most, and no longer than a list may.

    Looked at again at once it shows what the rest of the page takes on this machine, now: the forge is not asked then.
    """
    began = time.monotonic()
    view()
    first = time.monotonic() - began
    view()
    again = time.monotonic() - began - first
    return first < DEADLINE + 2 * again + 3


@pytest.fixture
def course(campus: Campus) -> Campus:
    campus.school.open("ann")
    campus.school.release("ps1")
    campus.school.submit("ann", "my work", "ps1")
    return campus


@pytest.fixture(params=["cut", "silence"])
def formgrader(request: pytest.FixtureRequest, course: Campus) -> Iterator[LiveServer]:
    # Making it is no part of opening the page.
    with Gradebook(f"sqlite:///{course.work('teacher') / 'gradebook.db'}", COURSE):
        pass
    with course.instructor("ps1", "ps2", seconds=0) as server:
        getattr(course.line, request.param)()
        yield server


def test_formgrader_opens_within_the_deadline_and_names_the_forge(course: Campus, formgrader: LiveServer) -> None:
    def view() -> None:
        assert course.line.url in formgrader.page("/formgrader/")
        listed = formgrader.get("/formgrader/api/assignments")
        assert [(one["name"], one["releaseable"]) for one in listed] == [("ps1", False), ("ps2", False)]

    assert waits_once(view)
    assert course.line.url in formgrader.log()
    course.line.restore()


def test_formgrader_shows_the_last_good_answer_and_recovers(course: Campus) -> None:
    with course.instructor("ps1", "ps2", seconds=0) as server:

        def statuses() -> list[str]:
            return [one["status"] for one in server.get("/formgrader/api/assignments")]

        assert statuses() == ["released", "draft"]
        course.line.cut()
        assert statuses() == ["released", "draft"]
        assert "minutes old" in server.log()
        failed = server.post("/formgrader/api/assignment/ps2/release")
        assert not failed["success"]
        assert course.line.url in failed["log"]
        course.line.restore()
        assert server.post("/formgrader/api/assignment/ps2/release")["success"]
        assert statuses() == ["released", "released"]


@pytest.mark.parametrize("how", ["cut", "silence"])
def test_a_student_sees_the_last_good_answer_marked_as_old(course: Campus, how: str) -> None:
    with course.student("ann", seconds=0) as server:
        courses, before = server.get("/courses"), server.get(assignments(COURSE))
        assert courses == {"success": True, "value": [COURSE]}
        assert [one["status"] for one in before["value"]] == ["released", "submitted"]
        assert "minutes old" not in server.log()
        getattr(course.line, how)()

        def view() -> None:
            assert server.get("/courses") == courses
            assert server.get(assignments(COURSE)) == before

        assert waits_once(view)
        assert "minutes old" in server.log()
        course.line.restore()


def test_a_student_who_saw_nothing_yet_waits_no_longer_than_the_deadline(course: Campus) -> None:
    with course.student("ann") as server:
        course.line.silence()

        def view() -> None:
            assert server.get("/courses")["success"] is False
            assert server.get(assignments(COURSE))["success"] is False

        assert waits_once(view)
        assert course.line.url in server.log()
        course.line.restore()
