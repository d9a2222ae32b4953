"""``git-exchange lti keys``, as somebody with an LMS's form beside the terminal."""

from __future__ import annotations

import json
from pathlib import Path

import jwt
from click.testing import CliRunner

from git_exchange.cli.main import cli
from git_exchange.errors import ConfigurationError
from git_exchange.provisioning.lms.keys import read_key
from git_exchange.provisioning.lms.lti_token import Platform, assertion


def keys(*arguments: str) -> str:
    result = CliRunner().invoke(cli, ["lti", "keys", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_what_is_printed_verifies_what_we_sign_and_holds_nothing_private(tmp_path: Path) -> None:
    file = tmp_path / "lti-key.pem"
    output = keys(str(file))
    assert "Names and Role Provisioning" in output
    assert "PRIVATE" not in output
    public = output[output.index("-----BEGIN PUBLIC KEY-----") : output.index("-----END PUBLIC KEY-----") + 24]
    signed = assertion(Platform("https://lms.example.edu", "1", "https://lms.example.edu/t"), read_key(file), now=0)
    claims = jwt.decode(signed, public, ["RS256"], audience="https://lms.example.edu/t", options={"verify_exp": False})
    assert claims["sub"] == "1"


def test_a_key_that_is_there_is_read_and_never_replaced(tmp_path: Path) -> None:
    file = tmp_path / "lti-key.pem"
    keys(str(file))
    before = file.read_bytes()
    assert "Read: " in keys(str(file))
    assert file.read_bytes() == before


def test_both_keys_are_published_during_a_change(tmp_path: Path) -> None:
    keys(str(tmp_path / "old.pem"))
    keys(str(tmp_path / "new.pem"))
    published = json.loads(keys(str(tmp_path / "new.pem"), "--also", str(tmp_path / "old.pem"), "--jwks"))
    assert [entry["kid"] for entry in published["keys"]] == [
        read_key(tmp_path / name).key_id for name in ("new.pem", "old.pem")
    ]


def test_a_file_that_is_no_key_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("hello")
    file.chmod(0o600)
    result = CliRunner().invoke(cli, ["lti", "keys", str(file)])
    assert isinstance(result.exception, ConfigurationError)
    assert file.read_text() == "hello"
