from __future__ import annotations

import io
from datetime import datetime
from typing import BinaryIO

import pytest

from git_exchange.errors import CacheCorrupt, FilesError
from git_exchange.transport.cache import Cache, Repository
from git_exchange.transport.objects import TreeFile, commit_tree, has_commit, list_tree, read_blob, read_commit

from .conftest import AT, make_commit, plain_git, text_file


@pytest.fixture
def copy(cache: Cache) -> Repository:
    return cache.staff()


def _commit(copy: Repository, files: list[TreeFile], **changed: object) -> str:
    values: dict[str, object] = {
        "parents": [],
        "message": "Submit\n",
        "name": "Alice",
        "email": "alice@example.edu",
        "at": AT,
        **changed,
    }
    return commit_tree(copy, files=files, **values)  # type: ignore[arg-type]


def _untouched(copy: Repository) -> bool:
    """Nothing was left behind: no objects, no half written packs, no crash report, no ref."""
    packs = list((copy.git_dir / "objects" / "pack").iterdir())
    return not packs and not list(copy.git_dir.glob("fast_import_crash*")) and not _refs(copy)


def _refs(copy: Repository) -> list[str]:
    return plain_git("for-each-ref", git_dir=copy.git_dir).split()


def test_no_branch_is_left_behind(copy: Repository) -> None:
    commit = _commit(copy, [text_file("a.txt")])
    assert has_commit(copy, commit)
    assert _refs(copy) == []


def test_the_commit_passes_git_s_own_checks(copy: Repository) -> None:
    commit = _commit(copy, [text_file("a.txt"), text_file("d/b.txt")])
    plain_git("update-ref", "refs/heads/x", commit, git_dir=copy.git_dir)
    plain_git("fsck", "--strict", "--full", git_dir=copy.git_dir)


def test_the_tree_is_exactly_the_files_whatever_the_parent_had(copy: Repository) -> None:
    parent = _commit(copy, [text_file("gone.txt"), text_file("d/kept.txt")])
    commit = _commit(copy, [text_file("d/kept.txt"), text_file("new.txt")], parents=[parent])
    assert [entry.path for entry in list_tree(copy, commit)] == [b"d/kept.txt", b"new.txt"]


def test_no_file_at_all_is_an_empty_tree(copy: Repository) -> None:
    parent = _commit(copy, [text_file("a.txt")])
    commit = _commit(copy, [], parents=[parent])
    assert list_tree(copy, commit) == []
    assert read_commit(copy, commit).tree == "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


def test_the_same_tree_again_is_another_commit(copy: Repository) -> None:
    first = _commit(copy, [text_file("a.txt")])
    second = _commit(copy, [text_file("a.txt")], parents=[first])
    assert read_commit(copy, first).tree == read_commit(copy, second).tree
    assert first != second


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"\r\n", b"\xef\xbb\xbfbom", b"\0\xff\xfe", b"data 5\ndone\n", bytes(2_500_000)]
)
def test_contents_arrive_byte_for_byte(copy: Repository, content: bytes) -> None:
    commit = _commit(copy, [text_file("a.txt", content)])
    (entry,) = list_tree(copy, commit)
    assert read_blob(copy, entry.oid, 3_000_000) == content


@pytest.mark.parametrize(
    "path", ['"quoted".txt', "back\\slash", "new\nline", " space ", "ü/日本.ipynb", "\x01", "-rf", "a:b"]
)
def test_names_arrive_as_they_are(copy: Repository, path: str) -> None:
    commit = _commit(copy, [text_file(path)])
    assert [entry.path for entry in list_tree(copy, commit)] == [path.encode()]


@pytest.mark.parametrize("path", ["", "/abs", "a//b", "../up", "a/./b", ".git/config", "d/.GIT/x", "nul\0", "a/"])
def test_names_that_no_tree_can_hold_are_refused_and_nothing_is_kept(copy: Repository, path: str) -> None:
    with pytest.raises(ValueError, match="cannot be the path"):
        _commit(copy, [text_file("good.txt"), text_file(path)])
    assert _untouched(copy)


