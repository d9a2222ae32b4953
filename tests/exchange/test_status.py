"""``git-exchange status`` as students and staff see it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

from git_exchange.rules import times
from tests.exchange.classroom import COURSE, Classroom
from tests.exchange.test_cycle import submit_work
from tests.exchange.test_other_ways import returned

BERLIN_IN_WINTER = "CET-1"  # as POSIX writes it: an hour ahead of UTC


def status(classroom: Classroom, name: str, *options: str, **environment: str) -> str:
    someone = classroom.person(name)
    folder = classroom.root() if name == "teacher" else someone.work
    result = classroom.run(someone, ["git-exchange", "status", *options], folder, **environment)
    assert result.status == 0, result.output
    return result.output


def told(classroom: Classroom, name: str, *options: str) -> Any:
    return json.loads(status(classroom, name, "--json", *options))


def test_a_student_sees_what_is_due_handed_in_and_returned(classroom: Classroom) -> None:
    classroom.open("ann", "ben")
    assert "Nothing is released" in status(classroom, "ann")
    due = datetime(2100, 1, 1, 17, tzinfo=timezone.utc)
    classroom.set_due(due)
    classroom.release()
    (before,) = told(classroom, "ann")
    assert before == {
        "as": "student",
        "course_id": COURSE,
        "assignment_id": "ps1",
        "due": times.isoformat(due),
        "withdrawn": False,
        "copy": "none",
        "submission": None,
        "feedback": "none",
    }
    submit_work(classroom, "ann", "x = 2")
    submit_work(classroom, "ann", "x = 3")
    classroom.pushes("ann")
    (after,) = told(classroom, "ann")
    assert (after["copy"], after["submission"]["attempt"], after["submission"]["verdict"]) == ("fetched", 2, "on-time")
    classroom.ok("teacher", "collect", "ps1")
    assert after["submission"]["at"] == times.isoformat(
        times.parse_timestamp((classroom.submitted("ann") / "timestamp.txt").read_text())
    )
    shown = status(classroom, "ann", TZ=BERLIN_IN_WINTER)
    assert "due        2100-01-01 18:00+01:00" in shown
    assert "+01:00, on time" in shown
    assert f"receipt    {after['submission']['url']}" in shown
    assert "recorded by the staff" in shown
    returned(classroom, "ann", "<p>fine</p>", stamp=(classroom.submitted("ann") / "timestamp.txt").read_text())
    classroom.ok("teacher", "release_feedback", "ps1")
    assert told(classroom, "ann")[0]["feedback"] == "ready"
    classroom.ok("ann", "fetch_feedback", "ps1")
    assert told(classroom, "ann")[0]["feedback"] == "fetched"
    classroom.release("ps1", "--force", hint__txt="look at chapter 2")
    assert told(classroom, "ann")[0]["copy"] == "older version"
    (counted,) = told(classroom, "teacher")
    assert counted == {
        "as": "staff",
        "course_id": COURSE,
        "assignment_id": "ps1",
        "due": times.isoformat(due),
        "withdrawn": False,
        "students": 2,
        "submitted": 1,
        "returned": 1,
        "extensions": 0,
    }
    assert "submitted  1 of 2" in status(classroom, "teacher")
    assert "in the gradebook" not in status(classroom, "teacher")
    classroom.set_due(due + timedelta(days=1))
    assert "2100-01-02 17:00+00:00 in the gradebook, which decides" in status(classroom, "teacher", TZ="UTC0")


def test_late_work_and_work_that_was_taken_back_are_told_and_other_courses_are_too(classroom: Classroom) -> None:
    classroom.open("ann")
    classroom.open("ann", course="algebra")
    classroom.set_due(datetime.now(timezone.utc) - timedelta(days=1))
    classroom.release()
    classroom.release("ps2", course="algebra")
    submit_work(classroom, "ann", "x = 2")
    classroom.pushes("ann")
    first, second = sorted(told(classroom, "ann"), key=lambda one: str(one["assignment_id"]))
    assert (first["course_id"], first["submission"]["verdict"]) == (COURSE, "late")
    assert (second["course_id"], second["due"], second["submission"]) == ("algebra", None, None)
    assert [one["assignment_id"] for one in told(classroom, "ann", "--course", "algebra")] == ["ps2"]
    classroom.ok("teacher", "list", "ps1", "--remove")
    classroom.ok("teacher", "list", "ps2", "--remove", course="algebra")
    (left,) = told(classroom, "ann")
    assert (left["assignment_id"], left["withdrawn"], left["submission"]["attempt"]) == ("ps1", True, 1)
    nowhere = classroom.run(classroom.student("ann"), ["git-exchange", "status", "--course", "nowhere"])
    assert nowhere.status == 1
    assert "Course not found: nowhere" in nowhere.output
