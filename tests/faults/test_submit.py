"""Submit against every fault of the line, of git, of the disk and of time.

However it ends: success is told only if the forge has the work, the folder is as it was, and submitting again without
the fault leaves one attempt more than before, not two.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from git_exchange.course.course import Course
from git_exchange.course.seats import my_seat
from git_exchange.devserver import RunningServer
from git_exchange.errors import GitExchangeError
from git_exchange.forge.connect import connect
from git_exchange.operations import submit
from git_exchange.operations.submit import Submitted
from git_exchange.rules import trailers
from git_exchange.settings import Limits
from tests.faults import line as faults
from tests.faults.checks import attempted, check_words, harm, untouched
from tests.faults.forked import in_child
from tests.faults.line import Fault, FaultyLine, Passed
from tests.faults.wrapped_git import ACTIONS, WrappedGit
from tests.unit.school import RULES, School

LIMITS = Limits(http_timeout=10.0, git_timeout=5.0, git_stall=4.0, pool=1)
HURRIED = Limits(http_timeout=0.4, git_timeout=4.0, git_stall=1.0, pool=1)
# A read, the list of branches, and each kind of git's requests: for faults that are too slow to be had everywhere.
EVERYWHERE = (faults.REFUSED, faults.LOST)
KINDS = (
    *faults.STATUSES,
    *(faults.SIGN_IN_PAGE, faults.PAGE_NOT_JSON, faults.CUT, faults.HALF, faults.SHORT, faults.GARBLED),
)
# Some of these are repeated and then harmless; all the others last until the fault is taken away.
ONCE = (faults.LOST,)


@dataclass
class Desk:
    """One student's work folder and what the forge has of it; each ``write`` is other work."""

    school: School
    server: RunningServer
    turn: Iterator[int] = field(default_factory=itertools.count)

    @property
    def work(self) -> Path:
        return self.school.place / "work-ann"

    @property
    def cache(self) -> Path:
        return self.school.place / "cache" / "ann"

    def write(self) -> None:
        """Save new work and forget what this machine knew, so that every submission takes the same steps."""
        number = next(self.turn)
        self.school.folder("work-ann", {"p1.ipynb": f"work {number} " + "x" * 500, "data/more.txt": str(number)})
        shutil.rmtree(self.cache, ignore_errors=True)

    def submit(self, limits: Limits = LIMITS, folder: Path | None = None) -> Submitted:
        course = self.school.course("ann", limits=limits)
        prepared = submit.prepare(course, my_seat(course), "ps1", folder or self.work, RULES)
        return submit.submit(course, prepared, listener=self.school.listen)

    def there(self) -> tuple[str, int]:
        """Return commit and number of the newest attempt on the forge, asked without the line."""
        direct = replace(self.school.settings(), url=self.server.url)
        forge = connect(direct, self.school.token("teacher"))
        seat = forge.find_project(f"{direct.namespace}/calculus/student-ann")
        (branch,) = forge.branches(seat.id, "submit/")
        number = trailers.parse(branch.message).first(trailers.ATTEMPT)
        return branch.commit, int(number or 0)


@pytest.fixture(scope="module")
def desk(school: School, server: RunningServer) -> Desk:
    school.open("ann")
    school.release()
    desk = Desk(school, server)
    desk.write()
    desk.submit()
    return desk


@pytest.fixture(scope="module")
def requests(desk: Desk, line: FaultyLine) -> list[Passed]:
    """The requests of a submission in their order."""
    desk.write()
    with line.count() as seen:
        desk.submit()
    assert len({request.path for request in seen.requests}) > 8
    return seen.requests


@contextmanager
def case(name: str) -> Iterator[None]:
    """Say which case it was that failed."""
    try:
        yield
    except Exception as error:
        raise AssertionError(f"case {name!r}: {error}") from error


def check(desk: Desk, spoil: Callable[[Callable[[], Submitted]], Submitted | GitExchangeError]) -> Submitted | None:
    """Submit new work with a fault, then without, and check what holds always; return what the first try said."""
    desk.write()
    _, before = desk.there()
    with untouched(desk.work):
        first = spoil(desk.submit)
        if isinstance(first, Submitted):
            assert desk.there() == (first.commit, before + 1)
            return first
        second = desk.submit()
    assert desk.there() == (second.commit, before + 1), "the attempt was doubled, or is not there"
    assert second.number == before + 1
    assert second.by_event
    return None


def every_kind(requests: list[Passed]) -> list[int]:
    """Return one place (from 1) of every kind of request: method and last part of the path, by project."""
    found: dict[tuple[str, str], int] = {}
    for place, request in enumerate(requests, start=1):
        parts = request.path.split("/")
        kind = (request.method, parts[-1] if not request.by_git else "/".join(parts[-3:]))
        found[kind] = place  # the last one: what came before has been done
    return sorted(found.values())


def test_every_kind_of_request_is_among_the_places(requests: list[Passed]) -> None:
    paths = {requests[place - 1].path.rsplit("/", 1)[-1] for place in every_kind(requests)}
    assert {"user", "branches", "info", "refs", "git-upload-pack", "git-receive-pack", "events"} & paths >= {
        "branches",
        "refs",
        "git-upload-pack",
        "git-receive-pack",
        "events",
    }


