from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from git_exchange.course.feedback import received, received_at
from git_exchange.files.paths import problem

MOMENT = datetime(2026, 11, 20, 10, 0, 0, 123456, timezone.utc)


@pytest.mark.parametrize("moment", [MOMENT, MOMENT.replace(microsecond=0)])
def test_work_that_came_by_another_way_is_known_by_its_time(moment: datetime) -> None:
    assert received_at(received(moment)) == moment


def test_the_time_is_the_same_moment_in_every_zone() -> None:
    assert received(MOMENT) == received(MOMENT.astimezone(timezone(timedelta(hours=5, minutes=45))))


@pytest.mark.parametrize("attempt", ["a" * 40, "", "received-", "received-20261120", "received-x.yZ", "../x"])
def test_a_commit_or_anything_else_is_no_time(attempt: str) -> None:
    assert received_at(attempt) is None


def test_what_stands_for_the_work_can_be_a_folder_on_every_system() -> None:
    assert problem(received(MOMENT).encode(), windows=True) is None
