from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from git_exchange.collector.inbox import Inbox, InboxUnavailable
from git_exchange.collector.values import Arrival
from git_exchange.errors import ConfigurationError

NOW = datetime(2026, 10, 1, 12, 0, tzinfo=timezone.utc)
ARRIVAL = Arrival("hook:15:a", "calculus", 15, "refs/heads/submit/ps1", "a" * 40, NOW)


def test_a_delivery_is_kept_once(inbox: Inbox) -> None:
    assert inbox.receive(ARRIVAL)
    assert not inbox.receive(ARRIVAL)
    assert inbox.counts().waiting == 1


def test_deliveries_that_arrive_twice_at_the_same_moment_are_kept_once(inbox: Inbox) -> None:
    arrivals = [replace(ARRIVAL, delivery=f"hook:15:{number % 20}") for number in range(60)]
    with ThreadPoolExecutor(8) as pool:
        new = list(pool.map(inbox.receive, arrivals))
    assert sum(new) == 20
    assert inbox.counts().waiting == 20


def test_what_was_received_is_there_for_the_next_process(database: str) -> None:
    first = Inbox.open(database)
    first.receive(ARRIVAL)
    first.close()
    second = Inbox.open(database)
    assert not second.receive(ARRIVAL)
    second.close()


def test_the_oldest_waiting_delivery_has_an_age(database: str) -> None:
    inbox = Inbox.open(database, clock=(NOW + timedelta(seconds=90)).timestamp)
    assert inbox.counts().oldest_waiting is None
    inbox.receive(ARRIVAL)
    inbox.receive(replace(ARRIVAL, delivery="hook:15:b", received=NOW + timedelta(seconds=60)))
    assert inbox.counts().oldest_waiting == pytest.approx(90.0)
    assert inbox.counts("algebra").waiting == 0
    inbox.close()


def test_a_hook_that_signed_once_is_known_to_sign(inbox: Inbox) -> None:
    inbox.note_hook("calculus", 15, NOW, signed=False)
    assert not inbox.hook_signs(15)
    for _ in range(2):
        inbox.note_hook("calculus", 15, NOW, signed=True)
    assert inbox.hook_signs(15)
    assert not inbox.hook_signs(16)


def test_the_last_hook_of_a_course_is_known(inbox: Inbox) -> None:
    later = NOW + timedelta(minutes=1)
    inbox.note_hook("calculus", 15, later, signed=False)
    inbox.note_hook("algebra", 16, NOW, signed=False)
    inbox.note_hook("calculus", 15, NOW, signed=False)
    assert {course: mark.at for course, mark in inbox.marks("hook").items()} == {"calculus": later, "algebra": NOW}


def test_only_one_holds_a_lease_until_it_ends(database: str) -> None:
    now = [1000.0]
    inbox = Inbox.open(database, clock=lambda: now[0])
    assert inbox.lease("sweep", "one", 60)
    assert not inbox.lease("sweep", "two", 60)
    assert inbox.lease("sweep", "one", 60)
    now[0] += 61
    assert inbox.lease("sweep", "two", 60)
    inbox.end_lease("sweep", "one")
    assert not inbox.lease("sweep", "one", 60)
    inbox.end_lease("sweep", "two")
    assert inbox.lease("sweep", "one", 60)
    inbox.close()


def test_a_database_that_is_gone_is_said_without_its_password() -> None:
    with pytest.raises(InboxUnavailable) as caught:
        Inbox.open("postgresql+psycopg://collector:secret@127.0.0.1:1/inbox?connect_timeout=2")
    assert "secret" not in str(caught.value)


def test_a_full_disk_is_said(tmp_path: Path) -> None:
    inbox = Inbox.open(f"sqlite:///{tmp_path}/inbox.db")
    with inbox.database.reading() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
    inbox.database._engine.dispose()
    from sqlalchemy import event

    @event.listens_for(inbox.database._engine, "connect")
    def limit(connection: object, _: object) -> None:
        connection.execute(f"PRAGMA max_page_count={pages}")  # type: ignore[attr-defined]

    with pytest.raises(InboxUnavailable, match="OperationalError"):
        for number in range(10_000):
            inbox.receive(replace(ARRIVAL, delivery=f"hook:15:{number}"))
    inbox.close()


def test_a_locked_inbox_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("git_exchange.collector.database._BUSY_SECONDS", 0.1)
    url = f"sqlite:///{tmp_path}/inbox.db"
    holding, other = Inbox.open(url), Inbox.open(url)
    with holding.database.writing(), pytest.raises(InboxUnavailable):
        other.receive(ARRIVAL)
    assert other.receive(ARRIVAL)
    holding.close()
    other.close()


def test_nobody_else_may_read_the_file(tmp_path: Path) -> None:
    inbox = Inbox.open(f"sqlite:///{tmp_path}/inbox.db")
    inbox.receive(ARRIVAL)
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in tmp_path.glob("inbox.db*"))
    inbox.close()


@pytest.mark.parametrize("url", ["inbox.db", "sqlite:////no/such/folder/inbox.db", "nosuch://x/y", "mysql+nosuch://x"])
def test_what_is_no_database_is_a_mistake_in_the_configuration(url: str) -> None:
    with pytest.raises(ConfigurationError):
        Inbox.open(url)
