"""The collector's sweep releases what is due, and comes when more is."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from git_exchange.collector.config import read_config
from git_exchange.collector.courses import Courses
from git_exchange.collector.inbox import Inbox
from git_exchange.collector.sweep import AFTER, Sweeper
from git_exchange.course.releases import releases
from git_exchange.operations.scheduled_release import schedule_release
from tests.unit.operations.timed import SOON
from tests.unit.school import COURSE, RULES, School


@pytest.fixture
def sweeper(school: School, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sweeper:
    school.open(staff=(("robot", "instructor"),))
    settings = school.settings("robot")
    monkeypatch.setenv("GIT_EXCHANGE_TOKEN", school.token("robot").value)
    file = tmp_path / "collector.toml"
    file.write_text(
        f'url = "{settings.url}"\nnamespace = "{settings.namespace}"\nkind = "gitlab"\ncourses = ["{COURSE}"]\n'
        f'cache_dir = "{tmp_path}/robot"\n[hooks]\npublic_url = "https://collector.example"\nkeys_file = "keys"\n'
        f'[storage]\ndatabase = "sqlite:///{tmp_path}/inbox.db"\nqueue = "sqlite:///{tmp_path}/queue.db"\n'
    )
    config = read_config(file)
    return Sweeper(config, Inbox.open(config.storage.database), Courses(config.settings))


def test_a_sweep_releases_what_is_due_in_a_course_without_releases_and_students(
    school: School, sweeper: Sweeper
) -> None:
    now = datetime.now(timezone.utc)
    folder = school.folder("release", {"p1.ipynb": "x"})
    schedule_release(school.course(), "ps1", folder, RULES, at=SOON)
    assert sweeper.sweep() is not None
    assert releases(school.course()) == []
    assert sweeper.next_after(SOON - timedelta(minutes=1)) == SOON + AFTER
    assert sweeper.next_after(now) < SOON
    school.control("clock", offset=7200)
    swept = sweeper.sweep()
    assert swept is not None
    assert swept.failed == ()
    assert [one.assignment_id for one in releases(school.course())] == ["ps1"]
