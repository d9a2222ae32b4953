"""Names that must not be written, and how hostile text is shown."""

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_exchange.files.paths import MAX_PATH, display, is_dot_git, problem
from tests.path_cases import DOT_GIT_NAMES, NAMES, PathCase


@pytest.mark.parametrize("case", NAMES, ids=lambda case: case.name)
def test_a_name_may_be_written_or_not_with_the_reason_that_the_table_says(case: PathCase) -> None:
    reason = problem(case.path)
    assert (reason is None) == (case.files == "")
    assert case.files in (reason or "")


def test_a_name_with_nul_which_no_tree_can_hold_must_not_be_written() -> None:
    assert problem(b"a\x00b")


@pytest.mark.parametrize("name", DOT_GIT_NAMES)
@pytest.mark.parametrize("around", ["{}", "{}/config", "a/{}", "a/{}/hooks/pre-commit"])
def test_no_spelling_of_dot_git_may_be_written(name: str, around: str) -> None:
    assert is_dot_git(name)
    assert problem(around.format(name).encode()) == "the name is taken for .git, which belongs to git"


@pytest.mark.parametrize(
    "path",
    [
        b"con",
        b"CON.txt",
        b"a/nul",
        b"aux ",
        b"com1",
        b"LPT9.tar.gz",
        b"a.",
        b"a ",
        b"a?",
        b"a:b",
        b'"',
        b"nul:x",
        b"CONIN$",
    ],
)
def test_what_windows_cannot_hold_is_flagged_only_when_asked(path: bytes) -> None:
    assert problem(path) is None
    assert problem(path, windows=True)


@pytest.mark.parametrize("path", [b"console", b"com10", b"nullable", b"auxiliary.txt", b"a.b"])
def test_windows_holds_names_that_only_resemble_reserved_ones(path: bytes) -> None:
    assert problem(path, windows=True) is None


@given(st.binary(max_size=40) | st.text(st.sampled_from("./\\.gitGIT~1: \u200c\x00a"), max_size=12).map(str.encode))
def test_what_may_be_written_stays_below_the_folder(path: bytes) -> None:
    if problem(path) is not None:
        return
    text = path.decode("utf-8")
    where = Path("/root/folder")
    assert (where / text).resolve().is_relative_to(where)
    for part in text.split("/"):
        bare = "".join(c for c in part if unicodedata.category(c) != "Cf").casefold().split(":")[0].rstrip(" .")
        assert bare not in (".git", "git~1")
        assert part not in ("", ".", "..")
    assert len(path) <= MAX_PATH


@given(st.binary(max_size=60) | st.text(max_size=60))
def test_whatever_is_shown_is_one_harmless_line(path: bytes | str) -> None:
    shown = display(path)
    assert len(shown.splitlines()) <= 1
    shown.encode("utf-8")
    assert all(unicodedata.category(c) not in ("Cc", "Cs", "Zl", "Zp") for c in shown)


def test_what_is_escaped_can_still_be_read() -> None:
    assert display(b"Name with spaces \xc3\xa9.txt") == "Name with spaces é.txt"
    assert display(b"\x1b[31mred\n\xff") == "\\x1b[31mred\\x0a\\xff"
    assert display("txt.\u202egnp\u2028\U000e0041") == "txt.\\u202egnp\\u2028\\U000e0041"
    assert display("a\udcff\ud800") == "a\\xff\\ud800"
    assert display("👩\u200d🔬") == "👩\u200d🔬"
