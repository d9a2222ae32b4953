"""From a student's push to the course's record, by the webhook that the roster installed, while the key is changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from git_exchange.collector.inbox import Inbox
from git_exchange.course.hook_keys import drop_old_hook_keys, new_hook_key, read_hook_keys
from git_exchange.course.hooks import read_hooks
from git_exchange.devserver import RunningServer
from git_exchange.operations.hook_state import HookSetup, check_moved, repair_hooks
from git_exchange.provisioning.apply import apply_roster
from git_exchange.provisioning.people import Person, Roster
from git_exchange.secret import Token
from tests import realforge
from tests.collector.desk import Desk, configuration
from tests.collector.receiving import Threaded, threaded, until
from tests.unit.school import COURSE, School


@pytest.fixture(params=["gitlab", *(["gitea"] if realforge.available() else [])])
def school(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[School]:
    if request.param == "gitlab":
        server: RunningServer = request.getfixturevalue("server")
        yield School(server.url, Token(server.admin_token), tmp_path / "school")
        return
    with realforge.running(tmp_path / "gitea", immediate=True) as forge:
        opened = School(forge.url, Token(forge.token), tmp_path / "school", kind="gitea")
        opened.token("teacher")
        realforge.let_create_organisations(forge, opened.username("teacher"))
        yield opened


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[Threaded]:
    inbox = Inbox.open(f"sqlite:///{tmp_path}/inbox.db")
    with threaded(inbox, tmp_path) as found:
        yield found
    inbox.close()


def test_every_submission_is_recorded_also_while_the_key_is_changed(
    school: School, listening: Threaded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_EXCHANGE_TOKEN", school.token("teacher").value)
    school.open("ann")
    school.release()
    people = [Person("teacher", role="instructor", username=school.username("teacher")), Person("ann")]
    setup = HookSetup(listening.url, read_hook_keys(listening.keys_file))
    report, _ = apply_roster(school.course(), school.forge(), Roster(tuple(people), "the test"), hooks=setup)
    assert report.counts == {"unchanged": 1, "changed": 1}
    desk = Desk(school, configuration(school, f"sqlite:///{tmp_path}/inbox.db"))

    def submitted_and_recorded(text: str) -> None:
        known = len(listening.woken)
        commit = school.submit("ann", text).commit
        until(lambda: len(listening.woken) > known)
        assert listening.woken[-1].commit == commit
        desk.worker().work_off()
        assert desk.pins("ann")[-1] == commit

    newer = HookSetup(listening.url, new_hook_key(listening.keys_file))
    submitted_and_recorded("by the key that is an old one now")
    assert repair_hooks(school.course(), newer).counts == {"repaired": 1}
    submitted_and_recorded("by the new key, while both are valid")
    check_moved(school.course(), newer.newest)
    drop_old_hook_keys(listening.keys_file)
    submitted_and_recorded("by the only key")
    desk.inbox.close()
    (hook,) = read_hooks(school.course()).values()
    assert hook.url.startswith(f"{listening.url}/hooks/{COURSE}/")
