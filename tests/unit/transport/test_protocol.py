from __future__ import annotations

import pytest

from git_exchange.errors import RemoteDenied
from git_exchange.transport.cache import Repository
from git_exchange.transport.command import Git
from git_exchange.transport.protocol import ls_remote
from git_exchange.transport.push import push

from .conftest import Server, make_commit, plain_git


@pytest.fixture
def commit(server: Server, seat: Repository) -> str:
    made = make_commit(seat, a=b"1")
    for ref in ("refs/heads/submit/ps1", "refs/heads/submit/ps10", "refs/heads/feedback/ps1"):
        push(seat, server.url("alice"), made, ref)
    plain_git("update-ref", "refs/heads/x/refs/heads/submit/ps1", made, git_dir=server.root / "alice.git")
    plain_git("tag", "-a", "-m", "v", "submit/ps1", made, git_dir=server.root / "alice.git")
    return made


def test_refs_are_found_by_the_beginning_of_their_full_name(server: Server, git: Git, commit: str) -> None:
    assert ls_remote(git, server.url("alice"), ["refs/heads/submit/"]) == {
        "refs/heads/submit/ps1": commit,
        "refs/heads/submit/ps10": commit,
    }
    assert set(ls_remote(git, server.url("alice"), ["refs/heads/feedback/", "refs/tags/"])) == {
        "refs/heads/feedback/ps1",
        "refs/tags/submit/ps1",
    }


def test_an_empty_project_has_no_refs(server: Server, git: Git) -> None:
    server.create("bob")
    assert ls_remote(git, server.url("bob"), ["refs/heads/"]) == {}


def test_a_branch_whose_name_is_no_text_is_left_out(server: Server, git: Git, commit: str) -> None:
    refs = server.root / "alice.git" / "packed-refs"
    refs.write_bytes(f"# pack-refs with: peeled fully-peeled \n{commit} refs/heads/submit/".encode() + b"\xff\n")
    assert set(ls_remote(git, server.url("alice"), ["refs/heads/submit/"])) == {
        "refs/heads/submit/ps1",
        "refs/heads/submit/ps10",
    }


def test_an_unknown_project_is_denied(server: Server, git: Git) -> None:
    with pytest.raises(RemoteDenied, match=r"127\.0\.0\.1/nobody does not exist"):
        ls_remote(git, server.url("nobody"), ["refs/heads/"])
