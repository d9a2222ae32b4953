from __future__ import annotations

import os
import socket
import threading
from pathlib import Path

import pytest

from git_exchange.errors import (
    CacheCorrupt,
    GitTimeout,
    HostileRepository,
    RefMissing,
    RemoteDenied,
    RemoteUnreachable,
)
from git_exchange.transport import command
from git_exchange.transport.cache import Cache, Repository
from git_exchange.transport.command import Git
from git_exchange.transport.fetch import fetch, local_ref
from git_exchange.transport.objects import has_commit, history, list_tree, read_blob
from git_exchange.transport.push import push

from .conftest import AUTHORIZATION, REF, TOKEN, Server, make_commit, plain_git


@pytest.fixture
def pushed(server: Server, seat: Repository, cache: Cache) -> str:
    """A commit on the server that the staff's copy does not have."""
    commit = make_commit(seat, ps1_ipynb=b"{}" * 1000)
    push(seat, server.url("alice"), commit, REF)
    return commit


def test_a_branch_arrives_with_all_its_objects(server: Server, cache: Cache, pushed: str) -> None:
    copy = cache.staff()
    assert fetch(copy, server.url("alice"), [REF]) == {REF: pushed}
    assert [entry.path for entry in list_tree(copy, pushed)] == [b"ps1.ipynb"]


def test_what_arrives_is_one_pack_so_that_a_broken_off_fetch_leaves_no_part(
    server: Server, cache: Cache, pushed: str
) -> None:
    copy = cache.staff()
    fetch(copy, server.url("alice"), [REF])
    assert sorted(path.name for path in (copy.git_dir / "objects").iterdir()) == ["info", "pack"]


def test_only_the_branches_asked_for_arrive(server: Server, cache: Cache, seat: Repository, pushed: str) -> None:
    other = make_commit(seat, other=b"1")
    push(seat, server.url("alice"), other, "refs/heads/submit/ps2")
    plain_git("tag", "v1", other, git_dir=server.root / "alice.git")
    copy = cache.staff()
    fetch(copy, server.url("alice"), [REF])
    assert not has_commit(copy, other)
    assert plain_git("for-each-ref", "--format=%(refname)", git_dir=copy.git_dir).split() == [local_ref(REF)]
    assert not (copy.git_dir / "FETCH_HEAD").exists()


def test_nothing_asked_for_is_no_request(server: Server, seat: Repository) -> None:
    assert fetch(seat, server.url("alice"), []) == {}
    assert server.requests == []


def test_a_second_fetch_brings_only_what_is_new(server: Server, cache: Cache, seat: Repository, pushed: str) -> None:
    copy = cache.staff()
    fetch(copy, server.url("alice"), [REF])
    newer = make_commit(seat, pushed, ps1_ipynb=b"{}" * 1000 + b"new")
    push(seat, server.url("alice"), newer, REF)
    assert fetch(copy, server.url("alice"), [REF]) == {REF: newer}
    assert [info.oid for info in history(copy, newer, limit=10)] == [pushed, newer]


def test_a_rewritten_branch_is_taken_as_it_is_now(server: Server, cache: Cache, pushed: str) -> None:
    copy = cache.staff()
    fetch(copy, server.url("alice"), [REF])
    tree = plain_git("mktree", git_dir=server.root / "alice.git").strip()
    other = plain_git("commit-tree", tree, "-m", "rewritten", git_dir=server.root / "alice.git").strip()
    plain_git("update-ref", REF, other, git_dir=server.root / "alice.git")
    assert fetch(copy, server.url("alice"), [REF]) == {REF: other}
    assert has_commit(copy, pushed)


def test_a_missing_branch_is_named_and_nothing_is_fetched(server: Server, cache: Cache, pushed: str) -> None:
    copy = cache.staff()
    with pytest.raises(RefMissing, match=r"submit/nothing does not exist on 127.0.0.1/alice"):
        fetch(copy, server.url("alice"), [REF, "refs/heads/submit/nothing"])
    assert not has_commit(copy, pushed)


def test_a_branch_that_vanished_is_missing_though_it_was_fetched_before(
    server: Server, cache: Cache, pushed: str
) -> None:
    copy = cache.staff()
    fetch(copy, server.url("alice"), [REF])
    plain_git("update-ref", "-d", REF, git_dir=server.root / "alice.git")
    with pytest.raises(RefMissing):
        fetch(copy, server.url("alice"), [REF])


