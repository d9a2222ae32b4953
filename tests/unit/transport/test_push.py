from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from git_exchange.errors import (
    CacheCorrupt,
    GitTimeout,
    PushRace,
    PushRefused,
    RemoteDenied,
    RemoteUnreachable,
)
from git_exchange.transport.cache import Cache, Repository
from git_exchange.transport.command import Ended, Git
from git_exchange.transport.fetch import fetch
from git_exchange.transport.push import push

from .conftest import AUTHORIZATION, REF, TOKEN, Server, make_commit, plain_git


def _hook(server: Server, name: str, script: str) -> None:
    hook = server.root / "alice.git" / "hooks" / name
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\n{script}\n")
    hook.chmod(0o755)


def _commit_at_server(server: Server, *parents: str) -> str:
    git_dir = server.root / "alice.git"
    tree = plain_git("mktree", git_dir=git_dir).strip()
    ours = [option for parent in parents for option in ("-p", parent)]
    return plain_git("commit-tree", tree, *ours, "-m", "somebody else's", git_dir=git_dir).strip()


def test_a_first_push_makes_the_branch(server: Server, seat: Repository) -> None:
    commit = make_commit(seat, ps1_ipynb=b"{}")
    push(seat, server.url("alice"), commit, REF)
    assert server.head("alice") == commit


def test_a_push_sends_this_branch_and_nothing_else(server: Server, seat: Repository) -> None:
    push(seat, server.url("alice"), make_commit(seat, a=b"1"), REF)
    push(seat, server.url("alice"), make_commit(seat, b=b"2"), "refs/heads/submit/ps2")
    refs = plain_git("for-each-ref", "--format=%(refname)", git_dir=server.root / "alice.git").split()
    assert refs == [REF, "refs/heads/submit/ps2"]


def test_pushing_the_same_again_is_success(server: Server, seat: Repository) -> None:
    commit = make_commit(seat, a=b"1")
    push(seat, server.url("alice"), commit, REF)
    push(seat, server.url("alice"), commit, REF)
    assert server.head("alice") == commit


def test_a_commit_that_lies_below_the_head_already_is_success(server: Server, seat: Repository) -> None:
    first = make_commit(seat, a=b"1")
    second = make_commit(seat, first, a=b"2")
    push(seat, server.url("alice"), second, REF)
    push(seat, server.url("alice"), first, REF)
    assert server.head("alice") == second


def test_somebody_pushing_on_top_at_once_does_not_spoil_the_success(server: Server, seat: Repository) -> None:
    commit = make_commit(seat, a=b"1")
    _hook(server, "post-receive", "read o n r; git update-ref $r $(git commit-tree -p $n -m top $n^{tree})")
    plain_git("config", "user.name", "x", git_dir=server.root / "alice.git")
    plain_git("config", "user.email", "x@x", git_dir=server.root / "alice.git")
    push(seat, server.url("alice"), commit, REF)
    assert server.head("alice") not in (commit, None)


def test_a_branch_that_is_replaced_at_once_is_a_lost_race(server: Server, seat: Repository) -> None:
    other = _commit_at_server(server)
    _hook(server, "post-receive", f"git update-ref {REF} {other}")
    with pytest.raises(PushRace, match="holds something else"):
        push(seat, server.url("alice"), make_commit(seat, a=b"1"), REF)


def test_a_branch_that_vanishes_at_once_is_a_lost_race(server: Server, seat: Repository) -> None:
    _hook(server, "post-receive", f"git update-ref -d {REF}")
    with pytest.raises(PushRace):
        push(seat, server.url("alice"), make_commit(seat, a=b"1"), REF)


def test_history_is_never_replaced_even_if_the_server_would_allow_it(server: Server, seat: Repository) -> None:
    plain_git("config", "receive.denyNonFastForwards", "false", git_dir=server.root / "alice.git")
    first = make_commit(seat, a=b"1")
    push(seat, server.url("alice"), first, REF)
    with pytest.raises(PushRace, match="submit/ps1"):
        push(seat, server.url("alice"), make_commit(seat, a=b"2"), REF)
    assert server.head("alice") == first


