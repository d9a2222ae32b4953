from __future__ import annotations

import base64
import pickle
import traceback

import pytest

from git_exchange.secret import Token


def test_a_token_shows_in_no_repr_str_or_traceback() -> None:
    token = Token("glpat-topsecret", "GIT_EXCHANGE_TOKEN")
    try:
        raise RuntimeError(f"{token} {token!r} {[token]}")
    except RuntimeError:
        shown = traceback.format_exc()
    assert "topsecret" not in shown
    assert "GIT_EXCHANGE_TOKEN" in str(token)


@pytest.mark.parametrize("value", ["", "with space", "line\nbreak", "tab\t", "ümlaut", "\x7f"])
def test_what_cannot_be_a_header_is_no_token(value: str) -> None:
    with pytest.raises(ValueError, match="empty or holds") as caught:
        Token(value, "a file")
    assert not value or value not in str(caught.value)


def test_git_gets_it_as_basic_authorization() -> None:
    header = Token("glpat-topsecret").basic_authorization()
    assert header.startswith("Basic ")
    assert base64.b64decode(header.removeprefix("Basic ")) == b"oauth2:glpat-topsecret"


def test_two_equal_tokens_are_equal_and_survive_copying() -> None:
    token = Token("glpat-topsecret", "x")
    assert pickle.loads(pickle.dumps(token)) == token
