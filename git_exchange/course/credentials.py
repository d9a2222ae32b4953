"""Where the token comes from.

In order: the hub whose server this is, ``GIT_EXCHANGE_TOKEN``, the file that ``GIT_EXCHANGE_TOKEN_FILE`` names (or
``token`` in the user's configuration folder), git's own credential helper. One that the forge refuses gives way to the
next. Never a trait: formgrader prints the loaded configuration into its page.

Forges shut out an address from which many failed sign-ins come, and behind a hub's address is everybody. So the API is
asked first, whose refusals do not count; git gets no token that the API has not taken; and what was refused, or has
ended, is not sent again.
"""

from __future__ import annotations

import hashlib
import os
import stat
import threading
import time
from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TypeVar

from platformdirs import user_config_path

from git_exchange.course import hub
from git_exchange.errors import ConfigurationError, NoToken, TokenRefused
from git_exchange.rules import expiry
from git_exchange.secret import Token
from git_exchange.settings import Settings
from git_exchange.transport.command import git_credential_fill

VARIABLE = "GIT_EXCHANGE_TOKEN"
FILE_VARIABLE = "GIT_EXCHANGE_TOKEN_FILE"

# A forge may refuse everybody for a while; after this time a refused token is tried again.
REFUSED_SECONDS = 600.0


@dataclass(frozen=True)
class _Refusal:
    at: float
    message: str


_kept: dict[str, Token] = {}
_refusals: dict[tuple[str, str], _Refusal] = {}
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
    """Forget what ``keep_from_environment`` took, what the hub said and what was refused."""
    with _lock:
        _kept.clear()
        _refusals.clear()
    hub.forget()


def tokens(settings: Settings) -> Iterator[Token]:
    """Yield the tokens that there are, the preferred one first: whoever asks for another one was refused with the last.

    Raise ConfigurationError for an unsafe token file.
    """
    kept = hub.ask().token
    if kept is not None:
        yield kept
        renewed = hub.ask(refused=kept).token
        if renewed is not None and renewed.value != kept.value:
            yield renewed
    value = os.environ.get(VARIABLE, "").strip()
    if value:
        yield _token(value, VARIABLE)
    with _lock:
        taken = _kept.get(VARIABLE)
    if taken is not None:
        yield taken
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
    """Return what ``connect``, which asks the forge's API, made of the first token that it accepts, and that token.

    Raise NoToken if no source has one, TokenRefused (of the last one) if none is accepted.
    """
    refused: tuple[TokenRefused, Token] | None = None
    for token in tokens(settings):
        try:
            _check_not_refused(settings, token)
            return connect(token), token
        except TokenRefused as error:
            _remember_refused(settings, token, error)
            refused = error, token
    said = hub.ask()
    if refused is None:
        raise NoToken(f"There is no token for {settings.url}. {said.reason}".rstrip(), hint=said.hint or None)
    last, token = refused
    if token.source == hub.SOURCE:
        last.hint = hub.RENEWED_SOON
    elif said.reason:
        last.hint = f"{said.reason} {said.hint}"
    raise last


def _check_not_refused(settings: Settings, token: Token) -> None:
    """Raise TokenRefused without asking the forge if the answer is known."""
    ends = expiry.of_token(token.value)
    if expiry.has_ended(ends, datetime.now(timezone.utc)):
        raise TokenRefused(f"The {token} ended at {ends:%Y-%m-%d %H:%M} UTC.")
    with _lock:
        before = _refusals.get(_key(settings, token))
    if before is not None and time.monotonic() - before.at < REFUSED_SECONDS:
        raise TokenRefused(before.message)


def _remember_refused(settings: Settings, token: Token, error: TokenRefused) -> None:
    with _lock:
        for key in [key for key, old in _refusals.items() if time.monotonic() - old.at >= REFUSED_SECONDS]:
            del _refusals[key]
        _refusals.setdefault(_key(settings, token), _Refusal(time.monotonic(), error.message))


def _key(settings: Settings, token: Token) -> tuple[str, str]:
    return settings.url, hashlib.sha256(token.value.encode()).hexdigest()


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