def test_a_branch_that_we_have_never_seen_is_a_lost_race(server: Server, seat: Repository) -> None:
    theirs = _commit_at_server(server)
    plain_git("update-ref", REF, theirs, git_dir=server.root / "alice.git")
    with pytest.raises(PushRace):
        push(seat, server.url("alice"), make_commit(seat, a=b"1"), REF)
    assert server.head("alice") == theirs


def test_somebody_pushing_between_our_reading_and_writing_is_a_lost_race(server: Server, seat: Repository) -> None:
    first = make_commit(seat, a=b"1")
    push(seat, server.url("alice"), first, REF)
    theirs = _commit_at_server(server, first)

    def push_theirs() -> None:
        plain_git("update-ref", REF, theirs, git_dir=server.root / "alice.git")

    server.faults.before_receive = push_theirs
    mine = make_commit(seat, first, a=b"2")
    with pytest.raises(PushRace):
        push(seat, server.url("alice"), mine, REF)
    assert server.head("alice") == theirs
    again = make_commit(seat, fetch(seat, server.url("alice"), [REF])[REF], a=b"2")
    push(seat, server.url("alice"), again, REF)
    assert server.head("alice") == again


def test_of_many_first_pushes_at_once_one_wins_and_the_others_know_it(server: Server, cache: Cache) -> None:
    server.create("alice")
    copies = [cache.seat(number) for number in range(4)]
    commits = [make_commit(copy, a=str(number).encode()) for number, copy in enumerate(copies)]
    together = threading.Barrier(len(copies))

    def attempt(number: int) -> str | None:
        together.wait()
        try:
            push(copies[number], server.url("alice"), commits[number], REF)
        except PushRace:
            return None
        return commits[number]

    with ThreadPoolExecutor(len(copies)) as pool:
        won = [commit for commit in pool.map(attempt, range(len(copies))) if commit]
    assert won == [server.head("alice")]


def test_racing_pushes_that_rebuild_all_arrive(server: Server, cache: Cache) -> None:
    server.create("alice")
    copies = [cache.seat(number) for number in range(3)]

    def submit(number: int) -> str:
        copy = copies[number]
        parents: list[str] = []
        while True:
            commit = make_commit(copy, *parents, message=f"attempt of {number}\n", a=str(number).encode())
            try:
                push(copy, server.url("alice"), commit, REF)
                return commit
            except PushRace:
                parents = [fetch(copy, server.url("alice"), [REF])[REF]]

    with ThreadPoolExecutor(len(copies)) as pool:
        commits = list(pool.map(submit, range(len(copies))))
    listed = plain_git("rev-list", REF, git_dir=server.root / "alice.git").split()
    assert sorted(listed) == sorted(commits)


def test_the_server_s_rules_are_told_in_its_own_words_made_harmless(server: Server, seat: Repository) -> None:
    words = "GitLab: You are not allowed to push code to protected branches\\033[31m on this project."
    _hook(server, "pre-receive", f"printf '\\n========\\n\\n{words}\\n\\n=======\\n' >&2; exit 1")
    with pytest.raises(PushRefused) as caught:
        push(seat, server.url("alice"), make_commit(seat, a=b"1"), REF)
    assert caught.value.server_says == (
        "GitLab: You are not allowed to push code to protected branches\\x1b[31m on this project."
    )
    assert "\x1b" not in str(caught.value)
    assert server.head("alice") is None


