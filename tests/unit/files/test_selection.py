"""Which files travel: nbgrader's rules on real folders, and what never travels."""

import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbgrader.utils import ignore_patterns

from git_exchange.errors import FilesError, TooLarge
from git_exchange.files.selection import File, Selection, SelectionRules, open_file, select

NBGRADER = SelectionRules((".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback"), ("*",), 100_000, 100_000)


def write(root: Path, files: dict[str, str | int]) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * content if isinstance(content, int) else content.encode())


def paths(selection: Selection) -> list[str]:
    return [file.path for file in selection.files]


def reasons(selection: Selection) -> dict[str, tuple[str, str]]:
    return {skipped.path: (skipped.level, skipped.reason) for skipped in selection.skipped}


def rules(**changes: object) -> SelectionRules:
    return SelectionRules(**{**NBGRADER.__dict__, **changes})  # type: ignore[arg-type]


def test_a_folder_travels_whole_and_sorted(tmp_path: Path) -> None:
    write(tmp_path, {"ps1.ipynb": "{}", "data/b.csv": "1,2", "data/a.csv": "", "z": "z"})
    (tmp_path / "run").write_text("#!")
    (tmp_path / "run").chmod(0o755)
    found = select(tmp_path, NBGRADER)
    assert found.files == (
        File("data/a.csv", 0, False),
        File("data/b.csv", 3, False),
        File("ps1.ipynb", 2, False),
        File("run", 2, True),
        File("z", 1, False),
    )
    assert found.skipped == ()
    assert found.total_size == 8
    assert found.empty_directories == ()


def test_ignored_names_are_left_out_at_any_depth_with_nbgraders_words(tmp_path: Path) -> None:
    write(tmp_path, {"a.pyc": "", "sub/b.pyc": "", "feedback/x.html": "", "sub/feedback": "", "kept.py": ""})
    found = select(tmp_path, NBGRADER)
    assert paths(found) == ["kept.py"]
    assert reasons(found)["sub/b.pyc"] == (
        "debug",
        "Ignoring excluded file 'sub/b.pyc' (see config option CourseDirectory.ignore)",
    )
    assert "feedback/x.html" not in reasons(found)
    assert found.empty_directories == ("sub",)


def test_include_is_for_files_only(tmp_path: Path) -> None:
    write(tmp_path, {"a.ipynb": "", "a.txt": "", "deep/b.ipynb": ""})
    found = select(tmp_path, rules(include=("*.ipynb",)))
    assert paths(found) == ["a.ipynb", "deep/b.ipynb"]
    assert reasons(found) == {
        "a.txt": ("debug", "Ignoring non included file 'a.txt' (see config option CourseDirectory.include)")
    }
    assert len(select(tmp_path, rules(include=())).files) == 3


def test_a_file_over_the_limit_is_left_out_and_one_of_exactly_the_limit_is_kept(tmp_path: Path) -> None:
    write(tmp_path, {"exact": 1000, "over": 1001})
    found = select(tmp_path, rules(max_file_size=1000))
    assert paths(found) == ["exact"]
    assert reasons(found)["over"] == (
        "warning",
        "Ignoring file too large 'over' (see config option CourseDirectory.max_file_size)",
    )
    assert len(select(tmp_path, rules(max_file_size=0)).files) == 2


def test_the_total_counts_also_what_is_left_out_but_no_links(tmp_path: Path) -> None:
    write(tmp_path, {"__pycache__/x": 600, "a": 400, ".git/pack": 1})
    outside = tmp_path.parent / "outside"
    outside.write_bytes(b"x" * 5000)
    (tmp_path / "link").symlink_to(outside)
    with pytest.raises(TooLarge, match="Size is 1001, maximum size is 1000"):
        select(tmp_path, rules(max_total_size=1000))
    assert select(tmp_path, rules(max_total_size=1001)).total_size == 1001