@pytest.mark.parametrize("fault", EVERYWHERE, ids=str)
def test_a_submission_survives_a_fault_at_its_requests(
    desk: Desk, line: FaultyLine, requests: list[Passed], fault: Fault
) -> None:
    # Every second request with each fault: the first one is struck by one of them, the second by the other.
    for place in range(1 + EVERYWHERE.index(fault), len(requests) + 1, 2):
        _meet(desk, line, fault, place)


@pytest.mark.parametrize("fault", KINDS, ids=str)
def test_a_submission_survives_a_fault_at_each_kind_of_request(
    desk: Desk, line: FaultyLine, requests: list[Passed], fault: Fault
) -> None:
    # A sixth of the kinds with each fault, another sixth with the next: pairs enough, in a sixth of the time.
    for place in every_kind(requests)[KINDS.index(fault) % 6 :: 6]:
        _meet(desk, line, fault, place)


def test_a_silent_forge_ends_a_submission_in_bounded_time(desk: Desk, line: FaultyLine, requests: list[Passed]) -> None:
    for place in (1, len(requests) - 4, len(requests)):
        _meet(desk, line, faults.SILENT, place, HURRIED)


def test_no_token_reaches_the_address_that_a_forge_redirects_to(
    desk: Desk, line: FaultyLine, requests: list[Passed]
) -> None:
    with FaultyLine(desk.server.url) as elsewhere:
        for place in every_kind(requests)[::4]:
            _meet(desk, line, faults.redirect_to(elsewhere.url), place)
        assert elsewhere.passed == []


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_a_submission_survives_a_git_that_fails_at_each_call(desk: Desk, git: WrappedGit, action: str) -> None:
    desk.write()
    with git.at(0):
        desk.submit()
        calls = git.calls
    assert calls > 8
    slow = action == "hangs"
    places = (5,) if slow else range(1 + sorted(ACTIONS).index(action) % 4, calls + 1, 12)
    for call in places:

        def spoil(action_now: Callable[[], Submitted], call: int = call) -> Submitted | GitExchangeError:
            with git.at(call, action):
                return attempted(desk.school, lambda: desk.submit(HURRIED if slow else LIMITS))

        with case(f"{action} at git {call}"):
            check(desk, spoil)


def test_a_client_killed_at_each_step_submits_once_when_run_again(desk: Desk, tmp_path: Path) -> None:
    desk.write()
    whole = in_child(desk.submit, tmp_path)
    assert whole.how == "done", whole
    assert whole.steps > 50
    places = range(2, whole.steps + 1, 12)
    killed = 0
    for step in places:
        desk.write()
        _, before = desk.there()
        with untouched(desk.work):
            died = in_child(desk.submit, tmp_path, kill_at=step)
            again = desk.submit()
        if died.how == "done":  # it takes a step less when the forge's list of events has a page less
            assert step > died.steps
            continue
        assert died.how == "killed", died
        killed += 1
        assert desk.there() == (again.commit, before + 1), f"killed at {died.last}"
    assert killed >= len(places) - 1


@pytest.mark.parametrize("damage", ["objects", "truncated packs", "refs", "configuration", "everything", "a file"])
def test_a_damaged_cache_is_made_again(desk: Desk, damage: str) -> None:
    desk.write()
    desk.submit()
    number = next(desk.turn)
    (desk.work / "p1.ipynb").write_text(f"more {number}")
    for repository in desk.cache.rglob("*.git"):
        harm(repository, damage)
    _, before = desk.there()
    with untouched(desk.work):
        found = attempted(desk.school, desk.submit)
    assert isinstance(found, Submitted), found
    assert desk.there() == (found.commit, before + 1)


def test_a_full_disk_is_named_or_another_place_is_used(desk: Desk, tmp_path: Path) -> None:
    desk.write()
    _, before = desk.there()
    with untouched(desk.work):
        died = in_child(desk.submit, tmp_path, max_file=4096)
        check_words(desk.school, died.how)
        assert died.how == "done" or not died.how.startswith("TRACEBACK"), died.how
        if died.how != "done":
            desk.submit()
    assert desk.there()[1] == before + 1


@pytest.mark.parametrize("ahead", [-86400, 86400])
def test_this_machines_clock_decides_nothing(desk: Desk, ahead: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Course, "now", lambda self: datetime.now(timezone.utc) + timedelta(seconds=ahead))
    desk.write()
    found = desk.submit()
    assert abs((found.at - datetime.now(timezone.utc)).total_seconds()) < 60
    assert found.by_event


def test_two_submissions_at_once_from_one_machine_are_two_attempts(desk: Desk) -> None:
    desk.write()
    other = desk.school.folder("work-ann-too", {"p1.ipynb": "from another window"})
    _, before = desk.there()
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda folder: desk.submit(folder=folder), (desk.work, other)))
    assert sorted(one.number for one in found) == [before + 1, before + 2]
    assert len({one.commit for one in found}) == 2
    assert desk.there()[1] == before + 2


def _meet(desk: Desk, line: FaultyLine, fault: Fault, place: int, limits: Limits = LIMITS) -> None:
    def spoil(action: Callable[[], Submitted]) -> Submitted | GitExchangeError:
        with line.faulty(fault, place, lasting=fault not in ONCE):
            found = attempted(desk.school, lambda: desk.submit(limits))
            assert line.struck, "the fault struck nothing"
        return found

    with case(f"{fault} at request {place}"):
        check(desk, spoil)
