"""Real pushes to a bare repository that has the hook: what comes in, what does not, and what git shows of it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.working_copy import Pushed, WorkingCopy
from tests.hooks.conftest import SCRIPT

REF = "refs/heads/submit/ps1"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Give a bare repository that lets its hook see even what git's own checks would refuse."""
    folder = tmp_path / "seat.git"
    subprocess.run(["git", "init", "--quiet", "--bare", str(folder)], check=True)
    (folder / "hooks").mkdir(exist_ok=True)
    shutil.copy(SCRIPT, folder / "hooks" / "pre-receive")
    return folder


@pytest.fixture
def copy(tmp_path: Path) -> WorkingCopy:
    return WorkingCopy(tmp_path / "work")


def push(copy: WorkingCopy, place: Path, *refspecs: str) -> Pushed:
    done = copy.git("push", str(place), *refspecs, check=False)
    return Pushed(done.returncode == 0, done.stdout)


def configure(place: Path, **settings: object) -> None:
    for name, value in settings.items():
        subprocess.run(["git", "--git-dir", str(place), "config", f"gitexchange.{name}", str(value)], check=True)


def refs(place: Path) -> set[str]:
    listed = ["git", "--git-dir", str(place), "for-each-ref", "--format=%(refname)"]
    return set(subprocess.run(listed, capture_output=True, text=True, check=True).stdout.split())


def objects(place: Path) -> list[Path]:
    return [path for path in (place / "objects").rglob("*") if path.is_file()]


def test_one_attempt_after_the_other_comes_in_and_the_hook_is_not_heard(copy: WorkingCopy, place: Path) -> None:
    first = copy.commit("one")
    second = copy.commit("two", parent=first)
    for commit in (first, second):
        pushed = push(copy, place, f"{commit}:{REF}")
        assert pushed.accepted
        assert "remote:" not in pushed.output
    assert push(copy, place, f"{second}:{REF}").accepted  # nothing is new
    assert push(copy, place, f":{REF}").accepted
    assert refs(place) == set()


def test_of_a_refused_push_nothing_stays_and_git_shows_the_sentence(copy: WorkingCopy, place: Path) -> None:
    configure(place, maxFileSize=1_000)
    big = copy.commit("big", text="x" * 2_000)
    small = copy.commit("small", parent=big)
    pushed = push(copy, place, f"{small}:{REF}")
    assert not pushed.accepted
    assert "remote: git-exchange: p1.txt: it has 2,000 bytes, and 1,000 are allowed for a file." in pushed.output
    assert refs(place) == set()
    assert objects(place) == []
    assert push(copy, place, f"{small}:refs/heads/feedback/ps1").accepted  # the forge decides who may push there


def test_a_push_of_many_branches_is_refused_as_a_whole(copy: WorkingCopy, place: Path) -> None:
    commit = copy.commit("one")
    refspecs = [f"{commit}:{REF}-{number}" for number in range(4)]
    pushed = push(copy, place, *refspecs)
    assert "it changes 4 branches, and 3 at once are allowed" in pushed.output
    assert refs(place) == set()
    assert push(copy, place, *refspecs[:3]).accepted


@pytest.mark.parametrize("unpacked", [1, 100], ids=["as a pack", "as single objects"])
def test_small_packs_that_hold_a_thousand_times_their_size_are_refused(
    copy: WorkingCopy, place: Path, unpacked: int
) -> None:
    subprocess.run(["git", "--git-dir", str(place), "config", "receive.unpackLimit", str(unpacked)], check=True)
    configure(place, maxFileSize="10m")
    with (copy.folder / "bomb.bin").open("wb") as file:
        file.truncate(30_000_000)
    copy.git("add", "bomb.bin")
    pushed = push(copy, place, f"{copy.commit('bomb')}:{REF}")
    assert "bomb.bin: it has 30,000,000 bytes, and 10,485,760 are allowed for a file." in pushed.output
    assert objects(place) == []


def test_a_repository_with_long_ids_is_looked_at_alike(tmp_path: Path) -> None:
    place, work = tmp_path / "seat.git", tmp_path / "work"
    for folder, bare in ((place, ["--bare"]), (work, [])):
        subprocess.run(["git", "init", "--quiet", "--object-format=sha256", *bare, str(folder)], check=True)
    (place / "hooks").mkdir(exist_ok=True)
    shutil.copy(SCRIPT, place / "hooks" / "pre-receive")
    (work / "folder").mkdir()
    (work / "folder" / "p1.txt").write_text("mine")
    who = ["-c", "user.name=Test", "-c", "user.email=test@example.invalid"]

    def hand_in() -> subprocess.CompletedProcess[str]:
        subprocess.run(["git", "-C", str(work), "add", "."], check=True)
        subprocess.run(["git", "-C", str(work), *who, "commit", "--quiet", "-m", "x"], check=True)
        pushing = ["git", "-C", str(work), "push", str(place), f"HEAD:{REF}"]
        return subprocess.run(pushing, capture_output=True, text=True, check=False)

    assert hand_in().returncode == 0
    (work / "folder" / "link").symlink_to("/etc/passwd")
    refused = hand_in()
    assert "folder/link: it is a symbolic link, and links are not handed in." in refused.stderr


def test_the_hook_runs_with_the_python_that_the_server_has(tmp_path: Path) -> None:
    """The first line asks for python3 on PATH; isolated from packages and from the environment it works as well."""
    ended = subprocess.run([sys.executable, "-I", "-S", str(SCRIPT)], input=b"", cwd=tmp_path, check=False)
    assert ended.returncode == 0
