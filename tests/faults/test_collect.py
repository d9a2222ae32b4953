"""Collect against every fault of the line, of git, of the disk and of time.

However it ends: a collected folder is the old one or the new one, whole; times are pinned once; and collecting again
without the fault gives what collecting without any fault gives.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from git_exchange.course.receipts import read_ledger
from git_exchange.devserver import RunningServer
from git_exchange.report import Report
from git_exchange.settings import Limits
from tests.faults import line as faults
from tests.faults.checks import attempted, check_words, content, harm, nothing_left
from tests.faults.forked import in_child
from tests.faults.line import Fault, FaultyLine, Passed
from tests.faults.wrapped_git import ACTIONS, WrappedGit
from tests.hostile.conftest import disk_place
from tests.unit.school import School

LIMITS = Limits(http_timeout=10.0, git_timeout=5.0, git_stall=4.0, pool=1)
HURRIED = Limits(http_timeout=0.4, git_timeout=4.0, git_stall=1.0, pool=1)
KINDS = (
    *(faults.REFUSED, faults.LOST, *faults.STATUSES, faults.SIGN_IN_PAGE, faults.CUT, faults.HALF),
    *(faults.SHORT, faults.GARBLED),
)
STUDENTS = ("ann", "ben")


@dataclass
class Office:
    """A course directory with ann's first attempt in it, to which her second and ben's first are to come."""

    school: School
    staff: Path
    head: str
    old: dict[str, bytes]
    new: dict[str, bytes]
    kept: Path

    def again(self) -> None:
        """Put everything back to before the collection: folders, cache, and the record on the forge."""
        shutil.rmtree(self.school.root)
        shutil.copytree(self.kept, self.school.root)
        shutil.rmtree(self.school.place / "cache" / "teacher", ignore_errors=True)
        subprocess.run(["git", "--git-dir", self.staff, "update-ref", "refs/heads/main", self.head], check=True)

    def collect(self, limits: Limits = LIMITS) -> Report:
        return self.school.collect(limits=limits)

    def check_whole(self) -> None:
        """Check that each student's folder is the old one or the new one."""
        now = content(self.school.root / "submitted")
        for student in STUDENTS:
            mine = _of(now, student)
            assert mine in (_of(self.old, student), _of(self.new, student)), f"{student}'s folder is mixed"

    def check_done(self) -> None:
        """Check that all is as after a collection without faults."""
        assert content(self.school.root / "submitted") == self.new
        nothing_left(self.school.root)
        receipts = read_ledger(self.school.course(), "ps1").receipts
        pins = [receipt.commit for receipt in receipts if receipt.kind == "pin"]
        assert len(pins) == len(set(pins)) == 3

    def meet(self, name: str, spoil: Callable[[], object]) -> Report | None:
        """Collect with a fault, then without; return the report of the first time if there was one."""
        with case(name):
            self.again()
            first = spoil()
            self.check_whole()
            if isinstance(first, Report):
                check_words(self.school, " ".join(outcome.detail for outcome in first.outcomes))
                if not first.counts.get("failed"):
                    assert content(self.school.root / "submitted") == self.new, "told as done"
            if self.collect().counts.get("failed"):
                raise AssertionError(self.school.heard()[-500:])
            self.check_done()
        return first if isinstance(first, Report) else None


def _of(found: dict[str, bytes], student: str) -> dict[str, bytes]:
    return {path: data for path, data in found.items() if path.startswith(f"{student}/")}


@contextmanager
def case(name: str) -> Iterator[None]:
    """Say which case it was that failed."""
    try:
        yield
    except Exception as error:
        raise AssertionError(f"case {name!r}: {error}") from error