@pytest.mark.parametrize("mark", ["GL-HOOK-ERR: git-exchange: ", "GL-HOOK-ERR: ", "GL-HOOK-ERR:", "git-exchange: "])
def test_of_what_the_server_says_the_lines_that_a_hook_wrote_for_the_person_are_kept(
    server: Server, seat: Repository, mark: str
) -> None:
    said = f"====\\n{mark}a.mp4: it is too large.\\nChecking 1 reference\\n{mark}Take it out.\\n"
    _hook(server, "pre-receive", f"printf '{said}' >&2; exit 1")
    with pytest.raises(PushRefused) as caught:
        push(seat, server.url("alice"), make_commit(seat, a=b"1"), REF)
    assert caught.value.explained
    assert caught.value.server_says == "a.mp4: it is too large.\nTake it out."


def test_rules_of_the_server_that_no_hook_explains_are_told_apart(server: Server, seat: Repository) -> None:
    _hook(server, "pre-receive", "echo 'GitLab: You are not allowed to push code.' >&2; exit 1")
    with pytest.raises(PushRefused) as caught:
        push(seat, server.url("alice"), make_commit(seat, a=b"1"), REF)
    assert not caught.value.explained


def test_a_server_that_says_what_git_would_say_is_not_believed(server: Server, seat: Repository) -> None:
    _hook(server, "pre-receive", "echo 'fatal: fsck error in packed object; Authentication failed' >&2; exit 1")
    with pytest.raises(PushRefused):
        push(seat, server.url("alice"), make_commit(seat, a=b"1"), REF)


def test_an_update_hook_refuses_too(server: Server, seat: Repository) -> None:
    _hook(server, "update", "echo 'not this branch' >&2; exit 1")
    with pytest.raises(PushRefused) as caught:
        push(seat, server.url("alice"), make_commit(seat, a=b"1"), REF)
    assert caught.value.server_says.startswith("not this branch")


def test_a_403_with_an_explanation_is_a_refusal_of_the_push(server: Server, seat: Repository) -> None:
    commit = make_commit(seat, a=b"1")
    server.faults.answer, server.faults.body = 403, b"You are not allowed to push code to this project."
    server.faults.only = "git-receive-pack"
    with pytest.raises(PushRefused) as caught:
        push(seat, server.url("alice"), commit, REF)
    assert caught.value.server_says == "You are not allowed to push code to this project."


@pytest.mark.parametrize("status", [401, 403, 404])
def test_an_account_without_access_is_denied(server: Server, seat: Repository, status: int) -> None:
    commit = make_commit(seat, a=b"1")
    server.faults.answer = status
    with pytest.raises(RemoteDenied):
        push(seat, server.url("alice"), commit, REF)


def test_a_lost_answer_is_success_if_the_server_shows_the_commit(server: Server, seat: Repository) -> None:
    commit = make_commit(seat, a=b"1")
    server.faults.drop_answer_to_push = True
    server.faults.only = "/git-receive-pack"
    push(seat, server.url("alice"), commit, REF)
    assert server.head("alice") == commit


@pytest.mark.parametrize("after", [0, 20])
def test_an_answer_cut_in_the_middle_is_success_if_the_server_shows_the_commit(
    server: Server, seat: Repository, after: int
) -> None:
    commit = make_commit(seat, a=b"1")
    server.faults.cut_answer_after = after
    server.faults.only = "/git-receive-pack"
    push(seat, server.url("alice"), commit, REF)
    assert server.head("alice") == commit


def test_a_server_that_fails_before_it_took_the_push_is_unreachable(server: Server, seat: Repository) -> None:
    commit = make_commit(seat, a=b"1")
    server.faults.answer = 503
    server.faults.only = "/git-receive-pack"
    with pytest.raises(RemoteUnreachable):
        push(seat, server.url("alice"), commit, REF)
    server.faults.answer = None
    assert server.head("alice") is None
    push(seat, server.url("alice"), commit, REF)
    assert server.head("alice") == commit


