"""Every operation but submit and collect meets several kinds of fault, and every kind of fault several operations.

However it ends, it ends soon, and with an error of ours that can be read and acted on; success is what the server has;
nothing is destroyed; and run again without the fault it gives what an undisturbed run gives, once.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from git_exchange.course.course import Course
from git_exchange.devserver import RunningServer
from git_exchange.errors import AlreadyReleased, GitExchangeError
from git_exchange.secret import Token
from git_exchange.settings import Limits
from tests.faults import line as faults
from tests.faults.actions import OPERATIONS, STUDENTS, Campus
from tests.faults.checks import attempted
from tests.faults.forked import in_child
from tests.faults.line import Fault, FaultyLine
from tests.faults.wrapped_git import WrappedGit

# On the line, from one request on: of which all that follow meet it too.
ON_THE_LINE: dict[str, Fault] = {
    "refused": faults.REFUSED,
    "half": faults.HALF,
    "cut": faults.CUT,
    "silent": faults.SILENT,
    "page": faults.SIGN_IN_PAGE,
    "redirect": faults.redirect_to("http://127.0.0.2:9"),
    "short-pack": faults.SHORT_PACK,
    "garbled-pack": faults.GARBLED_PACK,
    **{str(fault): fault for fault in faults.STATUSES},
}
# On this machine. The numbers after "killed" and "full" are steps and git commands.
HERE = ("full-git", "full-files", "cache-read-only", "home-read-only", "killed", "corrupt", "twice", "past", "future")

# Where it strikes: the first request, half way, the last but one, or what git fetches or pushes.
TABLE = """
release             401@first 403@push 404@half silent@push full-git@3 killed@9 twice
withdraw            refused@half 409@push 429@first cut@push corrupt past
remove-submissions  500@half redirect@first half@push killed@40
fetch               page@first short-pack garbled-pack full-files home-read-only twice killed@14
fetch-replace       refused@first 502@fetch 413@fetch full-files corrupt
update              cut@fetch 401@fetch full-files killed@16 cache-read-only
release-feedback    403@push 503@half half@push 413@push twice killed@50
fetch-feedback      silent@fetch short-pack 404@fetch home-read-only full-files
list                page@first redirect@first silent@first 403@half 409@first
list-cached         refused@half 500@half garbled-pack cache-read-only
list-inbound        403@half cut@half short-pack 429@half future
restore             503@first 403@fetch short-pack full-files home-read-only killed@20 twice
extension-set       409@push 401@push page@half twice killed@20
receipts-amend      502@push cut@push corrupt killed@40
roster-apply        403@half 500@last refused@half cut@half twice
course-create       403@half 409@half 502@last twice killed@12
export              404@fetch short-pack full-git@6 home-read-only killed@30 twice
"""


@dataclass(frozen=True)
class Case:
    """One operation and one fault; ``where`` it strikes, "" where that is given."""

    operation: str
    fault: str
    where: str

    def __str__(self) -> str:
        return f"{self.operation} {self.fault} {self.where}".strip()


def cases() -> list[Case]:
    rows = (line.split() for line in TABLE.strip().splitlines())
    return [Case(row[0], *cell.partition("@")[::2]) for row in rows for cell in row[1:]]


def test_every_operation_meets_four_kinds_of_fault_and_every_fault_an_operation() -> None:
    met: dict[str, set[str]] = {}
    for case in cases():
        met.setdefault(case.operation, set()).add(case.fault)
    assert met.keys() == OPERATIONS.keys()
    assert {name: kinds for name, kinds in met.items() if len(kinds) < 4} == {}
    assert set().union(*met.values()) == {*ON_THE_LINE, *HERE}


@dataclass
class Stage:
    """The campus, its line, and for each operation what an undisturbed run gave and how many requests it took."""

    campus: Campus
    line: FaultyLine
    undisturbed: dict[str, tuple[object, int]]
    prepared: dict[str, str]
    used: int = 0

    def prepare(self, operation: str) -> str:
        """Return a name with everything there; what only reads gets the same one each time, its desk as at first."""
        what = OPERATIONS[operation]
        if what.undo is None or operation not in self.prepared:
            self.used += 1
            name = f"case{self.used}"
            what.prepare(self.campus, name)
            if what.undo is not None:
                self.prepared[operation] = name
                if self.campus.desk(name).exists():
                    shutil.copytree(self.campus.desk(name), self.saved(name))
            return name
        name = self.prepared[operation]
        what.undo(self.campus, name)
        for notes in (self.campus.place / "cache").rglob("notes"):
            shutil.rmtree(notes)  # of what earlier cases did with the folder
        shutil.rmtree(self.campus.desk(name), ignore_errors=True)
        if self.saved(name).exists():
            shutil.copytree(self.saved(name), self.campus.desk(name))
        return name

    def saved(self, name: str) -> Path:
        return self.campus.place / "saved" / name

    def empty_caches(self) -> None:
        shutil.rmtree(self.campus.place / "cache", ignore_errors=True)

    def expected(self, operation: str) -> tuple[object, int]:
        """Return result and number of requests of an undisturbed run with empty caches."""
        if operation not in self.undisturbed:
            name, what = self.prepare(operation), OPERATIONS[operation]
            self.empty_caches()
            with self.line.count() as seen:
                what.run(self.campus, name)
            self.undisturbed[operation] = what.result(self.campus, name), len(seen.requests)
        return self.undisturbed[operation]


@pytest.fixture(scope="module")
def stage(line: FaultyLine, server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    place = tmp_path_factory.mktemp("campus")
    campus = Campus(
        line.url, Token(server.admin_token), place, repositories=server.state / "repositories", desks=place / "desks"
    )
    campus.desks.mkdir()
    campus.open(*STUDENTS)
    return Stage(campus, line, {}, {})


@pytest.fixture
def changes(stage: Stage) -> Iterator[dict[str, Any]]:
    """What the client's settings are while there is a fault."""
    yield stage.campus.changes
    stage.campus.changes.clear()