@pytest.mark.parametrize("content", [b"shorter", b"longer than what was said"])
def test_a_file_that_changes_while_it_is_read_stops_it_and_nothing_is_kept(copy: Repository, content: bytes) -> None:
    changing = TreeFile("ps1.ipynb", False, lambda: io.BytesIO(content), 10)
    with pytest.raises(FilesError, match=r"'ps1.ipynb' changed while it was being read"):
        _commit(copy, [text_file("a.txt"), changing])
    assert _untouched(copy)


def test_a_file_that_cannot_be_opened_stops_it_and_nothing_is_kept(copy: Repository) -> None:
    def refuse() -> BinaryIO:
        raise PermissionError("no")

    with pytest.raises(PermissionError):
        _commit(copy, [text_file("a.txt"), TreeFile("b.txt", False, refuse, 10)])
    assert _untouched(copy)


def test_every_file_is_closed_again(copy: Repository) -> None:
    opened: list[io.BytesIO] = []

    def open_it() -> BinaryIO:
        opened.append(io.BytesIO(b"12"))
        return opened[-1]

    _commit(copy, [TreeFile("a", False, open_it, 2), TreeFile("b", False, open_it, 2)])
    assert [file.closed for file in opened] == [True, True]


def test_a_parent_that_is_not_here_is_a_damaged_copy(copy: Repository) -> None:
    with pytest.raises(CacheCorrupt):
        _commit(copy, [text_file("a.txt")], parents=["0123456789" * 4])
    assert _untouched(copy)


def test_a_commit_with_two_parents_has_both(copy: Repository) -> None:
    one, two = make_commit(copy, a=b"1"), make_commit(copy, a=b"2")
    assert read_commit(copy, _commit(copy, [], parents=[one, two])).parents == (one, two)


@pytest.mark.parametrize(
    ("name", "email", "author"),
    [
        ("Ä <b> \n c", "a@b>\n", "Ä b c <a@b>"),
        ("", "a@b", "a@b <a@b>"),
        ("x\ncommitter y", "a@b", "x committer y <a@b>"),
    ],
)
def test_names_cannot_break_out_of_their_line(copy: Repository, name: str, email: str, author: str) -> None:
    commit = _commit(copy, [], name=name, email=email)
    assert read_commit(copy, commit).author == author
    plain_git("update-ref", "refs/heads/x", commit, git_dir=copy.git_dir)
    plain_git("fsck", "--strict", git_dir=copy.git_dir)


@pytest.mark.parametrize("message", ["", "one line", "Subject\n\nfrom 1234\ndeleteall\nM 100644 inline x\n", "ü\r\n"])
def test_messages_arrive_as_they_are(copy: Repository, message: str) -> None:
    assert read_commit(copy, _commit(copy, [], message=message)).message == message


def test_a_message_with_nul_is_refused(copy: Repository) -> None:
    with pytest.raises(ValueError, match="NUL"):
        _commit(copy, [], message="a\0b")


def test_a_time_without_zone_is_refused(copy: Repository) -> None:
    with pytest.raises(ValueError, match="aware"):
        _commit(copy, [], at=datetime(2026, 1, 1))


@pytest.mark.parametrize("parent", ["HEAD", "refs/heads/x", "a" * 40 + "\ndeleteall"])
def test_only_full_ids_are_parents(copy: Repository, parent: str) -> None:
    with pytest.raises(ValueError, match="id of a commit"):
        _commit(copy, [], parents=[parent])


def test_a_seat_builds_on_a_release_that_it_only_borrows(cache: Cache) -> None:
    release = make_commit(cache.releases(), a=b"release")
    seat = cache.seat(1)
    commit = make_commit(seat, release, a=b"work")
    assert read_commit(seat, commit).parents == (release,)
    assert not has_commit(cache.releases(), commit)
