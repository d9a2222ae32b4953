"""Addresses that are one, marks in place of addresses, and records that grow old."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from git_exchange.rules import invited

NOW = datetime(2026, 11, 20, 10, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("said", "address"),
    [
        (" Una.Doe+x@Uni.Example ", "una.doe+x@uni.example"),
        ("a@x.example,b@y.example", ""),
        ("a@x.example b@y.example", ""),
        ("Una <a@x.example>", ""),
        ("a@b@c", ""),
        ("4711", ""),
        ("a\x00@x.example", ""),
        ("", ""),
    ],
)
def test_an_address_is_exactly_one_or_none(said: str, address: str) -> None:
    assert invited.address_of(said) == address


def test_the_record_comes_back_as_it_was_written_and_holds_no_address() -> None:
    record = {invited.mark("a@x.example"): NOW, invited.mark("b@x.example"): NOW - timedelta(days=90)}
    written = invited.dump(record)
    assert b"@" not in written
    assert invited.load(written) == record
    assert invited.current(record, NOW) == {invited.mark("a@x.example"): NOW}
    assert invited.load(b"") == {}


@pytest.mark.parametrize("content", [b"mark,invited_at\nx\n", b"mark,invited_at\nx,yesterday\n", b"\xff"])
def test_a_damaged_record_is_an_error(content: bytes) -> None:
    with pytest.raises(ValueError):
        invited.load(content)
