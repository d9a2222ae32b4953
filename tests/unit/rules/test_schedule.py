"""What a staged commit tells, read as it was written."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from git_exchange.rules import layout, schedule, trailers
from git_exchange.rules.schedule import Scheduled

AT = datetime(2026, 11, 21, 7, 0, 0, 5, timezone.utc)
CONTENT = [(trailers.ASSIGNMENT, "ps 1"), (trailers.DUE_DATE, "2026-12-01T00:00:00.000000Z")]
PLAIN = Scheduled("release", "ps 1", AT, "m", "Teacher <1-t@users.noreply.x>")


@pytest.mark.parametrize(
    "one",
    [
        PLAIN,
        Scheduled("release", "ps 1", AT, "m", "T <t@x>", replaces="a" * 40, force=True, failed="two\nlines: 100 %"),
        Scheduled("feedback", "ps 1", AT, "m", "T <t@x>", students=2000),
    ],
)
def test_it_is_read_as_it_was_written(one: Scheduled) -> None:
    message = trailers.message("Schedule", [*CONTENT, *schedule.said(one)])
    assert schedule.read(one.ref, message) == one
    assert schedule.content(message) == CONTENT


def test_an_id_that_is_too_long_for_a_name_is_in_the_trailer() -> None:
    name = "ä" * 200
    one = Scheduled("feedback", name, AT, "m", "T <t@x>")
    message = trailers.message("Schedule", [(trailers.ASSIGNMENT, name), *schedule.said(one)])
    assert schedule.read(one.ref, message) == one
    assert schedule.read(one.ref, message.replace("Assignment: ää", "Assignment: ")) is None


@pytest.mark.parametrize(
    ("ref", "said"),
    [
        ("refs/heads/main", schedule.said(PLAIN)),
        ("refs/heads/scheduled/submit/ps1", schedule.said(PLAIN)),
        ("refs/heads/scheduled/release/PS1", schedule.said(PLAIN)),
        (PLAIN.ref, []),
        (PLAIN.ref, [*schedule.said(PLAIN), (trailers.SCHEDULE_ENDED, "cancelled")]),
        (PLAIN.ref, [(trailers.RELEASE_AT, "soon"), (trailers.SCHEDULE, "m")]),
        (PLAIN.ref, [(trailers.RELEASE_AT, "2026-11-21 10:00:00"), (trailers.SCHEDULE, "m")]),
        (PLAIN.ref, [(trailers.RELEASE_AT, "2026-11-21T10:00:00Z")]),
    ],
)
def test_what_has_ended_or_is_none_is_not_scheduled(ref: str, said: list[tuple[str, str]]) -> None:
    assert schedule.read(ref, trailers.message("Something", [*CONTENT, *said])) is None


@pytest.mark.parametrize("kind", ["release", "feedback"])
@pytest.mark.parametrize("assignment_id", ["ps1", "Why?", "a/b"])
def test_names_lead_back_to_what_they_are_of(kind: layout.Planned, assignment_id: str) -> None:
    assert layout.scheduled_in(layout.scheduled_ref(kind, assignment_id)) == (kind, assignment_id)
