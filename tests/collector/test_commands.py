from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from git_exchange.cli.collector import collector
from git_exchange.collector.inbox import Inbox
from git_exchange.collector.jobs import Jobs
from git_exchange.collector.values import Arrival
from git_exchange.errors import ConfigurationError

COURSES = ("calculus", "algebra")
HOSTILE = "\x1b[31mred"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "collector.toml"
    path.write_text(
        f'url = "https://forge.example"\nnamespace = "teaching"\ncourses = {json.dumps(COURSES)}\n'
        '[hooks]\npublic_url = "https://collector.example"\nkeys_file = "keys"\n'
        f'[storage]\ndatabase = "sqlite:///{tmp_path}/inbox.db"\nqueue = "sqlite:///{tmp_path}/queue.db"\n'
    )
    return path


@pytest.fixture
def inbox(file: Path) -> Inbox:
    return Inbox.open(f"sqlite:///{file.parent}/inbox.db")


def run(file: Path, command: str, *arguments: str) -> Result:
    return CliRunner().invoke(collector, [command, "--config", str(file), *arguments])


def bury(inbox: Inbox, delivery: str) -> None:
    """Make a delivery of it that failed too often."""
    inbox.receive(Arrival(delivery, "calculus", 15, "refs/heads/submit/ps1", "a" * 40, datetime.now(timezone.utc)))
    jobs = Jobs(inbox, lease_seconds=60, max_tries=1)
    batch = jobs.claim()
    assert batch is not None
    jobs.fail(batch, batch.jobs[0], f"broken pack {HOSTILE}")


def test_the_status_is_well_when_all_was_swept_and_says_so(file: Path, inbox: Inbox) -> None:
    now = datetime.now(timezone.utc)
    for course in COURSES:
        inbox.mark("sweep", course, now)
    inbox.note_hook("calculus", 15, now, signed=True)
    found = run(file, "status", "--json")
    assert found.exit_code == 0, found.output
    said = json.loads(found.output)
    assert (said["ok"], said["troubles"]) == (True, [])
    assert [course["course_id"] for course in said["courses"]] == list(COURSES)
    assert said["courses"][0]["last_hook"].startswith(f"{now:%Y-%m-%dT%H:%M}")
    assert said["courses"][1]["last_hook"] is None
    assert run(file, "status").exit_code == 0


def test_a_course_that_was_not_swept_for_long_needs_a_person(file: Path, inbox: Inbox) -> None:
    inbox.mark("sweep", "calculus", datetime.now(timezone.utc))
    inbox.mark("sweep", "algebra", datetime.now(timezone.utc) - timedelta(hours=1))
    inbox.mark("sweep failed", "algebra", datetime.now(timezone.utc), "The forge cannot be reached.")
    found = run(file, "status")
    assert found.exit_code == 1
    assert "algebra was last swept at" in found.output
    assert "The forge cannot be reached." in found.output
    assert "calculus was" not in found.output


def test_dead_letters_are_listed_with_their_reasons_and_can_be_tried_again(file: Path, inbox: Inbox) -> None:
    for course in COURSES:
        inbox.mark("sweep", course, datetime.now(timezone.utc))
    for delivery in ("hook:15:a", "hook:15:b", "hook:15:c"):
        bury(inbox, delivery)
    assert run(file, "status").exit_code == 1
    listed = run(file, "dead").output
    assert listed.count("broken pack") == 3
    assert "hook:15:b" in listed
    assert "\x1b" not in listed
    assert "1 are tried again" in run(file, "dead", "--retry", "hook:15:b").output
    assert "2 are tried again" in run(file, "dead", "--all").output
    assert run(file, "dead").output == "There are none.\n"
    assert run(file, "status").exit_code == 0
    assert isinstance(run(file, "dead", "--retry", "hook:15:b").exception, ConfigurationError)
