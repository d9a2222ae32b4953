"""Extensions from the command to formgrader's database, by the commands that people use."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

from git_exchange.rules import times
from tests.exchange.classroom import COURSE, Classroom, Result
from tests.exchange.test_cycle import submit_work


def extension(classroom: Classroom, *arguments: str) -> Result:
    verb, *others = arguments
    return classroom.run(classroom.teacher, ["git-exchange", "extension", verb, COURSE, *others])


def test_an_extension_reaches_collect_and_nbgraders_gradebook_and_is_taken_back(classroom: Classroom) -> None:
    classroom.open("ann", "ben")
    due = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(days=1)
    classroom.set_due(due)
    classroom.release()
    until = due + timedelta(days=2)
    refused = extension(classroom, "set", "ps1", "ann", "ben", f"{until:%Y-%m-%d %H:%M}")
    assert refused.status == 2
    assert "--timezone" in refused.output
    granted = extension(classroom, "set", "ps1", "ann", "ben", times.isoformat(until)[:19] + "Z", "--reason", "ill")
    assert "2 extended" in granted.output, granted.output
    listed = json.loads(extension(classroom, "list", "--student", "ann", "--json").output)
    assert [(one["student_id"], one["until"], one["reason"]) for one in listed] == [
        ("ann", times.isoformat(until), "ill")
    ]
    submit_work(classroom, "ann", "x = 2")
    classroom.ok("teacher", "collect", "ps1")
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{classroom.root() / 'gradebook.db'}", COURSE) as gradebook:
        (submission,) = gradebook.assignment_submissions("ps1")
        assert (submission.student.id, submission.extension) == ("ann", timedelta(days=2))
    assert "2 removed" in extension(classroom, "remove", "ps1", "ann", "ben").output
    assert "Nobody has an extension" in extension(classroom, "list").output
    classroom.ok("teacher", "collect", "ps1", "--update")
    with Gradebook(f"sqlite:///{classroom.root() / 'gradebook.db'}", COURSE) as gradebook:
        assert gradebook.find_submission("ps1", "ann").extension is None