@pytest.mark.parametrize(
    "ref",
    [
        "submit/ps1",
        "refs/tags/v1",
        "refs/heads/a:refs/heads/b",
        "refs/heads/*",
        "refs/heads/a b",
        "-x",
        "refs/heads/a\nb",
    ],
)
def test_what_is_no_full_branch_name_is_refused_before_git_runs(server: Server, seat: Repository, ref: str) -> None:
    with pytest.raises(ValueError, match="full name of a branch"):
        fetch(seat, server.url("alice"), [ref])
    assert server.requests == []


def test_an_unknown_project_is_denied(server: Server, seat: Repository) -> None:
    with pytest.raises(RemoteDenied, match="does not exist, or this account may not see it"):
        fetch(seat, server.url("nobody"), [REF])


def test_a_wrong_token_is_denied_without_asking_anybody(server: Server, tmp_path: Path) -> None:
    server.create("alice")
    copy = Cache(tmp_path / "c", Git(authorization={server.origin: "Basic d3Jvbmc6d3Jvbmc="})).staff()
    with pytest.raises(RemoteDenied, match="does not accept the credentials") as caught:
        fetch(copy, server.url("alice"), [REF])
    assert "d3Jvbmc" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (403, RemoteDenied),
        (404, RemoteDenied),
        (429, RemoteUnreachable),
        (500, RemoteUnreachable),
        (503, RemoteUnreachable),
    ],
)
def test_statuses_are_told_apart(server: Server, seat: Repository, status: int, error: type[Exception]) -> None:
    server.faults.answer = status
    with pytest.raises(error) as caught:
        fetch(seat, server.url("alice"), [REF])
    assert type(caught.value) is error
    assert "127.0.0.1/alice" in str(caught.value)


def test_a_redirect_is_not_followed_and_the_token_goes_nowhere_else(server: Server, seat: Repository) -> None:
    server.create("elsewhere")
    server.faults.answer, server.faults.location = 302, server.url("elsewhere") + "/info/refs?service=git-upload-pack"
    server.faults.only = "alice"
    with pytest.raises(RemoteUnreachable, match="redirects git to another address"):
        fetch(seat, server.url("alice"), [REF])
    assert all("elsewhere" not in path for path, _ in server.requests)


def test_no_server_is_unreachable(seat: Repository) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(RemoteUnreachable, match=r"127.0.0.1/alice"):
        fetch(seat, f"http://127.0.0.1:{port}/alice.git", [REF])


def test_a_login_page_instead_of_git_is_unreachable(server: Server, seat: Repository) -> None:
    server.faults.answer, server.faults.body = 200, b"<!DOCTYPE html>\n<html>Sign in</html>\n"
    with pytest.raises(RemoteUnreachable):
        fetch(seat, server.url("alice"), [REF])


@pytest.mark.parametrize("after", [0, 10, 200, 700])
def test_a_server_that_dies_in_the_middle_leaves_nothing_behind(
    server: Server, cache: Cache, seat: Repository, after: int
) -> None:
    commit = make_commit(seat, ps1_ipynb=os.urandom(300_000))
    push(seat, server.url("alice"), commit, REF)
    copy = cache.staff()
    server.faults.cut_answer_after = after
    server.faults.only = "git-upload-pack"
    with pytest.raises(RemoteUnreachable):
        fetch(copy, server.url("alice"), [REF])
    assert not has_commit(copy, commit)
    assert list((copy.git_dir / "objects" / "pack").iterdir()) == []
    server.faults.cut_answer_after = None
    assert fetch(copy, server.url("alice"), [REF]) == {REF: commit}


def test_a_server_that_dies_in_the_middle_of_the_pack_leaves_nothing_behind(
    server: Server, cache: Cache, seat: Repository
) -> None:
    commit = make_commit(seat, ps1_ipynb=os.urandom(300_000))
    push(seat, server.url("alice"), commit, REF)
    copy = cache.staff()
    server.faults.cut_answer_after = 150_000
    with pytest.raises(RemoteUnreachable):
        fetch(copy, server.url("alice"), [REF])
    assert not has_commit(copy, commit)
    assert list((copy.git_dir / "objects" / "pack").iterdir()) == []
    server.faults.cut_answer_after = None
    assert fetch(copy, server.url("alice"), [REF]) == {REF: commit}


