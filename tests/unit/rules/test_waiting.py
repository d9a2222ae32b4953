"""Who waits for an account: written and read again, each roster speaking for the roles that it covers."""

from __future__ import annotations

import pytest

from git_exchange.rules.waiting import Waiting, after, dump, load

ANN = Waiting("Ann Lee (LMS user 5)", "student", "no account, yet")
TOM = Waiting("tom", "grader", "no account")


def test_what_is_written_is_read_again() -> None:
    assert load(dump([TOM, ANN])) == (ANN, TOM)
    assert load(dump([])) == ()
    assert load(b"") == ()


def test_a_roster_replaces_who_waits_in_the_roles_that_it_covers_and_nobody_else() -> None:
    assert after([ANN, TOM], [], {"student"}) == (TOM,)
    assert after([TOM], [ANN], {"student"}) == (TOM, ANN)


@pytest.mark.parametrize("content", [b"who,role,why\n,student,x\n", b"nonsense\n1\n", b"\xff"])
def test_a_damaged_file_is_noticed(content: bytes) -> None:
    with pytest.raises(ValueError):
        load(content)
