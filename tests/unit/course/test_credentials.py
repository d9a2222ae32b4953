from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from git_exchange.course import credentials
from git_exchange.errors import ConfigurationError, NoToken, TokenRefused
from git_exchange.secret import Token
from git_exchange.settings import Settings

SETTINGS = Settings(url="https://forge.example", namespace="teaching")


@pytest.fixture(autouse=True)
def nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    for name in (credentials.VARIABLE, credentials.FILE_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / ".config"))
    credentials.forget()
    yield
    credentials.forget()


def write(path: Path, value: str, mode: int = 0o600) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value)
    path.chmod(mode)
    return path


def test_the_sources_come_in_their_order(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    write(credentials.usual_token_file(), "from-file\n")
    assert [token.value for token in credentials.tokens(SETTINGS)] == ["from-file"]
    monkeypatch.setenv(credentials.FILE_VARIABLE, str(write(tmp_path / "named", "from-named-file")))
    assert [token.value for token in credentials.tokens(SETTINGS)] == ["from-named-file"]
    monkeypatch.setenv(credentials.VARIABLE, "from-environment")
    assert [token.value for token in credentials.tokens(SETTINGS)] == ["from-environment", "from-named-file"]


def test_what_was_taken_out_of_the_environment_is_still_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(credentials.VARIABLE, "from-environment")
    credentials.keep_from_environment()
    assert credentials.VARIABLE not in os.environ
    credentials.keep_from_environment()
    assert [token.value for token in credentials.tokens(SETTINGS)] == ["from-environment"]


def test_gits_own_credential_helper_is_the_last_source(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    kept = tmp_path / "credentials"
    kept.write_text("https://me:from-git@forge.example\n")
    (tmp_path / ".gitconfig").write_text(f"[credential]\n\thelper = store --file {kept}\n")
    monkeypatch.delenv("GIT_CONFIG_GLOBAL")
    assert [token.value for token in credentials.tokens(SETTINGS)] == ["from-git"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_file_that_others_can_read_is_refused_with_the_remedy(mode: int) -> None:
    write(credentials.usual_token_file(), "from-file", mode)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        list(credentials.tokens(SETTINGS))


@pytest.mark.parametrize("value", ["", "\n", "two words", "öl"])
def test_a_file_without_a_token_is_named(value: str) -> None:
    write(credentials.usual_token_file(), value)
    with pytest.raises(ConfigurationError):
        list(credentials.tokens(SETTINGS))


def test_a_named_file_that_is_missing_is_no_reason_to_take_another(monkeypatch: pytest.MonkeyPatch) -> None:
    write(credentials.usual_token_file(), "from-file")
    monkeypatch.setenv(credentials.FILE_VARIABLE, "/nonexistent/token")
    with pytest.raises(ConfigurationError, match=credentials.FILE_VARIABLE):
        list(credentials.tokens(SETTINGS))


def test_a_refused_token_gives_way_and_the_last_refusal_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(credentials.VARIABLE, "old")
    write(credentials.usual_token_file(), "new")
    tried = []

    def connect(token: Token) -> str:
        tried.append(token.value)
        if token.value == "old":
            raise TokenRefused("too old")
        return "connected"

    assert credentials.first_accepted(SETTINGS, connect)[0] == "connected"
    assert tried == ["old", "new"]
    credentials.usual_token_file().unlink()
    with pytest.raises(TokenRefused, match="too old"):
        credentials.first_accepted(SETTINGS, connect)


def test_without_any_source_the_message_says_where_to_put_a_token() -> None:
    with pytest.raises(NoToken, match="GIT_EXCHANGE_TOKEN"):
        credentials.first_accepted(SETTINGS, str)
