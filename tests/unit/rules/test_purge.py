from __future__ import annotations

from datetime import datetime, timezone

import pytest

from git_exchange.rules.purge import Purge, dump, load

ONE = Purge(
    7,
    "refs/heads/release/ps1",
    ("a" * 40,),
    ("b" * 64,),
    datetime(2026, 11, 20, tzinfo=timezone.utc),
    "ada",
    "ü\n",
)


def test_a_record_comes_back_as_it_was_written() -> None:
    assert load(dump([ONE, ONE])) == (ONE, ONE)
    assert dump([ONE]).isascii()


@pytest.mark.parametrize("line", ["{", "[]", "{}", '{"v": 2}', dump([ONE]).replace("a" * 40, "--help")])
def test_a_damaged_line_is_named(line: str) -> None:
    with pytest.raises(ValueError, match="line 2"):
        load(dump([ONE]) + line)
