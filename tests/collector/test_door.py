"""What is answered to hooks, and what is kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from git_exchange.collector.door import Door, Keys
from git_exchange.collector.inbox import Inbox
from git_exchange.collector.values import Arrival
from git_exchange.errors import ConfigurationError, InboxUnavailable
from tests.collector import deliveries
from tests.collector.deliveries import COMMIT, KEY, NOW, OLD_KEY, REF, Headers, secret
from tests.collector.receiving import write_keys

BODY = deliveries.body("gitlab")


class School:
    """A door with everything behind it at hand."""

    def __init__(self, folder: Path) -> None:
        self.inbox = Inbox.open(f"sqlite:///{folder}/inbox.db")
        self.keys_file = write_keys(folder / "hook-keys", KEY)
        self.woken: list[Arrival] = []
        self.door = Door(["calculus", "Bio 1"], Keys(self.keys_file), self.inbox, self.woken.append, clock=lambda: NOW)

    def take(self, headers: Headers, body: bytes = BODY, course: str = "calculus", project_id: int = 15) -> str:
        answer = self.door.take(course, project_id, headers, body)
        self.door.afterwards(course, project_id, answer)
        return f"{answer.status} {answer.outcome}"


@pytest.fixture
def school(tmp_path: Path) -> Iterator[School]:
    opened = School(tmp_path)
    yield opened
    opened.inbox.close()


def test_a_push_is_kept_and_wakes_a_worker_once(school: School) -> None:
    headers = deliveries.gitlab(BODY, secret(), delivery="abc")
    assert [school.take(headers) for _ in range(3)] == ["202 accepted", "200 duplicate", "200 duplicate"]
    assert school.woken == [Arrival("hook:15:abc", "calculus", 15, REF, COMMIT, NOW)]
    assert school.inbox.counts().waiting == 1
    assert school.inbox.marks("hook")["calculus"].at == NOW


def test_a_course_is_known_by_its_name_on_the_server(school: School) -> None:
    assert school.take(deliveries.gitlab(BODY, secret()), course="x_42io_201") == "202 accepted"
    assert school.woken[0].course_id == "Bio 1"
    assert school.take(deliveries.gitlab(BODY, secret()), course="algebra") == "404 unknown-course"


def test_what_is_not_ours_is_answered_well_and_shows_that_the_hook_works(school: School) -> None:
    body = deliveries.body("gitea", ref="refs/heads/main")
    assert school.take(deliveries.gitea(body, secret()), body) == "200 not-ours"
    assert not school.woken
    assert school.inbox.counts().waiting == 0
    assert school.inbox.marks("hook")["calculus"].at == NOW


def test_what_is_refused_leaves_no_trace(school: School) -> None:
    assert school.take(deliveries.gitlab(BODY, secret(16))) == "401 token"
    assert school.take(deliveries.gitlab(BODY, secret(), signed=True, at=NOW - timedelta(hours=1))) == "401 timestamp"
    assert not school.woken
    assert school.inbox.counts().received == 0
    assert not school.inbox.marks("hook")
    assert not school.inbox.hook_signs(15)


def test_once_a_hook_signs_what_is_unsigned_is_refused(school: School) -> None:
    assert school.take(deliveries.gitlab(BODY, secret())) == "202 accepted"
    assert school.take(deliveries.gitlab(BODY, secret(), signed=True)) == "202 accepted"
    assert school.take(deliveries.gitlab(BODY, secret())) == "401 unsigned"
    # Who knows the token, which travels in clear, could also make the other forge's signature of it.
    data = deliveries.body("gitea")
    assert school.take(deliveries.gitea(data, secret()), data) == "401 unsigned"
    other = deliveries.body("gitlab", 16)
    assert school.take(deliveries.gitlab(other, secret(16)), other, project_id=16) == "202 accepted"


def test_keys_are_rotated_without_a_gap_and_without_a_restart(school: School) -> None:
    old, new = (deliveries.gitlab(BODY, secret(key=key)) for key in (KEY, OLD_KEY))
    assert school.take(new) == "401 token"
    write_keys(school.keys_file, OLD_KEY, KEY)
    assert (school.take(new), school.take(old)) == ("202 accepted", "202 accepted")
    write_keys(school.keys_file, OLD_KEY)
    assert (school.take(new), school.take(old)) == ("200 duplicate", "401 token")


@pytest.mark.parametrize("harm", ["gone", "empty", "open to all"])
def test_keys_that_were_read_stay_valid_while_their_file_cannot_be_used(school: School, harm: str) -> None:
    if harm == "gone":
        school.keys_file.unlink()
    elif harm == "empty":
        school.keys_file.write_bytes(b"")
    else:
        school.keys_file.chmod(0o644)
    assert school.take(deliveries.gitlab(BODY, secret())) == "202 accepted"


def test_without_keys_nothing_starts(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        Keys(tmp_path / "hook-keys")


def test_an_inbox_that_does_not_answer_is_no_success(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable(*_: object) -> bool:
        raise InboxUnavailable("The disk is full.")

    monkeypatch.setattr(school.inbox, "receive", unavailable)
    assert school.take(deliveries.gitlab(BODY, secret())) == "503 inbox"
    assert not school.woken


def test_what_comes_after_the_answer_fails_quietly(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable(*_: object) -> None:
        raise InboxUnavailable("The disk is full.")

    monkeypatch.setattr(school.inbox, "note_hook", unavailable)
    assert school.take(deliveries.gitlab(BODY, secret())) == "202 accepted"
    assert len(school.woken) == 1