def test_a_server_that_never_answers_ends_at_the_time_limit(server: Server, seat: Repository) -> None:
    server.faults.hang = threading.Event()
    with pytest.raises(GitTimeout, match=r"git fetch with 127\.0\.0\.1.* did not finish"):
        fetch(seat, server.url("alice"), [REF], timeout=0.5)


def _hostile(server: Server, tree: bytes) -> str:
    """Put a commit with this tree object on the server's branch, past all checks."""
    git_dir = server.root / "alice.git"
    oid = plain_git("hash-object", "-t", "tree", "-w", "--literally", "--stdin", git_dir=git_dir, stdin=tree).strip()
    commit = plain_git("commit-tree", oid, "-m", "evil", git_dir=git_dir).strip()
    plain_git("update-ref", REF, commit, git_dir=git_dir)
    return commit


@pytest.mark.parametrize("name", [b".git", b".GIT", b"..", b"git~1", b".g\xe2\x80\x8cit"])
def test_a_tree_with_an_evil_name_is_refused_as_a_whole(server: Server, seat: Repository, name: bytes) -> None:
    blob = plain_git("hash-object", "-w", "--stdin", git_dir=server.root / "alice.git", stdin=b"x").strip()
    commit = _hostile(server, b"100644 " + name + b"\0" + bytes.fromhex(blob))
    with pytest.raises(HostileRepository, match="failed git's checks"):
        fetch(seat, server.url("alice"), [REF])
    assert not has_commit(seat, commit)


def test_an_old_client_s_zero_padded_mode_is_no_crime(server: Server, seat: Repository) -> None:
    blob = plain_git("hash-object", "-w", "--stdin", git_dir=server.root / "alice.git", stdin=b"x").strip()
    inner = plain_git("mktree", git_dir=server.root / "alice.git", stdin=f"100644 blob {blob}\tf\n".encode()).strip()
    commit = _hostile(server, b"040000 folder\0" + bytes.fromhex(inner))
    assert fetch(seat, server.url("alice"), [REF]) == {REF: commit}


def test_a_transfer_over_the_limit_is_refused_and_leaves_nothing(
    server: Server, cache: Cache, seat: Repository
) -> None:
    commit = make_commit(seat, big=os.urandom(3_000_000))
    push(seat, server.url("alice"), commit, REF)
    copy = cache.staff()
    with pytest.raises(HostileRepository, match="sends more than 1000000 bytes at once"):
        fetch(copy, server.url("alice"), [REF], max_bytes=1_000_000)
    assert not has_commit(copy, commit)
    assert list((copy.git_dir / "objects" / "pack").iterdir()) == []
    assert fetch(copy, server.url("alice"), [REF], max_bytes=4_000_000) == {REF: commit}


