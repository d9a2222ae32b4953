from __future__ import annotations

import pytest

from git_exchange.forge.gitea.scopes import native, words


@pytest.mark.parametrize("asked", [{"api"}, {"read_api", "write_repository"}, {"read_api"}, {"write_repository"}])
def test_the_callers_words_come_back(asked: set[str]) -> None:
    assert words(native(asked)) == asked


@pytest.mark.parametrize(
    ("held", "found"),
    [
        ({"all"}, {"api"}),
        ({"write:repository", "read:user"}, {"read_api", "write_repository"}),
        ({"write:repository", "write:organization", "read:user"}, {"api"}),
        ({"read:user"}, {"read_user"}),
        ({"write:admin"}, set()),
    ],
)
def test_the_servers_scopes_amount_to_the_widest_words(held: set[str], found: set[str]) -> None:
    assert words(held) == found


def test_the_servers_own_words_stay() -> None:
    assert native(["write:admin"]) == {"write:admin"}