def test_a_push_that_cannot_be_read_back_is_no_success(server: Server, seat: Repository) -> None:
    commit = make_commit(seat, a=b"1")
    server.faults.answer = 503
    server.faults.only = "git-upload-pack"
    with pytest.raises(RemoteUnreachable, match="could not be asked whether it has it"):
        push(seat, server.url("alice"), commit, REF)


def test_a_server_that_stands_still_ends_at_the_time_limit(server: Server, seat: Repository) -> None:
    commit = make_commit(seat, a=b"1")
    server.faults.hang = threading.Event()
    with pytest.raises(GitTimeout):
        push(seat, server.url("alice"), commit, REF, timeout=0.5)


def test_a_push_that_timed_out_after_the_server_took_it_is_success(server: Server, seat: Repository) -> None:
    class TooSlow(Git):
        def attempt(self, *arguments: Any, **options: Any) -> Ended:
            super().attempt(*arguments, **options)
            raise GitTimeout("git push did not finish within 1 seconds.")

    commit = make_commit(seat, a=b"1")
    slow = Repository(seat.git_dir, TooSlow(authorization={server.origin: AUTHORIZATION}))
    push(slow, server.url("alice"), commit, REF)
    assert server.head("alice") == commit


def test_what_goes_wrong_here_after_the_push_does_not_make_it_a_failure(server: Server, seat: Repository) -> None:
    commit = make_commit(seat, a=b"1")
    (seat.git_dir / "refs" / "forge").write_text("in the way")
    push(seat, server.url("alice"), commit, REF)
    assert server.head("alice") == commit


def test_an_incomplete_local_copy_is_damaged_and_nothing_arrives(server: Server, seat: Repository) -> None:
    first = make_commit(seat, a=b"1")
    packs = list((seat.git_dir / "objects" / "pack").iterdir())
    second = make_commit(seat, first, b=b"2")
    for pack in packs:
        pack.unlink()
    with pytest.raises(CacheCorrupt):
        push(seat, server.url("alice"), second, REF)
    assert server.head("alice") is None


def test_a_notebook_of_which_little_changed_travels_as_little(server: Server, seat: Repository) -> None:
    lines = [random.Random(line).randbytes(40).hex().encode() for line in range(20_000)]
    first = make_commit(seat, ps1_ipynb=b"\n".join(lines))
    push(seat, server.url("alice"), first, REF)
    lines[100] = lines[15_000] = b"changed"
    server.received.clear()
    push(seat, server.url("alice"), make_commit(seat, first, ps1_ipynb=b"\n".join(lines)), REF)
    assert sum(server.received) < 10_000


def test_a_push_of_megabytes_arrives(server: Server, seat: Repository) -> None:
    commit = make_commit(seat, data=random.Random(1).randbytes(5_000_000))
    push(seat, server.url("alice"), commit, REF)
    assert server.head("alice") == commit


@pytest.mark.parametrize("commit", ["HEAD", "", "-f", "+" + "a" * 40, "a" * 39])
def test_only_a_full_commit_id_is_pushed(server: Server, seat: Repository, commit: str) -> None:
    with pytest.raises(ValueError, match="id of a commit"):
        push(seat, server.url("alice"), commit, REF)


@pytest.mark.parametrize("ref", ["submit/ps1", "refs/tags/v1", "+refs/heads/a", "refs/heads/*"])
def test_only_a_full_branch_name_is_pushed_to(server: Server, seat: Repository, ref: str) -> None:
    with pytest.raises(ValueError, match="full name of a branch"):
        push(seat, server.url("alice"), "a" * 40, ref)
    assert server.requests == []


def test_what_the_server_says_holds_no_token_of_ours(server: Server, seat: Repository) -> None:
    _hook(server, "pre-receive", f"echo 'your token is {TOKEN}' >&2; exit 1")
    with pytest.raises(PushRefused) as caught:
        push(seat, server.url("alice"), make_commit(seat, a=b"1"), REF)
    assert caught.value.server_says == "your token is ***"
    assert TOKEN not in str(caught.value)