@pytest.fixture(scope="module")
def office(school: School, server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> Office:
    school.open(*STUDENTS)
    school.release()
    school.submit("ann", "first")
    school.collect()
    staff = disk_place(server, school.course().staff().id)
    head = subprocess.check_output(["git", "--git-dir", staff, "rev-parse", "refs/heads/main"], text=True).strip()
    kept = tmp_path_factory.mktemp("kept") / "course"
    shutil.copytree(school.root, kept)
    old = content(school.root / "submitted")
    school.submit_files("ann", {"p1.ipynb": "second " + "x" * 500, "more/data.txt": "1"})
    school.submit("ben", "only")
    assert school.collect().counts == {"updated": 1, "collected": 1}
    return Office(school, staff, head, old, content(school.root / "submitted"), kept)


@pytest.fixture(scope="module")
def requests(office: Office, line: FaultyLine) -> list[Passed]:
    """The requests of a collection in their order."""
    office.again()
    with line.count() as seen:
        office.collect()
    office.check_done()
    return seen.requests


def _struck(
    office: Office, line: FaultyLine, fault: Fault, place: int, limits: Limits = LIMITS
) -> Callable[[], object]:
    def spoil() -> object:
        with line.faulty(fault, place, lasting=fault is not faults.LOST):
            found = attempted(office.school, lambda: office.collect(limits), bound=60)
            assert line.struck, "the fault struck nothing"
        return found

    return spoil


@pytest.mark.parametrize("fault", KINDS, ids=str)
def test_a_collection_survives_faults_at_its_requests(
    office: Office, line: FaultyLine, requests: list[Passed], fault: Fault
) -> None:
    # Each fault at one request, spread over all of them: the whole table takes minutes.
    for place in (1 + KINDS.index(fault) * (len(requests) - 1) // (len(KINDS) - 1),):
        request = requests[place - 1]
        office.meet(f"{fault} at {place}: {request.path}", _struck(office, line, fault, place))


def test_a_silent_forge_ends_a_collection_in_bounded_time(
    office: Office, line: FaultyLine, requests: list[Passed]
) -> None:
    for place in (2, len(requests) - 2):
        office.meet(f"silent at {place}", _struck(office, line, faults.SILENT, place, HURRIED))


@pytest.mark.parametrize(
    "how", [faults.CUT, faults.SHORT, faults.GARBLED, Fault("500", "answer", 500), Fault("403", "answer", 403)], ids=str
)
def test_what_is_wrong_with_one_students_project_stops_no_other(office: Office, line: FaultyLine, how: Fault) -> None:
    fault = Fault(how.name, how.how, how.status, only="student-ann.git/git-upload-pack")
    report = office.meet(fault.name, _struck(office, line, fault, 2))
    assert report is not None
    assert report.counts == {"failed": 1, "collected": 1}


@pytest.mark.parametrize("action", sorted(set(ACTIONS) - {"hangs"}))
def test_a_collection_survives_a_git_that_fails_at_its_calls(office: Office, git: WrappedGit, action: str) -> None:
    office.again()
    with git.at(0):
        office.collect()
        calls = git.calls
    for call in range(1 + sorted(ACTIONS).index(action) % 14, calls + 1, 42):

        def spoil(call: int = call) -> object:
            with git.at(call, action):
                return attempted(office.school, office.collect)

        office.meet(f"{action} at git {call}", spoil)


def test_a_client_killed_at_its_steps_leaves_whole_folders(office: Office, tmp_path: Path) -> None:
    office.again()
    whole = in_child(office.collect, tmp_path)
    assert whole.how == "done", whole
    assert whole.steps > 150
    names = (tmp_path / "steps").read_text().splitlines()
    renames = [step for step, name in enumerate(names, start=1) if "Path." in name]
    assert len(renames) > 8
    places = sorted({*range(3, whole.steps + 1, 80), *renames[-8::2]})
    killed = []
    for step in places:

        def spoil(step: int = step) -> object:
            died = in_child(office.collect, tmp_path, kill_at=step)
            # Its steps are not always equally many: the forge's list of events has a page more or less.
            assert died.how == "killed" or died.steps < step, died
            killed.append(died.how == "killed")
            return None

        office.meet(f"killed at {step}: {names[step - 1]}", spoil)
    assert sum(killed) >= len(places) - 2


@pytest.mark.parametrize("damage", ["objects", "refs", "configuration", "a file"])
def test_a_damaged_cache_is_made_again(office: Office, damage: str) -> None:
    def spoil() -> object:
        for repository in (office.school.place / "cache" / "teacher").rglob("*.git"):
            harm(repository, damage)
        found = attempted(office.school, office.collect)
        assert isinstance(found, Report), found
        return found

    office.again()
    office.collect()
    office.meet(damage, spoil)


def test_a_full_disk_leaves_whole_folders(office: Office, tmp_path: Path) -> None:
    def spoil() -> object:
        died = in_child(office.collect, tmp_path, max_file=300)
        check_words(office.school, died.how)
        assert not died.how.startswith("TRACEBACK"), died.how
        return None

    office.meet("files of at most 300 bytes", spoil)


def test_two_collections_at_once_give_what_one_gives(office: Office) -> None:
    office.again()
    with ThreadPoolExecutor(2) as pool:
        found = [one.result() for one in [pool.submit(office.collect) for _ in range(2)]]
    assert not any(report.counts.get("failed") for report in found)
    office.check_done()
