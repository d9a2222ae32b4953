"""The server dies in the middle of a push; it comes back with what it had, and the same command is run again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest

from git_exchange.devserver import RunningServer
from git_exchange.errors import GitExchangeError
from git_exchange.secret import Token
from tests.faults.actions import OPERATIONS, STUDENTS, Campus
from tests.faults.checks import attempted
from tests.faults.deadly_line import DeadlyLine


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server of this module's own: the other tests' must live."""
    with RunningServer(tmp_path_factory.mktemp("mortal")) as running:
        running.port = int(running.url.rpartition(":")[2])
        yield running


@pytest.fixture(scope="module")
def campus(mortal: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Campus, DeadlyLine]]:
    place = tmp_path_factory.mktemp("campus")
    (place / "desks").mkdir()
    with DeadlyLine(mortal.url, mortal) as line:
        opened = Campus(
            line.url,
            Token(mortal.admin_token),
            place,
            repositories=mortal.state / "repositories",
            desks=place / "desks",
        )
        opened.open(*STUDENTS)
        yield opened, line


@pytest.mark.parametrize("moment", ["in the middle", "when it has arrived"])
@pytest.mark.parametrize("operation", ["release", "extension-set", "release-feedback"])
def test_a_push_on_which_the_server_died_is_finished_by_the_same_command(
    operation: str, moment: str, campus: tuple[Campus, DeadlyLine]
) -> None:
    opened, line = campus
    what = OPERATIONS[operation]
    results = []
    for name, dies in ((f"calm{operation[:9]}{moment[:2]}", False), (f"dead{operation[:9]}{moment[:2]}", True)):
        what.prepare(opened, name)
        if dies:
            line.moment, line.died = moment, False
            error = attempted(opened, lambda: what.run(opened, name))  # noqa: B023 - run at once
            assert line.died
            assert isinstance(error, GitExchangeError), "success was reported by a server that was dead"
            line.revive()
        with suppress(*what.again):
            what.run(opened, name)
        results.append(what.result(opened, name))
    assert results[0] == results[1]
