"""Any tree at all, written into a folder: what is not reported lands strictly below it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from git_exchange.errors import FilesError, UnsafePath
from git_exchange.files import replace
from git_exchange.files.paths import MAX_SHOWN, caseless, display, problem, shortened
from git_exchange.files.tree import TreeEntry, check

PIECES = st.sampled_from(
    [b"..", b".", b"", b".git", b".GIT", b"git~1", b".g\xe2\x80\x8cit", b"a", b"A", b"b", b"\xff", b"a\x00b", b"c\\d"]
)
PATHS = st.lists(PIECES | st.binary(max_size=12), min_size=1, max_size=5).map(b"/".join) | st.binary(max_size=300)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(PATHS, min_size=1, max_size=8))
def test_every_path_is_reported_or_lands_below_the_folder(paths: list[bytes]) -> None:
    entries = [TreeEntry("100644", "blob", "0" * 40, 1, path) for path in paths]
    found = check(entries, max_file_size=10, max_total_size=1_000)
    assert len(found.accepted) + len(found.rejected) == len(paths)
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        folder = top / "course" / "new"
        folder.mkdir(parents=True)
        replace.write_tree(folder, ((file.path, False, [b"x"]) for file in found.accepted))
        files = [path for path in top.rglob("*") if not path.is_dir()]
        assert sorted(str(path.relative_to(folder)) for path in files) == sorted(f.path for f in found.accepted)
        assert {path.name for path in top.iterdir()} == {"course"}
        assert {path.name for path in (top / "course").iterdir()} == {"new"}


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(PATHS)
def test_what_writes_files_checks_once_more(path: bytes) -> None:
    text = path.decode("utf-8", "surrogateescape")
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        folder = top / "folder"
        folder.mkdir()
        try:
            replace.write_tree(folder, [(text, False, [b"x"])])
        except UnsafePath:
            assert problem(path) is not None
            assert list(folder.iterdir()) == []
        except FilesError:
            assert problem(path) is None  # longer than this file system takes
        else:
            assert (folder / text).read_bytes() == b"x"
        assert [path.name for path in top.iterdir()] == ["folder"]


@given(st.binary(max_size=2_000) | st.text(max_size=2_000))
def test_a_long_name_is_shown_by_its_ends_on_one_line(path: bytes | str) -> None:
    shown = shortened(path)
    assert len(shown) <= MAX_SHOWN + 3
    assert len(shown.splitlines()) <= 1
    if len(display(path)) <= MAX_SHOWN:
        assert shown == display(path)


@given(st.text(max_size=40))
def test_the_caseless_form_of_a_caseless_form_is_itself(path: str) -> None:
    assert caseless(caseless(path)) == caseless(path)
