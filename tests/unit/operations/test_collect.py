from __future__ import annotations

from datetime import datetime, timedelta, timezone

from git_exchange.rules import times
from tests.unit.school import School


def now() -> datetime:
    return datetime.now(timezone.utc)


def test_who_cannot_write_receipts_still_collects_a_resubmission_when_the_due_date_is_written_for_both(
    school: School,
) -> None:
    school.open("ann", staff=(("grader", "grader"),))
    school.release()
    due = now() - timedelta(seconds=5)
    school.submit("ann", "first")
    school.collect(name="grader", policy={"due": due})
    assert school.stamp("ann") == times.timestamp(due)
    assert "not pinned" in school.heard()
    school.submit("ann", "second")
    assert school.collect(name="grader", policy={"due": due}).counts == {"updated": 1}
    assert (school.submitted("ann") / "p1.ipynb").read_text() == "second"
    assert school.collect(name="grader", policy={"due": due}).counts == {"unchanged": 1}


def test_a_time_that_the_forge_records_later_replaces_the_one_that_we_had_to_take(school: School) -> None:
    school.open("ann")
    school.release()
    school.control("events", hold=True)
    school.submit("ann", "first")
    school.collect()
    taken = times.parse_timestamp(school.stamp("ann"))
    school.control("events", release=True)
    pushed = school.course().forge.pushes(school.course().seat_project("ann").id)[-1].at
    assert pushed < taken
    school.collect()
    assert times.parse_timestamp(school.stamp("ann")) == pushed
    assert school.collect().counts == {"unchanged": 1}
