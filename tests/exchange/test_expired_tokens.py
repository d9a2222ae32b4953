"""Expired tokens of many people behind one address, on a forge that bans addresses: who has a good one gets through."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path

import pytest
import requests

from git_exchange.demo.people import Someone
from git_exchange.devserver import RunningServer
from git_exchange.forge.connect import connect_accounts
from git_exchange.secret import Token
from tests.exchange.classroom import COURSE, Classroom, Result
from tests.exchange.conftest import Server
from tests.exchange.zygote import Zygote

SERVERS = 40  # ten more than are enough for a ban


@pytest.fixture
def strict(zygote: Zygote, tmp_path: Path) -> Iterator[Classroom]:
    """A classroom on a development server of its own, which bans."""
    with RunningServer(tmp_path / "server") as development:
        server = Server("gitlab", development.url, Token(development.admin_token))
        classroom = Classroom(server.url, server.admin, tmp_path, zygote)
        classroom.open("bo")
        classroom.release()
        failed_sign_ins(classroom, on=True)
        yield classroom


def failed_sign_ins(classroom: Classroom, **switched: bool) -> int:
    """Return how many failed sign-ins of git the server counts."""
    headers = {"PRIVATE-TOKEN": classroom.admin.value}
    answer = requests.post(f"{classroom.url}/-/devserver/bans", json=switched, headers=headers, timeout=60)
    answer.raise_for_status()
    return int(answer.json()["failed"])


def people_with_expired_tokens(classroom: Classroom) -> list[Someone]:
    accounts = connect_accounts(classroom.settings(), classroom.admin)
    account = accounts.create_account(f"late-{classroom.mark}", name="Late", email="late@example.invalid")
    today = datetime.now(timezone.utc).date()
    found = []
    for number in range(SERVERS):
        token = accounts.create_token(account, name=str(number), scopes=("api",), expires=today)
        place = classroom.place / "people" / f"late-{number}"
        someone = Someone(f"late{number}", account.username, place, classroom.url, classroom.namespace, "gitlab")
        someone.settle_in(token)
        someone.configure(someone.work, COURSE)
        found.append(someone)
    return found


def test_forty_servers_with_expired_tokens_do_not_lock_the_others_out(strict: Classroom) -> None:
    def fetches(someone: Someone) -> Result:
        return strict.run(someone, ["nbgrader", "fetch_assignment", "ps1"])

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(fetches, people_with_expired_tokens(strict)))
    assert all(result.status for result in results)
    assert all("does not accept the token" in result.output for result in results), results[0].output
    assert failed_sign_ins(strict) == 0, "git was started with a token that the API had refused"
    strict.ok("bo", "fetch_assignment", "ps1")
    strict.ok("bo", "submit", "ps1")
