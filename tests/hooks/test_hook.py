"""What the hook says to git, and that nothing in a repository makes it fail, take long or grow."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.hooks.conftest import SCRIPT
from tests.hooks.running import NONE, REF, run
from tests.hostile.cases import BY_NAME
from tests.hostile.cases_objects import OBJECTS
from tests.hostile.plumbing import FILE, LINK, Bare

MEGA = 1_000_000


@pytest.fixture
def bare(tmp_path: Path) -> Bare:
    return Bare(tmp_path / "bare")


def configure(bare: Bare, **settings: object) -> None:
    lines = "".join(f"\t{name} = {value}\n" for name, value in settings.items())
    with (bare.folder / "config").open("a") as file:
        file.write(f"[gitexchange]\n{lines}")


def large(bare: Bare, size: int = 2_000) -> str:
    return bare.commit(bare.work(bare.file(b"data/big.bin", bytes(size))))


def test_an_ordinary_submission_passes_without_a_word(bare: Bare) -> None:
    first = bare.commit(bare.work())
    ran = run(bare.folder, bare.commit(bare.work(bare.file(b"data/more.csv")), first))
    assert (ran.status, ran.said) == (0, "")


@pytest.mark.parametrize("ref", ["refs/heads/feedback/a", "refs/heads/submit", "refs/tags/submit/a", "refs/heads/x"])
def test_other_refs_are_not_looked_at(bare: Bare, ref: str) -> None:
    configure(bare, maxFileSize=10, maxRefs="nonsense")
    ran = run(bare.folder, *[large(bare)] * 8, ref=ref)
    assert (ran.status, ran.said) == (0, "")


def test_deletions_and_empty_pushes_pass(bare: Bare) -> None:
    configure(bare, maxRefs=1)
    assert run(bare.folder).status == 0
    deletions = "".join(f"{'1' * 40} {NONE} {REF}{number}\n" for number in range(5))
    assert run(bare.folder, lines=deletions).status == 0


def test_a_large_file_is_named_with_what_to_do(bare: Bare) -> None:
    configure(bare, maxFileSize="1k")
    ran = run(bare.folder, large(bare))
    reason, advice = ran.said.splitlines()
    assert ran.status == 1
    assert reason == "git-exchange: data/big.bin: it has 2,000 bytes, and 1,024 are allowed for a file."
    assert advice.startswith("git-exchange: Take it out or make it smaller, and submit again.")


def test_a_large_file_that_was_removed_again_is_found(bare: Bare) -> None:
    configure(bare, maxFileSize=1_000)
    ran = run(bare.folder, bare.commit(bare.work(), large(bare)))
    assert ran.status == 1
    assert "data/big.bin: it has 2,000 bytes" in ran.said


def test_what_the_server_has_already_is_not_looked_at_again(bare: Bare) -> None:
    configure(bare, maxFileSize=1_000)
    old = large(bare)
    place = bare.folder / "refs" / "heads" / "submit"
    place.mkdir()
    (place / "ps1").write_text(f"{old}\n")
    same = bare.work(bare.file(b"data/big.bin", bytes(2_000)), bare.file(b"new"))
    assert run(bare.folder, bare.commit(same, old)).status == 0


def test_many_small_files_are_refused_by_their_sum(bare: Bare) -> None:
    configure(bare, maxPushSize=5_000)
    files = [bare.file(b"f%d" % number, bytes(1_000) + b"%d" % number) for number in range(6)]
    ran = run(bare.folder, bare.commit(bare.work(*files)))
    assert "its files have more than 5,000 bytes together" in ran.said


def test_what_was_sent_and_belongs_to_no_commit_counts_by_its_room(bare: Bare, tmp_path: Path) -> None:
    configure(bare, maxPushSize=5_000)
    quarantine = tmp_path / "incoming"
    (quarantine / "pack").mkdir(parents=True)
    (quarantine / "pack" / "pack-1.pack").write_bytes(bytes(6_000))
    for variable in ("GIT_QUARANTINE_PATH", "GIT_OBJECT_DIRECTORY"):
        more = {variable: str(quarantine), "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(bare.folder / "objects")}
        ran = run(bare.folder, bare.commit(bare.work()), **more)
        assert "it has more than 5,000 bytes" in ran.said
    assert run(bare.folder, bare.commit(bare.work()), GIT_OBJECT_DIRECTORY="objects").status == 0


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"maxFiles": 2}, "it holds more than 2 files"),
        ({"maxDepth": 2}, "d/e/f: the path is more than 2 folders deep"),
        ({"maxObjects": 3}, "it holds more than 3 files, folders and commits"),
        ({"maxCommits": 1}, "it holds more than 1 commits"),
    ],
)
def test_every_number_has_a_limit_and_none_with_0(bare: Bare, setting: dict[str, int], words: str) -> None:
    commit = bare.commit(bare.work(bare.file(b"d/e/f"), bare.file(b"g")), bare.commit(bare.work()))
    assert run(bare.folder, commit).status == 0
    configure(bare, **setting)
    ran = run(bare.folder, commit)
    assert ran.status == 1
    assert words in ran.said
    configure(bare, **dict.fromkeys(setting, 0))
    assert run(bare.folder, commit).status == 0


def test_more_branches_at_once_than_a_forge_records_one_by_one_are_refused(bare: Bare) -> None:
    commit = bare.commit(bare.work())
    assert run(bare.folder, *[commit] * 3).status == 0
    ran = run(bare.folder, *[commit] * 4)
    assert "it changes 4 branches, and 3 at once are allowed" in ran.said
    many = f"{NONE} {commit} {REF}\n" + "".join(f"{NONE} {commit} refs/tags/{number}\n" for number in range(100_000))
    assert "it changes 100,001 branches" in run(bare.folder, lines=many).said


def test_settings_come_from_a_file_beside_the_hook_from_git_and_from_the_environment(
    bare: Bare, tmp_path: Path
) -> None:
    installed = tmp_path / "pre-receive.d" / "git-exchange"
    installed.parent.mkdir()
    real = tmp_path / "share" / "pre-receive"
    real.parent.mkdir()
    real.write_bytes(SCRIPT.read_bytes())
    real.chmod(0o755)
    installed.symlink_to(real)
    commit = large(bare)

    def status(**more: str) -> int:
        environment = {"PATH": str(Path(sys.executable).parent) + ":/usr/bin:/bin", "GIT_CONFIG_NOSYSTEM": "1", **more}
        line = f"{NONE} {commit} {REF}\n".encode()
        ended = subprocess.run([installed], cwd=bare.folder, env=environment, input=line, stderr=-3, check=False)
        return ended.returncode

    assert status() == 0
    real.with_name("pre-receive.conf").write_text("[gitexchange]\n\tmaxFileSize = 1000\n")
    assert status() == 1
    configure(bare, maxFileSize=3_000)
    assert status() == 0
    count = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "gitexchange.maxfilesize", "GIT_CONFIG_VALUE_0": "1000"}
    assert status(**count) == 1


def test_only_the_projects_that_are_named_are_looked_at(bare: Bare) -> None:
    configure(bare, maxFileSize=1_000, projects="teaching/*/student-*")
    with (bare.folder / "config").open("a") as file:
        file.write("\tprojects = calc-101/student-*\n")
    commit = large(bare)
    assert run(bare.folder, commit, GL_PROJECT_PATH="teaching/calc/student-ann").status == 1
    assert run(bare.folder, commit, GL_PROJECT_PATH="research/submit-tool").status == 0
    assert run(bare.folder, commit, GITEA_REPO_USER_NAME="calc-101", GITEA_REPO_NAME="student-ann").status == 1
    assert run(bare.folder, commit, GITEA_REPO_USER_NAME="calc-101", GITEA_REPO_NAME="staff").status == 0
    assert run(bare.folder, commit).status == 1  # nobody says which project it is


def test_gitlab_gets_its_mark_in_front_of_every_line(bare: Bare) -> None:
    configure(bare, maxFileSize=1_000)
    ran = run(bare.folder, large(bare), GL_PROJECT_PATH="a/b")
    assert all(line.startswith("GL-HOOK-ERR: git-exchange: ") for line in ran.said.splitlines())


def test_a_few_files_are_named_the_rest_is_counted_out_and_names_are_harmless(bare: Bare) -> None:
    links = [(LINK, b"\x1b[31m%03d\xff" % number + b"x" * 200, bare.blob(b"/etc/passwd")) for number in range(500)]
    ran = run(bare.folder, bare.commit(bare.work(*links)))
    lines = ran.said.splitlines()
    assert len(lines) <= 10
    assert lines[0].startswith("git-exchange: \\x1b[31m000\\xffxxx")
    assert "There is more like this." in ran.said
    assert len(ran.said) < 2_000
    assert ran.said.replace("\n", "").isprintable()


def fake_git(folder: Path, script: str) -> str:
    """Put a git in front that runs this for everything but the settings."""
    folder.mkdir()
    git = folder / "git"
    git.write_text(f'#!/bin/sh\nif [ "$1" = config ]; then exit 1; fi\n{script}\n')
    git.chmod(0o755)
    return f"{folder}:{Path(sys.executable).parent}:/usr/bin:/bin"


@pytest.mark.parametrize(
    "script", ["exit 128", "kill -9 $$", "echo nonsense", "head -c 1000000 /dev/zero", "cat; exit 1", "exec false"]
)
def test_a_git_that_fails_lets_nothing_in_and_says_so_without_a_traceback(
    bare: Bare, tmp_path: Path, script: str
) -> None:
    ran = run(bare.folder, bare.commit(bare.work()), PATH=fake_git(tmp_path / "bin", script))
    assert ran.status == 1
    assert ran.said.startswith("git-exchange: This push: ")
    assert "Traceback" not in ran.said
    assert len(ran.said.splitlines()) == 2


def test_without_git_or_readable_settings_only_submissions_are_refused(bare: Bare, tmp_path: Path) -> None:
    commit = bare.commit(bare.work())
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").symlink_to(sys.executable)
    nothing = {"PATH": str(tmp_path / "bin")}
    ran = run(bare.folder, commit, python=sys.executable, **nothing)
    assert (ran.status, "tell the course's staff" in ran.said, "Traceback" in ran.said) == (1, True, False)
    assert run(bare.folder, commit, python=sys.executable, ref="refs/heads/x", **nothing).status == 0
    configure(bare, maxFileSize="much")
    assert "the hook's setting maxfilesize is no number" in run(bare.folder, commit).said
    assert run(bare.folder, commit, ref="refs/heads/x").status == 0


@pytest.mark.parametrize("lines", ["nonsense\n", f"{NONE} short {REF}\n", "\n", f"{NONE} {'a' * 40} {'r' * 30_000}\n"])
def test_lines_that_git_never_writes_let_nothing_in(bare: Bare, lines: str) -> None:
    ran = run(bare.folder, lines=lines)
    assert (ran.status, "Traceback" in ran.said) == (1, False)


def test_it_ends_in_time(bare: Bare, tmp_path: Path) -> None:
    configure(bare, timeLimit=1)
    real = "exec /usr/bin/env -i PATH=/usr/bin:/bin git"
    slow = fake_git(tmp_path / "bin", f'if [ "$1" = rev-list ]; then exec sleep 100; fi\n{real} "$@"')
    (tmp_path / "bin" / "git").write_text(
        (tmp_path / "bin" / "git").read_text().replace("exit 1", f'{real} --git-dir=. "$@"; exit $?')
    )
    ran = run(bare.folder, bare.commit(bare.work()), PATH=slow)
    assert "it takes too long to look through" in ran.said
    assert ran.seconds < 30


# Few kilobytes that stand for a lot, and what is named.
BOMBS = {
    "size: trees that unfold": "it holds more than 10,000 files",
    "size: a delta that expands": "bomb.bin: it has 700,000,000 bytes",
    "size: 5,000 folders deep": "the path is more than 100 folders deep",
    "size: 100,000 files": "it holds more than 10,000 files",
    "commit: message of 10 MB": "the message of a commit is too long",
}


@pytest.mark.parametrize("name", BOMBS)
def test_what_is_small_and_unfolds_takes_little_memory_and_time(bare: Bare, name: str) -> None:
    ran = run(bare.folder, BY_NAME[name].build(bare))
    assert ran.status == 1
    assert BOMBS[name] in ran.said
    assert ran.peak < 120 * MEGA, ran.peak
    assert ran.seconds < 20, ran.seconds


def test_folders_without_files_that_unfold_are_counted_too(bare: Bare) -> None:
    tree = bare.tree()
    for _ in range(20):
        tree = bare.tree(*((b"40000", b"d%d" % number, tree) for number in range(10)))
    assert "it holds more than 10,000 folders" in run(bare.folder, bare.commit(tree)).said


def test_one_file_under_many_names_counts_as_often_as_it_would_be_written(bare: Bare) -> None:
    blob = bare.zeros(80)
    twice = bare.commit(bare.work(*((FILE, b"f%d" % number, blob) for number in range(2))))
    assert run(bare.folder, twice).status == 0
    folder = bare.tree(*((FILE, b"f%d" % number, blob) for number in range(3)))
    ran = run(bare.folder, bare.commit(bare.tree(*((b"40000", b"d%d" % number, folder) for number in range(3)))))
    assert "it holds more than 500,000,000 bytes" in ran.said


def test_many_commits_are_looked_through_in_bounded_memory(bare: Bare) -> None:
    configure(bare, maxCommits=0)
    last: tuple[str, ...] = ()
    for number in range(1_500):
        last = (bare.commit(bare.work((FILE, b"f", bare.blob(b"%d" % number))), *last),)
    ran = run(bare.folder, *last)
    assert ran.status == 0
    assert ran.peak < 120 * MEGA, ran.peak


# Malformed, which git's own check of what arrives (receive.fsckObjects) refuses before any hook.
LEFT_TO_GIT = {"objects: tree out of order", "objects: commit without people"}


@pytest.mark.parametrize("case", OBJECTS, ids=lambda case: case.name)
def test_objects_that_do_not_fit_together_end_in_a_sentence(bare: Bare, case: object) -> None:
    ran = run(bare.folder, case.build(bare))  # type: ignore[attr-defined]
    assert ran.status == (case.name not in LEFT_TO_GIT)  # type: ignore[attr-defined]
    assert (ran.said == "") == (ran.status == 0)
    assert "Traceback" not in ran.said
    assert all(line.startswith("git-exchange: ") for line in ran.said.splitlines())


def test_it_is_python_3_8_and_needs_nothing_but_python() -> None:
    tree = ast.parse(SCRIPT.read_text(encoding="utf-8"), feature_version=(3, 8))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names
    newer = {"removeprefix", "removesuffix", "bit_count", "pairwise", "zip_strict"}
    assert not newer & {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert SCRIPT.stat().st_mode & 0o111


def test_the_page_for_administrators_lists_every_setting_with_its_default(hook: ModuleType) -> None:
    page = SCRIPT.with_name("README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \|\s*([\w/]*)\s*\| .+ \|$", page, re.MULTILINE))
    assert {name.lower(): default for name, default in rows.items()} == {
        **{name: str(default) for name, default in hook.LIMITS.items()},
        "refprefix": hook.REF_PREFIX,
        "projects": "",
    }