class Scene:
    """What a fault needs: the stage, the case's name, and pytest's tools."""

    def __init__(self, stage: Stage, case: Case, name: str, request: pytest.FixtureRequest) -> None:
        self.stage, self.case, self.name = stage, case, name
        self.expected, self.requests = stage.expected(case.operation)
        self.patch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
        self.place: Path = request.getfixturevalue("tmp_path")
        self.changes: dict[str, Any] = request.getfixturevalue("changes")

    def run(self) -> object:
        """Run the operation; None if it succeeded."""
        campus = self.stage.campus
        operation = OPERATIONS[self.case.operation]

        def action() -> GitExchangeError | None:
            try:
                operation.run(campus, self.name)
            except AlreadyReleased as error:
                return error  # nbgrader's own words, which hold the hint
            return None

        return attempted(campus, action)


def on_the_line(scene: Scene) -> None:
    """The forge or the way to it fails, and goes on failing: nobody may report a success."""
    fault, at = ON_THE_LINE[scene.case.fault], 1
    if scene.case.where in ("fetch", "push"):
        fault = replace(fault, only={"fetch": "/git-upload-pack", "push": "/git-receive-pack"}[scene.case.where])
    elif scene.case.where:
        at = {"first": 1, "half": scene.requests // 2, "last": scene.requests - 1}[scene.case.where]
    if scene.case.fault == "silent":
        scene.changes["limits"] = Limits(http_timeout=1.0, git_timeout=1.5)
    scene.stage.empty_caches()
    with scene.stage.line.faulty(fault, at):
        error = scene.run()
    assert scene.stage.line.struck or fault.how == "refused", "the fault met nothing"
    if error is None:
        # Only the answer to a push was lost: reading back has found it.
        assert (scene.case.fault, scene.case.where) == ("cut", "push"), "success was reported"
        assert OPERATIONS[scene.case.operation].result(scene.stage.campus, scene.name) == scene.expected
    else:
        assert says_what(scene, error), f"it does not say what failed: {error}"


def says_what(scene: Scene, error: GitExchangeError) -> bool:
    """Return whether the message names the forge, the course, the assignment or the person that it is about."""
    named = ("127.0.0.1", scene.name, "calculus", scene.stage.campus.mark, *STUDENTS)
    return any(name in error.message for name in named)


def full_git(scene: Scene) -> None:
    """Git finds no room, once: what is made anew may work."""
    git = WrappedGit(scene.place / "bin")
    scene.changes["limits"] = Limits(pool=1)
    scene.stage.empty_caches()
    with git.at(int(scene.case.where), "disk full"):
        scene.run()
        assert git.calls >= int(scene.case.where)


def full_files(scene: Scene) -> None:
    """Whatever is written into a folder of the student's finds no room."""
    real = os.fdopen

    class Full:
        def __init__(self, file: Any) -> None:
            self._file = file

        def __enter__(self) -> Full:
            return self

        def __exit__(self, *_: object) -> None:
            self._file.close()

        def __getattr__(self, name: str) -> Any:
            return getattr(self._file, name)

        def writelines(self, chunks: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with scene.patch.context() as patch:
        patch.setattr("git_exchange.files.replace.os.fdopen", lambda *given: Full(real(*given)))
        error = scene.run()
    assert "No space left" in str(error)


def cache_read_only(scene: Scene) -> None:
    """A folder that cannot be made at all, as root can write into any other."""
    (scene.place / "file").write_text("")
    scene.changes["cache_dir"] = scene.place / "file" / "cache"
    assert scene.run() is None


def home_read_only(scene: Scene) -> None:
    (scene.place / "file").write_text("")
    campus = scene.stage.campus
    with scene.patch.context() as patch:
        patch.setattr(campus, "desks", scene.place / "file")
        error = scene.run()
    assert isinstance(error, GitExchangeError), "success was reported"


def killed(scene: Scene) -> None:
    campus = scene.stage.campus
    scene.stage.empty_caches()
    died = in_child(
        lambda: OPERATIONS[scene.case.operation].run(campus, scene.name),
        scene.place,
        kill_at=int(scene.case.where),
    )
    assert died.how == "killed", died


def corrupt(scene: Scene) -> None:
    """What the local copies hold is garbage: it is fetched again."""
    packs = list((scene.stage.campus.place / "cache").rglob("*.pack"))
    assert packs
    for pack in packs:
        pack.chmod(0o644)
        pack.write_bytes(b"not a pack")
    assert scene.run() is None


def twice(scene: Scene) -> None:
    again = OPERATIONS[scene.case.operation].again
    with ThreadPoolExecutor(2) as pool:
        ended = [pool.submit(scene.run) for _ in range(2)]
        found = [one.result() for one in ended]
    assert None in found, found
    assert all(error is None or isinstance(error, again) for error in found), found


def past(scene: Scene) -> None:
    _at(scene, timedelta(days=-4000))


def future(scene: Scene) -> None:
    _at(scene, timedelta(days=4000))


def _at(scene: Scene, offset: timedelta) -> None:
    """This machine's clock is years away: only the forge's counts."""
    with scene.patch.context() as patch:
        patch.setattr(Course, "now", lambda course: datetime.now(timezone.utc) + offset)
        assert scene.run() is None


LOCAL: dict[str, Callable[[Scene], None]] = {
    "full-git": full_git,
    "full-files": full_files,
    "cache-read-only": cache_read_only,
    "home-read-only": home_read_only,
    "killed": killed,
    "corrupt": corrupt,
    "twice": twice,
    "past": past,
    "future": future,
}


@pytest.mark.parametrize("case", cases(), ids=str)
def test_an_operation_with_a_fault_ends_well_and_the_next_one_finishes(
    case: Case, stage: Stage, request: pytest.FixtureRequest
) -> None:
    operation = OPERATIONS[case.operation]
    stage.expected(case.operation)
    scene = Scene(stage, case, stage.prepare(case.operation), request)
    LOCAL.get(case.fault, on_the_line)(scene)
    scene.changes.clear()
    again = scene.run()
    assert again is None or isinstance(again, operation.again), again
    assert operation.result(stage.campus, scene.name) == scene.expected