@pytest.mark.parametrize("name", [".git", ".GIT", "git~1", ".git.", ".g\u200cit"])
@pytest.mark.parametrize("as_file", [True, False])
def test_git_is_left_out_however_it_is_spelled(tmp_path: Path, name: str, as_file: bool) -> None:
    inner = tmp_path / "sub" / name
    if as_file:
        inner.parent.mkdir()
        inner.write_text("gitdir: /elsewhere")
    else:
        inner.mkdir(parents=True)
        (inner / "config").write_text("")
    (tmp_path / ".gitignore").write_text("")
    found = select(tmp_path, NBGRADER)
    assert paths(found) == [".gitignore"]
    assert [skipped.level for skipped in found.skipped] == ["debug"]


def test_links_are_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("s")
    root = tmp_path / "work"
    root.mkdir()
    (root / "file").symlink_to(outside / "secret")
    (root / "folder").symlink_to(outside)
    (root / "dangling").symlink_to("nowhere")
    (root / "loop").symlink_to(".")
    (root / "x.pyc").symlink_to(outside)
    found = select(root, NBGRADER)
    assert found.files == ()
    assert found.empty_directories == ()
    assert {path: level for path, (level, _) in reasons(found).items()} == {
        "dangling": "warning",
        "file": "warning",
        "folder": "warning",
        "loop": "warning",
        "x.pyc": "debug",
    }


def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    write(tmp_path, {"real/a": "1"})
    (tmp_path / "link").symlink_to(tmp_path / "real")
    found = select(tmp_path / "link", NBGRADER)
    assert paths(found) == ["a"]
    with open_file(tmp_path / "link", found.files[0]) as file:
        assert file.read() == b"1"


def test_what_is_neither_file_nor_folder_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "fifo")
    monkeypatch.chdir(tmp_path)  # the names of sockets must be short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        found = select(tmp_path, NBGRADER)
    assert found.files == ()
    assert sorted(reasons(found)) == ["fifo", "socket"]
    assert {skipped.level for skipped in found.skipped} == {"warning"}


def test_names_that_could_not_be_written_again_are_left_out_and_shown_harmlessly(tmp_path: Path) -> None:
    for name in (b"a\nb", b"a\\b", b"\xff"):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_text("")
    (tmp_path / "c\x1bd").mkdir()
    (tmp_path / "c\x1bd" / "inner").write_text("")
    found = select(tmp_path, NBGRADER)
    assert found.files == ()
    assert sorted(reasons(found)) == ["\\xff", "a\\b", "a\\x0ab", "c\\x1bd"]
    assert found.empty_directories == ()


def test_only_the_deepest_folders_without_a_file_are_named(tmp_path: Path) -> None:
    for folder in ("a/b/c", "a/d", "e", "f/g"):
        (tmp_path / folder).mkdir(parents=True)
    write(tmp_path, {"f/file": "", "e/x.pyc": ""})
    assert select(tmp_path, NBGRADER).empty_directories == ("a/b/c", "a/d", "e", "f/g")


def test_folders_may_be_nested_deeper_than_python_calls_functions(tmp_path: Path) -> None:
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(1_100):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    try:
        found = select(tmp_path, NBGRADER)
    finally:
        subprocess.run(["rm", "-rf", tmp_path / "d"], check=True)  # pytest's own tidying would recurse too deep
    assert found.files == ()
    assert "folders deep" in found.skipped[0].reason


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FilesError, match="no folder gone"):
        select(tmp_path / "gone", NBGRADER)


def test_what_cannot_be_read_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"a": ""})
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root, too, runs these tests
    with pytest.raises(FilesError, match="a: permission denied"):
        select(tmp_path, NBGRADER)


def test_a_folder_that_cannot_be_listed_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"a/b": ""})
    real = os.scandir

    def scandir(path: object) -> object:
        if Path(os.fspath(path)).name == "a":  # type: ignore[call-overload]
            raise PermissionError(13, "Permission denied")
        return real(path)  # type: ignore[call-overload]

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(FilesError, match="Cannot read the folder a: Permission denied"):
        select(tmp_path, NBGRADER)