def test_a_transfer_over_the_limit_is_ended_too_where_the_system_cannot_limit_files(
    server: Server, cache: Cache, seat: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("resource.prlimit")
    monkeypatch.setattr(command, "_LOOK", 0.001)
    commit = make_commit(seat, big=os.urandom(30_000_000))
    push(seat, server.url("alice"), commit, REF)
    copy = cache.staff()
    with pytest.raises(HostileRepository, match="sends more than 1000000 bytes at once"):
        fetch(copy, server.url("alice"), [REF], max_bytes=1_000_000)
    assert not has_commit(copy, commit)
    assert fetch(copy, server.url("alice"), [REF], max_bytes=40_000_000) == {REF: commit}


def test_a_commit_whose_tree_is_missing_on_the_server_is_not_taken(server: Server, seat: Repository) -> None:
    git_dir = server.root / "alice.git"
    blob = plain_git("hash-object", "-w", "--stdin", git_dir=git_dir, stdin=b"x").strip()
    commit = _hostile(server, b"100644 a\0" + bytes.fromhex(blob))
    (git_dir / "objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises((HostileRepository, RemoteUnreachable, RemoteDenied)):
        fetch(seat, server.url("alice"), [REF])
    assert not has_commit(seat, commit)


def test_a_copy_with_a_stale_lock_is_damaged_and_works_after_rebuilding(
    server: Server, cache: Cache, seat: Repository, pushed: str
) -> None:
    copy = cache.staff()
    lock = copy.git_dir / f"{local_ref(REF)}.lock"
    lock.parent.mkdir(parents=True)
    lock.touch()
    with pytest.raises(CacheCorrupt):
        fetch(copy, server.url("alice"), [REF])
    cache.rebuild(copy)
    assert fetch(cache.staff(), server.url("alice"), [REF]) == {REF: pushed}


def test_a_copy_that_lost_everything_is_filled_again(
    server: Server, cache: Cache, seat: Repository, pushed: str
) -> None:
    copy = cache.staff()
    fetch(copy, server.url("alice"), [REF])
    for pack in (copy.git_dir / "objects" / "pack").iterdir():
        pack.unlink()
    newer = make_commit(seat, pushed, ps1_ipynb=b"{}" * 1000 + b"new")
    push(seat, server.url("alice"), newer, REF)
    assert fetch(copy, server.url("alice"), [REF]) == {REF: newer}
    assert [info.oid for info in history(copy, newer, limit=10)] == [pushed, newer]


def test_a_copy_that_lost_a_part_is_damaged_not_the_server_hostile(
    server: Server, cache: Cache, seat: Repository, pushed: str
) -> None:
    copy = cache.staff()
    fetch(copy, server.url("alice"), [REF])
    first = list((copy.git_dir / "objects" / "pack").iterdir())
    newer = make_commit(seat, pushed, ps1_ipynb=b"{}" * 1000 + b"new")
    push(seat, server.url("alice"), newer, REF)
    fetch(copy, server.url("alice"), [REF])
    for pack in first:
        pack.unlink()
    with pytest.raises(CacheCorrupt):
        history(copy, newer, limit=10)
    cache.rebuild(copy)
    copy = cache.staff()
    assert fetch(copy, server.url("alice"), [REF]) == {REF: newer}
    assert [info.oid for info in history(copy, newer, limit=10)] == [pushed, newer]


def test_a_copy_with_a_broken_pack_is_damaged_not_the_server_hostile(
    server: Server, cache: Cache, seat: Repository, pushed: str
) -> None:
    copy = cache.staff()
    fetch(copy, server.url("alice"), [REF])
    (pack,) = (copy.git_dir / "objects" / "pack").glob("*.pack")
    content = bytearray(pack.read_bytes())
    content[12:-20] = bytes(len(content) - 32)  # the checksum stays, so that the damage shows late
    pack.chmod(0o600)
    pack.write_bytes(content)
    newer = make_commit(seat, pushed, ps1_ipynb=b"{}" * 1000 + b"new")
    push(seat, server.url("alice"), newer, REF)
    with pytest.raises(CacheCorrupt):
        fetch(copy, server.url("alice"), [REF])
        list_tree(copy, pushed)
        read_blob(copy, list_tree(copy, pushed)[0].oid, 10_000)
    cache.rebuild(copy)
    assert fetch(cache.staff(), server.url("alice"), [REF]) == {REF: newer}


def test_a_branch_below_a_former_branch_of_the_same_name_works_after_rebuilding(
    server: Server, cache: Cache, pushed: str
) -> None:
    copy = cache.staff()
    fetch(copy, server.url("alice"), [REF])
    plain_git("update-ref", "-d", REF, git_dir=server.root / "alice.git")
    plain_git("update-ref", f"{REF}/a", pushed, git_dir=server.root / "alice.git")
    with pytest.raises(CacheCorrupt):
        fetch(copy, server.url("alice"), [f"{REF}/a"])
    cache.rebuild(copy)
    assert fetch(cache.staff(), server.url("alice"), [f"{REF}/a"]) == {f"{REF}/a": pushed}


def test_the_token_goes_with_every_request_and_into_no_message(server: Server, cache: Cache, pushed: str) -> None:
    server.faults.answer, server.faults.body = 403, f"you sent {AUTHORIZATION} {TOKEN}".encode()
    with pytest.raises(RemoteDenied) as caught:
        fetch(cache.staff(), server.url("alice"), [REF])
    assert {header for _, header in server.requests} == {AUTHORIZATION}
    for secret in (TOKEN, AUTHORIZATION, AUTHORIZATION.split()[1]):
        assert secret not in str(caught.value)
        assert secret not in repr(caught.value)
