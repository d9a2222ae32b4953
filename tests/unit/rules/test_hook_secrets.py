"""One key gives each project's hook a secret of its own, in every form that a forge takes."""

from __future__ import annotations

import base64

import pytest

from git_exchange.rules.hook_secrets import derive, fingerprint, hook_url

KEY = bytes(range(32))


def test_a_secret_is_the_same_each_time_it_is_made() -> None:
    # Written down: with another answer every hook that is installed would be refused.
    assert derive(KEY, 15).token == "a85c1b454d1ca213c5a8fe51723fdd305690b9a6e38040dffe99999f3771c0a0"
    assert derive(KEY, 15) == derive(KEY, 15)


def test_each_project_and_each_key_has_its_own_secrets() -> None:
    found = [derive(KEY, 15), derive(KEY, 16), derive(KEY, 1), derive(KEY[::-1], 15)]
    texts = [text for secret in found for text in (secret.token, secret.signing_token)]
    assert len(set(texts)) == len(texts)
    assert not any(base64.b64decode(secret.signing_token[6:]).hex() == secret.token for secret in found)


def test_the_signing_token_is_what_gitlab_takes() -> None:
    prefix, _, key = derive(KEY, 15).signing_token.partition("_")
    assert prefix == "whsec"
    assert len(base64.b64decode(key, validate=True)) == 32


def test_the_plain_token_is_a_header_s_value() -> None:
    token = derive(KEY, 15).token
    assert token.isascii()
    assert token.isalnum()
    assert len(token) == 64


def test_a_fingerprint_names_a_key_and_is_no_part_of_a_secret() -> None:
    assert fingerprint(KEY) != fingerprint(KEY[::-1])
    assert len(bytes.fromhex(fingerprint(KEY))) == 4
    assert fingerprint(KEY) not in derive(KEY, 15).token + KEY.hex()


def test_secrets_do_not_show_in_what_is_printed() -> None:
    secret = derive(KEY, 15)
    assert secret.token not in repr(secret)
    assert secret.signing_token not in f"{secret}"


@pytest.mark.parametrize("key", [b"", b"short", KEY + b"x"])
def test_a_key_of_another_length_makes_no_secret(key: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        derive(key, 15)


def test_a_hook_s_address_names_course_and_project() -> None:
    assert hook_url("https://collect.uni.edu/", "calculus", 15) == "https://collect.uni.edu/hooks/calculus/15"
    assert hook_url("https://uni.edu/x", "Bio 1/a", 7) == "https://uni.edu/x/hooks/x_42io_201_2fa/7"
