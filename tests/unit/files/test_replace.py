"""Replacing files and folders: whole or not at all, also when somebody pulls the plug."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from git_exchange.errors import FilesError, UnsafePath
from git_exchange.files import replace
from git_exchange.files.paths import problem

DAY = 24 * 3600


def folder(path: Path, **files: str) -> Path:
    path.mkdir(parents=True)
    for name, content in files.items():
        (path / name).write_text(content)
    return path


def content(path: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in path.iterdir()}


def new(root: Path, **files: str) -> Path:
    made = replace.new_directory(root)
    for name, text in files.items():
        (made / name).write_text(text)
    return made


def left_behind(root: Path) -> list[str]:
    area = replace.work_area(root)
    return sorted(str(path.relative_to(area)) for path in area.glob("*/*") if path.parent.name != "locks")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    course = tmp_path / "course"
    (course / "submitted" / "alice").mkdir(parents=True)
    return course


@pytest.fixture
def target(root: Path) -> Path:
    return root / "submitted" / "alice" / "ps1"


def test_a_folder_is_put_where_none_was(root: Path, target: Path) -> None:
    replace.replace_directory(root, new(root, a="new"), target)
    assert content(target) == {"a": "new"}
    assert left_behind(root) == []


def test_a_folder_replaces_the_old_one_with_everything_in_it(root: Path, target: Path) -> None:
    folder(target, a="old", gone="old")
    replace.replace_directory(root, new(root, a="new", b="new"), target)
    assert content(target) == {"a": "new", "b": "new"}
    assert left_behind(root) == []


def test_a_link_or_file_in_the_place_is_replaced_and_what_it_points_to_stays(root: Path, target: Path) -> None:
    elsewhere = folder(root / "elsewhere", a="theirs")
    target.symlink_to(elsewhere)
    replace.replace_directory(root, new(root, a="new"), target)
    assert not target.is_symlink()
    assert content(target) == {"a": "new"}
    assert content(elsewhere) == {"a": "theirs"}
    shutil.rmtree(target)
    target.write_text("file")
    replace.replace_directory(root, new(root, a="newer"), target)
    assert content(target) == {"a": "newer"}
    assert left_behind(root) == []


class Killed(BaseException):
    """The process is gone: nothing that it would still have done happens."""


class Death:
    """Lets a number of changes to the file system happen, and none after that, whatever handlers try."""

    PATH_CALLS = ("rename", "replace", "unlink", "mkdir", "rmdir", "chmod")

    def __init__(self, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
        self.left = after
        self.happened = False
        for name in self.PATH_CALLS:
            monkeypatch.setattr(Path, name, self._guard(getattr(Path, name)))
        monkeypatch.setattr(shutil, "rmtree", self._half_removed)
        monkeypatch.setattr(os, "fsync", self._guard(os.fsync))

    def _guard(self, real: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **options: object) -> object:
            if self.left == 0:
                self.happened = True
                raise Killed
            self.left -= 1
            return real(*arguments, **options)

        return call

    def _half_removed(self, path: Path, ignore_errors: bool = False) -> None:
        """Remove file by file, and so die with half of the folder gone."""
        for file in sorted(Path(path).iterdir()):
            file.unlink()
        Path(path).rmdir()


@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize("step", range(40))
def test_dying_at_any_step_leaves_the_old_folder_or_the_new_one_whole(
    root: Path, target: Path, monkeypatch: pytest.MonkeyPatch, step: int, there: bool
) -> None:
    old = {"a": "old", "b": "old", "c": "old"}
    fresh = {"a": "new", "d": "new"}
    if there:
        folder(target, **old)
    prepared = new(root, **fresh)
    with monkeypatch.context() as patched:
        death = Death(patched, step)
        try:
            replace.replace_directory(root, prepared, target)
        except Killed:
            pass
        except FilesError:
            assert death.happened
    replace.recover(root)
    if target.exists():
        assert content(target) in ([old, fresh] if there else [fresh])
    else:
        assert not there
    if not death.happened:
        assert content(target) == fresh
        assert step > 5
    assert [name for name in left_behind(root) if not name.endswith(".part")] in ([], [f"new/{prepared.name}"])
    replace.replace_directory(root, new(root, a="again"), target)
    assert content(target) == {"a": "again"}


@pytest.mark.parametrize("step", range(12))
def test_dying_during_the_recovery_is_recovered_from_too(
    root: Path, target: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    interrupted(root, target, a="old", b="old")
    with monkeypatch.context() as patched:
        death = Death(patched, step)
        try:
            replace.recover(root)
        except Killed:
            assert death.happened
    replace.recover(root)
    assert content(target) == {"a": "old", "b": "old"}
    assert left_behind(root) == []


def interrupted(root: Path, target: Path, **files: str) -> None:
    """Leave what a run leaves that died when the old folder was set aside and the new one not yet in its place."""
    folder(replace.work_area(root) / "aside" / "0123", **files)
    journal = replace.work_area(root) / "journal"
    journal.mkdir(exist_ok=True)
    said = {"target": os.path.relpath(target, root), "aside": "0123"}
    (journal / f"{replace._target_key(root, target)}.json").write_text(json.dumps(said))


def test_a_real_process_that_is_killed_in_the_middle_is_recovered_from(root: Path, target: Path) -> None:
    folder(target, a="old")
    prepared = new(root, a="new")
    script = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from git_exchange.files import replace\n"
        "root, new, target = map(Path, sys.argv[1:])\n"
        "real = Path.rename\n"
        "def rename(path, to):\n"
        "    if path == new:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return real(path, to)\n"
        "Path.rename = rename\n"
        "replace.replace_directory(root, new, target)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script, root, prepared, target], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert not target.exists()
    replace.recover(root)
    assert content(target) == {"a": "old"}
    assert left_behind(root) == [f"new/{prepared.name}"]


def test_the_next_replacement_settles_what_an_interrupted_one_left(root: Path, target: Path) -> None:
    interrupted(root, target, a="old")
    replace.replace_directory(root, new(root, a="new"), target)
    assert content(target) == {"a": "new"}
    assert left_behind(root) == []


def test_a_folder_that_somebody_put_there_meanwhile_is_not_overwritten(root: Path, target: Path) -> None:
    interrupted(root, target, a="old")
    folder(target, a="newer")
    replace.recover(root)
    assert content(target) == {"a": "newer"}
    assert left_behind(root) == []


def test_a_replaced_folder_that_is_half_removed_never_comes_back(
    root: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder(target, a="old", b="old")

    def die(path: Path) -> None:
        (path / "a").unlink()
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(replace, "_remove", die)
        with pytest.raises(Killed):
            replace.replace_directory(root, new(root, a="new"), target)
    shutil.rmtree(target)  # by its owner, before anything of ours runs again
    replace.recover(root)
    assert not target.exists()
    assert left_behind(root) == []


def test_the_course_directory_may_be_moved_before_the_recovery(root: Path, target: Path, tmp_path: Path) -> None:
    interrupted(root, target, a="old")
    moved = root.rename(tmp_path / "moved")
    replace.recover(moved)
    assert content(moved / "submitted/alice/ps1") == {"a": "old"}


def test_the_students_folder_is_made_again_for_the_recovery(root: Path, target: Path) -> None:
    interrupted(root, target, a="old")
    target.parent.rmdir()
    replace.recover(root)
    assert content(target) == {"a": "old"}


def test_recovery_leaves_alone_what_a_living_process_is_doing(root: Path, target: Path) -> None:
    interrupted(root, target, a="old")
    busy, done = threading.Event(), threading.Event()

    def live() -> None:
        with replace._swap_lock(root, target, 10):
            busy.set()
            done.wait(30)

    thread = threading.Thread(target=live)
    thread.start()
    try:
        assert busy.wait(30)
        replace.recover(root)
        assert not target.exists()
    finally:
        done.set()
        thread.join()
    replace.recover(root)
    assert content(target) == {"a": "old"}


def test_a_damaged_journal_is_reported_and_nothing_is_touched(
    root: Path, target: Path, caplog: pytest.LogCaptureFixture
) -> None:
    interrupted(root, target, a="old")
    (journal,) = replace.work_area(root).glob("journal/*.json")
    journal.write_text("{")
    replace.recover(root)
    assert "cannot be read" in caplog.text
    assert content(replace.work_area(root) / "aside" / "0123") == {"a": "old"}


def test_recovery_of_a_course_that_was_never_touched_makes_nothing(root: Path) -> None:
    replace.recover(root)
    assert not replace.work_area(root).exists()


def test_abandoned_new_folders_go_after_a_day_and_others_stay(root: Path) -> None:
    abandoned, recent = new(root, a="x"), new(root, a="x")
    os.utime(abandoned, (0, recent.stat().st_mtime - DAY - 60))
    replace.recover(root)
    assert not abandoned.exists()
    assert recent.exists()


def test_a_replacement_that_fails_leaves_the_old_folder(
    root: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder(target, a="old")
    prepared = new(root, a="new")
    real = Path.rename

    def rename(path: Path, to: Path) -> Path:
        if path == prepared:
            raise OSError(28, "No space left on device")
        return real(path, to)

    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(FilesError, match="Cannot replace the folder ps1: No space left on device"):
        replace.replace_directory(root, prepared, target)
    assert content(target) == {"a": "old"}
    assert left_behind(root) == [f"new/{prepared.name}"]


def test_a_missing_new_folder_costs_nothing(root: Path, target: Path) -> None:
    folder(target, a="old")
    with pytest.raises(FilesError):
        replace.replace_directory(root, root / "missing", target)
    assert content(target) == {"a": "old"}


def test_many_replacements_at_once_end_with_one_of_them_whole(root: Path, target: Path) -> None:
    folder(target, a="old", b="old")
    prepared = [new(root, a=str(number), b=str(number)) for number in range(8)]
    errors: list[Exception] = []

    def run(made: Path) -> None:
        try:
            replace.recover(root)
            replace.replace_directory(root, made, target)
        except Exception as error:  # noqa: BLE001 - shown by the assertion below
            errors.append(error)

    threads = [threading.Thread(target=run, args=(made,)) for made in prepared]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    found = content(target)
    assert found["a"] == found["b"] != "old"
    assert left_behind(root) == []


def test_a_lock_is_shared_by_its_key_and_by_no_other(root: Path) -> None:
    found: list[str] = []

    def other(*key: str) -> None:
        try:
            with replace.lock(root, *key, timeout=0):
                found.append("free")
        except FilesError as error:
            found.append(str(error))

    with replace.lock(root, "alice", "ps1"):
        for key in (("alice", "ps1"), ("alice", "ps2"), ("aliceps1",)):
            thread = threading.Thread(target=other, args=key)
            thread.start()
            thread.join()
    other("alice", "ps1")
    assert "alice ps1" in found[0]
    assert found[1:] == ["free", "free", "free"]


def test_a_lock_is_free_again_after_an_error(root: Path) -> None:
    with pytest.raises(RuntimeError), replace.lock(root, "a"):
        raise RuntimeError
    with replace.lock(root, "a", timeout=0):
        pass


def test_nobody_gets_more_rights_in_the_work_area_than_in_the_course(root: Path) -> None:
    root.chmod(0o2770)
    replace.new_directory(root)
    assert stat.S_IMODE(replace.work_area(root).stat().st_mode) == 0o2770
    assert stat.S_IMODE((replace.work_area(root) / "new").stat().st_mode) == 0o2770
    other = root.parent / "other"
    other.mkdir(mode=0o755)
    replace.new_directory(other)
    assert stat.S_IMODE(replace.work_area(other).stat().st_mode) & 0o007 == 0


def test_a_root_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FilesError):
        replace.new_directory(tmp_path / "missing")
    with pytest.raises(FilesError), replace.lock(tmp_path / "missing", "a"):
        pass


def test_staging_leaves_nothing_whether_its_folder_was_used_or_not(root: Path, target: Path) -> None:
    with replace.staging(root) as made:
        (made / "a").write_text("x")
        made.rename(target)
    assert content(target) == {"a": "x"}
    with pytest.raises(RuntimeError), replace.staging(root) as made:
        (made / "a").write_text("x")
        raise RuntimeError
    assert not replace.work_area(root).exists()


def test_staging_leaves_another_ones_folder_alone(root: Path) -> None:
    other = replace.new_directory(root)
    with replace.staging(root):
        pass
    assert other.is_dir()


def test_a_file_is_replaced_whole_and_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 255)
    replace.write_file(path, [b"a", b"b"])
    assert path.read_bytes() == b"ab"
    path.chmod(0o600)
    replace.write_file(path, iter([b"c"]))
    assert path.read_bytes() == b"c"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_whose_content_breaks_off_stays_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("old")

    def broken() -> Iterator[bytes]:
        yield b"half"
        raise RuntimeError("the connection is gone")

    with pytest.raises(RuntimeError):
        replace.write_file(path, broken())
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_is_replaced_and_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_text("theirs")
    (tmp_path / "link").symlink_to("theirs")
    replace.write_file(tmp_path / "link", [b"mine"])
    assert (tmp_path / "theirs").read_text() == "theirs"
    assert (tmp_path / "link").read_text() == "mine"


def test_a_full_disk_is_an_error_with_the_files_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FilesError, match="Cannot write a: No space left on device"):
        replace.write_file(tmp_path / "a", [b"x"])
    assert list(tmp_path.iterdir()) == []


def test_a_tree_is_written_with_folders_and_modes(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        replace.write_tree(tmp_path, [("a/b/c.txt", False, [b"1", b"2"]), ("run", True, [b"#!"]), ("empty", False, [])])
    finally:
        os.umask(before)
    assert (tmp_path / "a/b/c.txt").read_bytes() == b"12"
    modes = {name: stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("a", "a/b", "a/b/c.txt", "run", "empty")}
    assert modes == {"a": 0o755, "a/b": 0o755, "a/b/c.txt": 0o644, "run": 0o755, "empty": 0o644}


def test_a_shared_tree_is_writable_by_the_group_whatever_the_umask(tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.mkdir()
    before = os.umask(0o077)
    try:
        replace.write_tree(made, [("a/b", False, [b"1"]), ("run", True, [])], shared=True)
    finally:
        os.umask(before)
    modes = {name: stat.S_IMODE((made / name).stat().st_mode) for name in (".", "a", "a/b", "run")}
    assert modes == {".": 0o2775, "a": 0o2775, "a/b": 0o664, "run": 0o775}


def test_a_private_umask_is_respected(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        replace.write_tree(tmp_path, [("a/b", True, [b"1"])])
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "a/b").stat().st_mode) == 0o700


@pytest.mark.parametrize("path", ["../x", "/x", "a/../../x", ".git/config", "a\\b", "a\nb", "", "a\udcff"])
def test_an_unsafe_path_is_refused_and_named_harmlessly(tmp_path: Path, path: str) -> None:
    with pytest.raises(UnsafePath, match="Not written") as caught:
        replace.write_tree(tmp_path, [(path, False, [b"x"])])
    assert str(caught.value).isprintable()
    assert list(tmp_path.iterdir()) == []


def test_a_tree_is_not_written_through_links_nor_over_files(tmp_path: Path) -> None:
    outside = folder(tmp_path / "outside", a="theirs")
    made = tmp_path / "made"
    made.mkdir()
    (made / "link").symlink_to(outside)
    (made / "file").symlink_to(outside / "new")
    for path in ("link/a", "link/b", "file", "link"):
        with pytest.raises(FilesError, match="Cannot write"):
            replace.write_tree(made, [(path, False, [b"mine"])])
    replace.write_tree(made, [("twice", False, [b"1"])])
    with pytest.raises(FilesError, match="exists"):
        replace.write_tree(made, [("twice", False, [b"2"])])
    assert (made / "twice").read_bytes() == b"1"
    assert content(outside) == {"a": "theirs"}


PATHS = st.lists(
    st.text(st.sampled_from("ab./\\~ :\x00gitGIT1é"), max_size=6) | st.sampled_from(["..", ".git", ".", "git~1"]),
    min_size=1,
    max_size=4,
).map("/".join)


@settings(deadline=None)
@given(PATHS)
def test_no_path_is_ever_written_outside(tmp_path_factory: pytest.TempPathFactory, path: str) -> None:
    around = tmp_path_factory.mktemp("around")
    inside = around / "deep" / "inside"
    inside.mkdir(parents=True)
    try:
        replace.write_tree(inside, [(path, False, [b"x"])])
    except UnsafePath:
        assert problem(path.encode()) is not None
        assert list(inside.iterdir()) == []
    else:
        assert (inside / path).read_bytes() == b"x"
    assert [entry.name for entry in around.iterdir()] == ["deep"]
    assert [entry.name for entry in inside.parent.iterdir()] == ["inside"]