@pytest.mark.parametrize("swapped", ["file", "folder"])
def test_a_link_put_in_after_the_selection_is_not_followed(tmp_path: Path, swapped: str) -> None:
    write(tmp_path, {"work/sub/a": "mine", "outside/a": "secret"})
    root = tmp_path / "work"
    (file,) = select(root, NBGRADER).files
    if swapped == "file":
        (root / "sub" / "a").unlink()
        (root / "sub" / "a").symlink_to(tmp_path / "outside" / "a")
    else:
        shutil.rmtree(root / "sub")
        (root / "sub").symlink_to(tmp_path / "outside")
    with pytest.raises(FilesError, match="Cannot read sub/a"):
        open_file(root, file)


def test_a_fifo_put_in_after_the_selection_does_not_make_us_wait(tmp_path: Path) -> None:
    write(tmp_path, {"a": ""})
    (file,) = select(tmp_path, NBGRADER).files
    (tmp_path / "a").unlink()
    os.mkfifo(tmp_path / "a")
    with pytest.raises(FilesError, match="no longer a file"):
        open_file(tmp_path, file)


def test_a_file_that_vanished_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FilesError, match="Cannot read a: No such file"):
        open_file(tmp_path, File("a", 1, False))


NAMES = st.sampled_from(["a.py", "b.pyc", "__pycache__", "feedback", "x y", "é.ipynb", "[a].txt", "big"])
FOLDERS = st.lists(st.sampled_from(["d", "feedback", "e"]), max_size=2)


@settings(max_examples=40, deadline=None)
@given(
    files=st.dictionaries(st.tuples(FOLDERS.map(tuple), NAMES), st.integers(0, 30), max_size=8),
    ignore=st.lists(st.sampled_from(["*.pyc", "feedback", "[[]a*", "?"]), max_size=3),
    include=st.sampled_from([["*"], ["*.py", "big"], []]),
    limit=st.sampled_from([0, 10, 100]),
)
def test_nbgraders_own_copy_holds_the_same_files(
    files: dict[tuple[tuple[str, ...], str], int],
    ignore: list[str],
    include: list[str],
    limit: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    root = tmp_path_factory.mktemp("work") / "ps1"
    root.mkdir()
    for (folders, name), size in files.items():
        folder = root.joinpath(*folders)
        if any(parent.is_file() for parent in (folder, *folder.parents)) or (folder / name).is_dir():
            continue
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x" * size)
    copied = root.parent / "copy"
    shutil.copytree(root, copied, ignore=ignore_patterns(exclude=ignore, include=include, max_file_size=limit / 1000))
    found = select(root, SelectionRules(tuple(ignore), tuple(include), limit, 10**6))
    assert paths(found) == sorted(str(path.relative_to(copied)) for path in copied.rglob("*") if path.is_file())
    empty = {str(p.relative_to(copied)) for p in copied.rglob("*") if p.is_dir() and not any(p.iterdir())}
    assert set(found.empty_directories) == empty


def test_names_that_are_one_for_many_computers_travel_and_are_told(tmp_path: Path) -> None:
    write(tmp_path, {"P1.ipynb": "1", "p1.ipynb": "2", "Data/x": "3", "data/y": "4"})
    found = select(tmp_path, NBGRADER)
    assert paths(found) == ["Data/x", "P1.ipynb", "data/y", "p1.ipynb"]
    (sentence,) = found.alike
    assert "'P1.ipynb' and 'p1.ipynb'" in sentence


def test_what_an_interrupted_download_left_does_not_travel(tmp_path: Path) -> None:
    left = f".{'0a' * 16}.part"
    write(tmp_path, {left: "half", f"sub/{left}": "half", "kept.part": "", ".part": ""})
    assert paths(select(tmp_path, NBGRADER)) == [".part", "kept.part"]
