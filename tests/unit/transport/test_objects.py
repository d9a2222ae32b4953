from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest

from git_exchange.errors import CacheCorrupt, HostileRepository, TooLarge
from git_exchange.files.tree import TreeEntry
from git_exchange.rules.attempt import Commit
from git_exchange.transport.cache import Cache, Repository
from git_exchange.transport.command import located
from git_exchange.transport.objects import (
    BlobReader,
    commit_tree,
    graph,
    has_commit,
    history,
    is_ancestor,
    list_tree,
    read_blob,
    read_commit,
    read_commits,
    tree_of,
)

from .conftest import AT, make_commit, plain_git, text_file

NOWHERE = "0123456789" * 4


@pytest.fixture
def copy(cache: Cache) -> Repository:
    return cache.staff()


@pytest.fixture
def mute_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A git that ends well and says nothing, as one whose output was lost."""
    script = tmp_path / "bin" / "git"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\n[ "$1" = --version ] && exec "{shutil.which("git")}" --version\ncat >/dev/null\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(script.parent), prepend=os.pathsep)
    located.cache_clear()
    yield
    located.cache_clear()


def _raw_commit(copy: Repository, content: bytes) -> str:
    return plain_git(
        "hash-object", "-t", "commit", "-w", "--literally", "--stdin", git_dir=copy.git_dir, stdin=content
    ).strip()


def test_a_commit_reads_back_as_it_was_made(copy: Repository) -> None:
    parent = make_commit(copy, a=b"1")
    commit = make_commit(copy, parent, message="Submit ps1\n\nAttempt: 2\n", a=b"2")
    info = read_commit(copy, commit)
    assert (info.oid, info.parents, info.message) == (commit, (parent,), "Submit ps1\n\nAttempt: 2\n")
    assert info.committed_at == AT
    assert info.author == "Alice <alice@example.edu>"
    assert (
        tree_of(copy, commit) == info.tree == plain_git("rev-parse", f"{commit}^{{tree}}", git_dir=copy.git_dir).strip()
    )


def test_commits_come_in_the_order_asked_for_also_twice(copy: Repository) -> None:
    first, second = make_commit(copy, a=b"1"), make_commit(copy, a=b"2")
    assert [info.oid for info in read_commits(copy, [second, first, second])] == [second, first, second]
    assert read_commits(copy, []) == []


def test_a_git_that_tells_nothing_of_a_commit_is_not_believed(copy: Repository, mute_git: None) -> None:
    with pytest.raises(CacheCorrupt, match="nothing"):
        read_commits(copy, ["1" * 40])


def test_a_commit_that_is_not_here_is_a_damaged_copy(copy: Repository) -> None:
    with pytest.raises(CacheCorrupt):
        read_commit(copy, NOWHERE)
    with pytest.raises(CacheCorrupt):
        history(copy, NOWHERE, limit=10)
    with pytest.raises(CacheCorrupt):
        list_tree(copy, NOWHERE)
    with pytest.raises(CacheCorrupt):
        tree_of(copy, NOWHERE)
    with pytest.raises(CacheCorrupt):
        is_ancestor(copy, NOWHERE, make_commit(copy, a=b"1"))


def test_having_a_commit_means_a_commit_and_not_another_object(copy: Repository) -> None:
    commit = make_commit(copy, a=b"1")
    assert has_commit(copy, commit)
    assert not has_commit(copy, tree_of(copy, commit))
    assert not has_commit(copy, NOWHERE)


@pytest.mark.parametrize("oid", ["HEAD", "-x", "", "a" * 39, "A" * 40, "refs/heads/x", "a" * 40 + "\n"])
def test_only_full_ids_are_looked_up(copy: Repository, oid: str) -> None:
    for look in (has_commit, read_commit, list_tree, tree_of):
        with pytest.raises(ValueError, match="id of an object"):
            look(copy, oid)
    with pytest.raises(ValueError, match="id of an object"):
        history(copy, oid, limit=1)


def test_history_is_oldest_first_whatever_the_commits_claim_as_their_time(copy: Repository) -> None:
    chain: list[str] = []
    for year in (2030, 1999, 2011):
        chain.append(
            commit_tree(
                copy,
                parents=chain[-1:],
                files=[],
                message=f"{year}\n",
                name="A",
                email="a@example.edu",
                at=datetime(year, 1, 1, tzinfo=timezone.utc),
            )
        )
    assert [info.oid for info in history(copy, chain[-1], limit=10)] == chain
    assert [info.oid for info in history(copy, chain[-1], exclude=chain[:1], limit=10)] == chain[1:]
    assert history(copy, chain[-1], exclude=chain[-1:], limit=10) == []


def test_history_holds_both_sides_of_a_merge_before_it(copy: Repository) -> None:
    base = make_commit(copy, a=b"0")
    left, right = make_commit(copy, base, a=b"1"), make_commit(copy, base, a=b"2")
    merge = make_commit(copy, left, right, a=b"3")
    found = [info.oid for info in history(copy, merge, exclude=[base], limit=10)]
    assert set(found[:2]) == {left, right}
    assert found[2:] == [merge]


def test_more_history_than_the_limit_is_refused_not_cut(copy: Repository) -> None:
    first = make_commit(copy, a=b"1")
    second = make_commit(copy, first, a=b"2")
    assert len(history(copy, second, limit=2)) == 2
    with pytest.raises(HostileRepository, match="more than 1 commits"):
        history(copy, second, limit=1)


def test_the_graph_is_the_history_without_what_people_wrote(copy: Repository) -> None:
    base = make_commit(copy, a=b"0")
    left, right = make_commit(copy, base, a=b"1"), make_commit(copy, base, a=b"2")
    merge = make_commit(copy, left, right, a=b"3")
    found = graph(copy, merge, exclude=[base], limit=3)
    assert found == [Commit(info.oid, info.tree, info.parents) for info in history(copy, merge, [base], limit=3)]
    assert found[-1].parents == (left, right)
    assert graph(copy, merge, exclude=[merge], limit=3) == []
    with pytest.raises(HostileRepository, match="more than 2 commits"):
        graph(copy, merge, exclude=[base], limit=2)


def test_ancestry_follows_every_parent(copy: Repository) -> None:
    base = make_commit(copy, a=b"0")
    left, right = make_commit(copy, base, a=b"1"), make_commit(copy, base, a=b"2")
    merge = make_commit(copy, left, right, a=b"3")
    assert is_ancestor(copy, right, merge)
    assert is_ancestor(copy, base, merge)
    assert is_ancestor(copy, merge, merge)
    assert not is_ancestor(copy, merge, right)
    assert not is_ancestor(copy, left, right)


def test_a_replacement_object_is_not_believed(copy: Repository) -> None:
    true, false = make_commit(copy, a=b"true"), make_commit(copy, a=b"false")
    plain_git("replace", true, false, git_dir=copy.git_dir)
    assert read_blob(copy, list_tree(copy, true)[0].oid, 100) == b"true"


@pytest.mark.parametrize("seconds", [b"0", b"99999999999999", b"-5"])
def test_a_forged_time_does_not_stop_the_reader(copy: Repository, seconds: bytes) -> None:
    tree = tree_of(copy, make_commit(copy, a=b"1")).encode()
    who = b"E <e@e> " + seconds + b" +0000"
    commit = _raw_commit(copy, b"tree " + tree + b"\nauthor " + who + b"\ncommitter " + who + b"\n\nevil\n")
    assert read_commit(copy, commit).committed_at.tzinfo is not None
    assert len(history(copy, commit, limit=1)) == 1


def test_a_message_in_another_encoding_or_in_none_is_readable(copy: Repository) -> None:
    tree = tree_of(copy, make_commit(copy, a=b"1")).encode()
    who = b"E <e@e> 1 +0000"
    head = b"tree " + tree + b"\nauthor " + who + b"\ncommitter " + who + b"\n"
    latin = _raw_commit(copy, head + b"encoding ISO-8859-1\n\nL\xf6sung\n")
    broken = _raw_commit(copy, head + b"\nL\xf6sung \xff\n")
    assert read_commit(copy, latin).message == "Lösung\n"
    assert read_commit(copy, broken).message == "L\ufffdsung \ufffd\n"


def test_a_message_with_lines_like_git_s_own_output_stays_one_message(copy: Repository) -> None:
    message = f"commit {NOWHERE}\ntree {NOWHERE}\n\x1b[31m%H%x00\n"
    commit = make_commit(copy, message=message, a=b"1")
    assert read_commit(copy, commit).message == message


def test_a_listing_has_every_file_at_any_depth_with_its_size(copy: Repository) -> None:
    commit = commit_tree(
        copy,
        parents=[],
        files=[text_file("b/c/run.sh", b"#!", executable=True), text_file('ü "x"\n\\.ipynb', b"12345")],
        message="m",
        name="A",
        email="a@example.edu",
        at=AT,
    )
    entries = list_tree(copy, commit)
    assert [(entry.mode, entry.kind, entry.size, entry.path) for entry in entries] == [
        ("100755", "blob", 2, b"b/c/run.sh"),
        ("100644", "blob", 5, 'ü "x"\n\\.ipynb'.encode()),
    ]


def test_links_and_submodules_are_listed_as_what_they_are(copy: Repository) -> None:
    blob = plain_git("hash-object", "-w", "--stdin", git_dir=copy.git_dir, stdin=b"/etc/passwd").strip()
    lines = f"120000 blob {blob}\tlink\n160000 commit {NOWHERE}\tmodule\n"
    tree = plain_git("mktree", "--missing", git_dir=copy.git_dir, stdin=lines.encode()).strip()
    assert list_tree(copy, tree) == [
        TreeEntry("120000", "blob", blob, 11, b"link"),
        TreeEntry("160000", "commit", NOWHERE, None, b"module"),
    ]


def test_a_name_that_is_no_text_is_listed_as_its_bytes(copy: Repository) -> None:
    blob = plain_git("hash-object", "-w", "--stdin", git_dir=copy.git_dir, stdin=b"x").strip()
    tree = plain_git(
        "mktree", "-z", git_dir=copy.git_dir, stdin=f"100644 blob {blob}\t".encode() + b"\xff\n\x1b\0"
    ).strip()
    assert [entry.path for entry in list_tree(copy, tree)] == [b"\xff\n\x1b"]


def test_a_tree_that_unfolds_without_end_is_refused(copy: Repository) -> None:
    blob = plain_git("hash-object", "-w", "--stdin", git_dir=copy.git_dir, stdin=b"x").strip()
    oid, kind, mode = blob, "blob", "100644"
    for _ in range(7):
        lines = "".join(f"{mode} {kind} {oid}\t{'n' * 20}{number}\n" for number in range(10))
        oid = plain_git("mktree", git_dir=copy.git_dir, stdin=lines.encode()).strip()
        kind, mode = "tree", "040000"
    with pytest.raises(HostileRepository):
        list_tree(copy, oid)


def test_blobs_are_read_one_after_the_other_exactly(copy: Repository) -> None:
    contents = [b"", b"\n", b"no end of line", b"\r\n\0\xff", bytes(3_000_000)]
    commit = make_commit(copy, f0=contents[0], f1=contents[1], f2=contents[2], f3=contents[3], f4=contents[4])
    entries = list_tree(copy, commit)
    with BlobReader(copy) as blobs:
        assert [b"".join(blobs.chunks(entry.oid)) for entry in entries] == contents
        assert max(len(chunk) for chunk in blobs.chunks(entries[-1].oid)) <= 1_048_576


def test_a_blob_that_is_left_half_read_does_not_disturb_the_next(copy: Repository) -> None:
    commit = make_commit(copy, big=bytes(5_000_000), small=b"small")
    big, small = (entry.oid for entry in list_tree(copy, commit))
    with BlobReader(copy) as blobs:
        half_read = blobs.chunks(big)
        next(half_read)
        assert b"".join(blobs.chunks(small)) == b"small"
        with pytest.raises(ValueError, match="another blob was asked for"):
            next(half_read)
        assert b"".join(blobs.chunks(small)) == b"small"


def test_after_a_missing_or_a_wrong_object_the_reader_goes_on(copy: Repository) -> None:
    commit = make_commit(copy, a=b"content")
    (entry,) = list_tree(copy, commit)
    with BlobReader(copy) as blobs:
        with pytest.raises(CacheCorrupt, match="lacks the object"):
            list(blobs.chunks(NOWHERE))
        with pytest.raises(HostileRepository, match="is a commit, not a file"):
            list(blobs.chunks(commit))
        assert list(blobs.chunks(entry.oid)) == [b"content"]


def test_a_reader_works_inside_its_with_only(copy: Repository) -> None:
    with pytest.raises(ValueError, match="inside its `with`"):
        list(BlobReader(copy).chunks(NOWHERE))


def test_a_blob_over_the_limit_is_not_read(copy: Repository) -> None:
    (entry,) = list_tree(copy, make_commit(copy, a=b"12345"))
    assert read_blob(copy, entry.oid, 5) == b"12345"
    with pytest.raises(TooLarge, match="has 5 bytes; the limit is 4"):
        read_blob(copy, entry.oid, 4)


def test_a_damaged_blob_is_a_damaged_copy(copy: Repository) -> None:
    (entry,) = list_tree(copy, make_commit(copy, a=b"content" * 100))
    (pack,) = (copy.git_dir / "objects" / "pack").glob("*.pack")
    content = pack.read_bytes()
    pack.chmod(0o600)
    pack.write_bytes(content[:12] + bytes(len(content) - 32) + content[-20:])
    with pytest.raises(CacheCorrupt):
        read_blob(copy, entry.oid, 10_000)


def test_attributes_in_a_submission_change_nothing(copy: Repository) -> None:
    attributes = b"* text=auto eol=lf filter=evil export-ignore ident working-tree-encoding=UTF-16\n"
    commit = commit_tree(
        copy,
        parents=[],
        files=[text_file(".gitattributes", attributes), text_file("a.txt", b"one\r\ntwo $Id$\r\n")],
        message="m",
        name="A",
        email="a@example.edu",
        at=AT,
    )
    entry = list_tree(copy, commit)[1]
    assert read_blob(copy, entry.oid, 100) == b"one\r\ntwo $Id$\r\n"
