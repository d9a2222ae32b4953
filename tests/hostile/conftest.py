"""One course in which every hostile submission is one student's, collected together with honest ones."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from git_exchange.devserver import RunningServer
from git_exchange.report import Report
from git_exchange.secret import Token
from tests.contract.working_copy import WorkingCopy
from tests.hostile.case import Case
from tests.hostile.cases import CASES
from tests.hostile.plumbing import Bare
from tests.unit.school import School

HONEST = ("honest-a", "honest-b")
REF = "refs/heads/submit/ps1"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with RunningServer(tmp_path_factory.mktemp("server")) as running:
        yield running


def student_of(case: Case) -> str:
    return f"s{CASES.index(case)}"


@dataclass(frozen=True)
class Collected:
    """What became of everybody's work. Sizes in bytes, times in seconds."""

    school: School
    report: Report
    heard: str
    accepted: frozenset[str]
    commits: dict[str, str]
    builds: Path
    own_memory: int
    git_memory: int
    seconds: float
    cache: int
    outside: frozenset[str]


def disk_place(server: RunningServer, project_id: int) -> Path:
    """Return where the forge keeps a project's repository."""
    with sqlite3.connect(server.state / "server.sqlite3") as database:
        (storage,) = database.execute("SELECT storage FROM projects WHERE id = ?", (project_id,)).fetchone()
    return server.state / "repositories" / str(storage)


def peak(place: Path = Path("/proc/self")) -> int:
    """Return the most memory that a process has had, this one since ``forget_peak``, in bytes."""
    status = (place / "status").read_text()
    return 1024 * int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])


def forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


@contextmanager
def watched_git() -> Iterator[list[int]]:
    """Give the most memory of each git that git-exchange starts meanwhile, in bytes; its environment tells them."""
    peaks: dict[str, int] = {}
    found: list[int] = []
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.05):
            for place in Path("/proc").glob("[0-9]*"):
                with suppress(OSError, StopIteration):
                    if b"GIT_ALLOC_LIMIT=" in (place / "environ").read_bytes():
                        peaks[place.name] = max(peaks.get(place.name, 0), peak(place))

    watching = threading.Thread(target=look)
    watching.start()
    try:
        yield found
    finally:
        over.set()
        watching.join()
        found += peaks.values()


def size_of(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


def everything(place: Path) -> set[str]:
    """Return every path of the place but those where collecting may write."""
    allowed = ("cache/", "course/submitted/", "course/.git-exchange")
    found = (str(path.relative_to(place)) for path in place.rglob("*"))
    return {path for path in found if not path.startswith(allowed)}


@pytest.fixture(scope="session")
def collected(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> Collected:
    school = School(server.url, Token(server.admin_token), tmp_path_factory.mktemp("school"))
    builds = tmp_path_factory.mktemp("builds")
    students = [student_of(case) for case in CASES]
    school.open(*HONEST, *students)
    school.release()
    for name in HONEST:
        school.submit(name, f"by {name}")
    course = school.course()
    projects = {name: course.seat_project(name) for name in students}

    def hand_in(case: Case) -> tuple[str, bool]:
        name = student_of(case)
        bare = Bare(builds / name)
        commit = case.build(bare)
        copy = WorkingCopy(builds / f"{name}.push")
        url = course.forge.git_url(projects[name])
        pushed = copy.git(
            "--git-dir", str(bare.folder), "push", url, f"{commit}:{REF}", token=school.token(name), check=False
        )
        if pushed.returncode and case.branch:
            there = disk_place(server, projects[name].id)
            bare.copy_into(there)
            (there / REF).parent.mkdir(parents=True, exist_ok=True)
            (there / REF).write_text(f"{commit}\n")
        return commit, pushed.returncode == 0

    with ThreadPoolExecutor(4) as pool:
        handed_in = dict(zip(students, pool.map(hand_in, CASES), strict=True))
    before = everything(school.place)
    forget_peak()
    base, started = peak(), time.monotonic()
    with watched_git() as gits:
        report = school.collect()
    return Collected(
        school,
        report,
        school.heard(),
        frozenset(name for name, (_, accepted) in handed_in.items() if accepted),
        {name: commit for name, (commit, _) in handed_in.items()},
        builds,
        peak() - base,
        max(gits),
        time.monotonic() - started,
        size_of(school.place / "cache"),
        frozenset(everything(school.place) - before),
    )
