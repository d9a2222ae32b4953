"""``git-exchange history``, as people run it, on every forge."""

from __future__ import annotations

import json
from typing import Any

from git_exchange.course.history import EVENT, RECEIPT
from tests.exchange.classroom import COURSE, Classroom
from tests.exchange.test_cycle import submit_work


def told(classroom: Classroom, name: str, *arguments: str) -> list[dict[str, Any]]:
    command = ["git-exchange", "history", *arguments, "--json", "--course", COURSE]
    result = classroom.run(classroom.people[name], command)
    assert result.status == 0, result.output
    # Here the two outputs come as one; what nbgrader says of the configuration goes to the other.
    found: list[dict[str, Any]] = json.loads(result.output[result.output.index("[\n") :])
    return found


def test_the_staff_see_who_did_what_and_students_only_their_own(classroom: Classroom) -> None:
    classroom.open("ann", "ben")
    classroom.release()
    for student in ("ann", "ben"):
        submit_work(classroom, student, f"x = '{student}'")
        classroom.pushes(student)
    classroom.ok("teacher", "collect", "ps1")
    classroom.ok("teacher", "list", "ps1", "--remove")
    entries = told(classroom, "teacher")
    people = {name: person.username for name, person in classroom.people.items()}
    by_event = [(e["what"], e["by"], e["student"]) for e in entries if e["evidence"] == EVENT]
    assert ("released", people["teacher"], "") in by_event
    assert ("withdrawn", people["teacher"], "") in by_event
    assert ("submitted", people["ann"], "ann") in by_event
    assert ("submitted", people["ben"], "ben") in by_event
    collected = [e["student"] for e in entries if (e["what"], e["evidence"]) == ("collected", RECEIPT)]
    assert sorted(collected) == ["ann", "ben"]
    assert [e["at"] for e in entries] == sorted(e["at"] for e in entries)
    assert {e["student"] for e in told(classroom, "teacher", "ps1", "--student", "ann")} == {"", "ann"}
    mine = told(classroom, "ann")
    assert [(e["what"], e["student"]) for e in mine] == [("submitted", "ann")]
    shown = classroom.run(classroom.people["ann"], ["git-exchange", "history", "--course", COURSE]).output
    assert "submitted" in shown
    assert EVENT in shown
    refused = classroom.run(
        classroom.people["ann"], ["git-exchange", "history", "--course", COURSE, "--student", "ben"]
    )
    assert refused.status == 1
    assert "own seat only" in refused.output
