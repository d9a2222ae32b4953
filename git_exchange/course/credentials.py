"""Where the token comes from.

In order: ``GIT_EXCHANGE_TOKEN``, the file that ``GIT_EXCHANGE_TOKEN_FILE`` names (or ``token`` in the user's
configuration folder), git's own credential helper. One that the forge refuses gives way to the next. Never a trait:
formgrader prints the loaded configuration into its page.
"""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable, Iterator, MutableMapping
from pathlib import Path
from typing import TypeVar

from platformdirs import user_config_path

from git_exchange.errors import ConfigurationError, NoToken, TokenRefused
from git_exchange.secret import Token
from git_exchange.settings import Settings
from git_exchange.transport.command import git_credential_fill

VARIABLE = "GIT_EXCHANGE_TOKEN"
FILE_VARIABLE = "GIT_EXCHANGE_TOKEN_FILE"

_kept: dict[str, Token] = {}
_lock = threading.Lock()
_Connected = TypeVar("_Connected")


def keep_from_environment(environment: MutableMapping[str, str] | None = None) -> None:
    """Take the token out of the environment into this process's memory, so that kernels do not inherit it.

    Repeated calls keep what an earlier one took: nbgrader executes its configuration file on every request.
    """
    variables = os.environ if environment is None else environment
    value = variables.pop(VARIABLE, "").strip()
    if value:
        with _lock:
            _kept[VARIABLE] = _token(value, VARIABLE)


def forget() -> None:
    """Forget what ``keep_from_environment`` took."""
    with _lock:
        _kept.clear()


def tokens(settings: Settings) -> Iterator[Token]:
    """Yield the tokens that there are, the preferred one first. Raise ConfigurationError for an unsafe token file."""
    value = os.environ.get(VARIABLE, "").strip()
    if value:
        yield _token(value, VARIABLE)
    with _lock:
        kept = _kept.get(VARIABLE)
    if kept is not None:
        yield kept
    file = token_file()
    if file is not None:
        yield _read(file)
    filled = git_credential_fill(settings.url)
    if filled is not None:
        yield _token(filled[1], "git's credential helper")


def token_file() -> Path | None:
    """Return the token file that would be read, None if there is none.

    Raise ConfigurationError if one is named and missing.
    """
    named = os.environ.get(FILE_VARIABLE, "").strip()
    if named:
        if not Path(named).is_file():
            raise ConfigurationError(
                f"The token file that {FILE_VARIABLE} names does not exist.",
                hint="Write your token to it, or unset it.",
            )
        return Path(named)
    usual = usual_token_file()
    return usual if usual.is_file() else None


def usual_token_file() -> Path:
    """Return where a token file belongs if no variable names another place."""
    return user_config_path("git-exchange") / "token"


def first_accepted(settings: Settings, connect: Callable[[Token], _Connected]) -> tuple[_Connected, Token]:
    """Return what ``connect`` made of the first token that the forge accepts, and that token.

    Raise NoToken if no source has one, TokenRefused (of the last one) if none is accepted.
    """
    refused: TokenRefused | None = None
    for token in tokens(settings):
        try:
            return connect(token), token
        except TokenRefused as error:
            refused = error
    if refused is not None:
        raise refused
    raise NoToken(f"There is no token for {settings.url}.")


def _read(file: Path) -> Token:
    mode = file.stat().st_mode
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigurationError(
            f"Other users of this machine can read the token file {file.name!r}.",
            hint=f"Run: chmod 600 {file}  (and make a new token if it may have been read).",
        )
    value = file.read_text(encoding="utf-8").strip()
    if not value:
        raise ConfigurationError(f"The token file {file.name!r} is empty.", hint="Write your token to it.")
    return _token(value, f"the file {file.name!r}")


def _token(value: str, source: str) -> Token:
    try:
        return Token(value, source)
    except ValueError as error:
        raise ConfigurationError(f"{error}.".capitalize(), hint="Copy the token again, as one line.") from error
