"""Trees made by somebody else: what is written of them, and what is named instead."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_exchange.errors import TooLarge
from git_exchange.files.paths import problem, shortened
from git_exchange.files.tree import Accepted, CheckedTree, Rejected, TreeEntry, check, lfs_pointer
from tests.path_cases import CASES, PathCase


def blob(path: str | bytes, size: int | None = 1, mode: str = "100644", kind: str = "blob") -> TreeEntry:
    return TreeEntry(mode, kind, "0" * 40, size, path if isinstance(path, bytes) else path.encode())


def checked(*entries: TreeEntry, **limits: object) -> CheckedTree:
    return check(entries, **{"max_file_size": 100, "max_total_size": 1_000, **limits})  # type: ignore[arg-type]


def names(found: CheckedTree) -> list[str]:
    return [file.path for file in found.accepted]


def test_files_are_accepted_sorted_with_their_modes() -> None:
    found = checked(blob("b/run.sh", 3, "100755"), blob("a.ipynb", 5), blob("old", 0, "100664"))
    assert found == CheckedTree(
        (
            Accepted("a.ipynb", "0" * 40, 5, False),
            Accepted("b/run.sh", "0" * 40, 3, True),
            Accepted("old", "0" * 40, 0, False),
        ),
        (),
    )


@pytest.mark.parametrize(
    ("entry", "word"),
    [
        (blob("link", mode="120000"), "symbolic link"),
        (blob("module", None, "160000", "commit"), "submodule"),
        (blob("odd", mode="100600"), "mode"),
        (blob("odd", kind="tag"), "mode"),
        (blob("lost", None), "size"),
        (blob("big", 101), "101 bytes"),
        (blob("../outside"), ".."),
        (blob(".GIT/config"), ".git"),
        (blob(b"\xff"), "UTF-8"),
    ],
)
def test_a_hostile_entry_is_named_and_the_others_go_on(entry: TreeEntry, word: str) -> None:
    found = checked(entry, blob("fine"))
    assert names(found) == ["fine"]
    assert len(found.rejected) == 1
    assert word in found.rejected[0].reason


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_tree_is_taken_but_for_what_the_table_says(case: PathCase) -> None:
    entries = [blob(path, mode=mode.decode()) for mode, path in case.entries]
    found = checked(*entries)
    assert len(found.accepted) + len(found.rejected) == len(entries)
    assert [item.path for item in found.rejected] == ([shortened(case.path)] if case.files else [])
    assert all(case.files in item.reason for item in found.rejected)


def test_names_of_rejected_entries_are_made_for_display() -> None:
    assert checked(blob(b"a\x1b\xff")).rejected == (Rejected("a\\x1b\\xff", "the name is not UTF-8"),)


def test_folders_are_no_entries_of_their_own() -> None:
    assert checked(blob("a", None, "040000", "tree"), blob("a/b")) == checked(blob("a/b"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("A.ipynb", "a.ipynb"),
        ("Data/x", "data/x"),
        ("stra\u00dfe", "STRASSE"),
        ("e\u0301", "\u00e9"),
        ("\u212b", "\u00e5"),
    ],
)
def test_of_names_equal_up_to_case_or_form_the_first_wins_unless_the_other_was_released(one: str, other: str) -> None:
    first, second = sorted([one, other], key=str.encode)
    assert names(checked(blob(one), blob(other))) == [first]
    assert names(checked(blob(other), blob(one))) == [first]
    found = checked(blob(one), blob(other), preferred=[second])
    assert names(found) == [second]
    assert "up to case" in found.rejected[0].reason


def test_a_file_where_a_folder_would_be_is_named() -> None:
    found = checked(blob("a"), blob("A/b"))
    assert names(found) == ["A/b"]
    assert "folder" in found.rejected[0].reason
    found = checked(blob("a"), blob("A/b/c"), preferred=["a"])
    assert names(found) == ["a"]
    assert "a file a is where" in found.rejected[0].reason


def test_what_was_rejected_takes_no_name_away() -> None:
    assert names(checked(blob("A", 101), blob("a"))) == ["a"]
    assert names(checked(blob("a"), blob("A/x"), blob("A/y"), blob("b"), preferred=["a"])) == ["a", "b"]


def test_folders_that_differ_in_case_may_hold_different_files() -> None:
    assert names(checked(blob("Data/x"), blob("data/y"))) == ["Data/x", "data/y"]


def test_the_same_name_twice_is_written_once() -> None:
    assert names(checked(blob("a"), blob("a"))) == ["a"]


def test_a_file_of_exactly_the_limit_is_kept_and_zero_is_no_limit() -> None:
    assert names(checked(blob("a", 100))) == ["a"]
    assert names(checked(blob("a", 900), max_file_size=0)) == ["a"]


def test_too_much_together_is_refused_before_anything_is_written() -> None:
    with pytest.raises(TooLarge, match="1100 bytes"):
        checked(*(blob(f"f{number}", 100) for number in range(11)))
    assert len(checked(*(blob(f"f{number}", 100) for number in range(10))).accepted) == 10


def test_what_is_not_written_does_not_count_for_the_total() -> None:
    assert names(checked(blob("huge", 10**9), blob("a", 1))) == ["a"]


def test_too_many_files_are_refused_without_reading_on() -> None:
    def endless() -> object:
        number = 0
        while True:
            number += 1
            yield blob(f"link{number}", mode="120000")

    with pytest.raises(TooLarge, match="more than 10000 files"):
        check(endless(), max_file_size=1, max_total_size=1)  # type: ignore[arg-type]
    assert len(checked(blob("a"), blob("b"), max_files=2).accepted) == 2


PARTS = st.sampled_from(["a", "A", "b", "é", "e\u0301", "..", ".git", "c"])
PATHS = st.lists(PARTS, min_size=1, max_size=3).map("/".join)
ENTRIES = st.builds(
    blob,
    PATHS,
    st.none() | st.integers(0, 120),
    st.sampled_from(["100644", "100755", "120000", "160000"]),
)


@given(st.lists(ENTRIES, max_size=12), st.lists(PATHS, max_size=3))
def test_every_file_ends_in_one_place_and_what_is_accepted_can_live_together(
    entries: list[TreeEntry], preferred: list[str]
) -> None:
    found = check(entries, max_file_size=100, max_total_size=10_000, preferred=preferred)
    assert len(found.accepted) + len(found.rejected) == len(entries)
    accepted = names(found)
    assert accepted == sorted(accepted)
    assert all(problem(path.encode()) is None for path in accepted)
    keys = [unicodedata.normalize("NFD", path).casefold() for path in accepted]
    assert len(set(keys)) == len(keys)
    assert not any(one.startswith(f"{other}/") for one in keys for other in keys)


@given(st.lists(ENTRIES, max_size=12), st.randoms(use_true_random=False))
def test_the_order_of_the_entries_does_not_matter(entries: list[TreeEntry], random: object) -> None:
    by_path = {entry.path: entry for entry in entries}
    shuffled = list(by_path.values())
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    limits = {"max_file_size": 100, "max_total_size": 10_000}
    assert check(by_path.values(), **limits) == check(shuffled, **limits)


def test_many_deep_paths_do_not_take_long() -> None:
    entries = [blob("/".join([f"d{number}"] * 100)) for number in range(2_000)]
    assert len(check(entries, max_file_size=1, max_total_size=10_000).accepted) == 2_000


def test_an_lfs_pointer_is_known_by_its_first_line() -> None:
    assert lfs_pointer(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n")
    assert lfs_pointer(b"version https://hawser.github.com/spec/v1\n")
    assert not lfs_pointer(b'{"cells": []}')
    assert not lfs_pointer(b"")
