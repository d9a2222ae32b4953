"""The file with the keys of all hooks' secrets: one a line, the newest first. Only its owner may read it.

Hooks are installed with the first key, and what is signed with any of them is accepted: between "new" and "drop" both
are valid, and nothing that a forge sends is refused meanwhile.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from git_exchange.errors import ConfigurationError
from git_exchange.files.replace import write_file
from git_exchange.rules import hook_secrets
from git_exchange.rules.hook_secrets import KEY_BYTES, HookSecret

_MAKE = "Make one: git-exchange collector keys new FILE"


@dataclass(frozen=True)
class HookKeys:
    """At least one key; the first is the one that hooks are installed with, all are accepted."""

    keys: tuple[bytes, ...] = field(repr=False)

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """Return what names each key, in their order."""
        return tuple(map(hook_secrets.fingerprint, self.keys))

    def secret(self, project_id: int) -> HookSecret:
        """Return the secret that the project's hook is installed with."""
        return hook_secrets.derive(self.keys[0], project_id)


def read_hook_keys(path: Path) -> HookKeys:
    """Return the keys in the file. Raise ConfigurationError if it holds none, or if others can read it."""
    if not (found := _read(path)):
        raise ConfigurationError(f"The file of hook keys {path.name!r} holds no key.", hint=_MAKE)
    return HookKeys(found)


def new_hook_key(path: Path) -> HookKeys:
    """Put a new key first and return all; the file is made if need be. Raise ConfigurationError, FilesError."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        pass
    except OSError as error:
        raise ConfigurationError(f"The file of hook keys {path} cannot be made: {error.strerror}.") from error
    keys = (secrets.token_bytes(KEY_BYTES), *_read(path))
    _write(path, keys)
    return HookKeys(keys)


def drop_old_hook_keys(path: Path) -> HookKeys:
    """Keep only the first key, and return it. Raise ConfigurationError, FilesError."""
    keys = read_hook_keys(path).keys[:1]
    _write(path, keys)
    return HookKeys(keys)


def _read(path: Path) -> tuple[bytes, ...]:
    try:
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise ConfigurationError(
                f"Other users of this machine can read the hook keys in {path.name!r}.",
                hint=f"Run: chmod 600 {path}  (and make a new key if they may have been read).",
            )
        lines = path.read_bytes().split()
    except OSError as error:
        raise ConfigurationError(
            f"The file of hook keys {path} cannot be read: {error.strerror}.", hint=_MAKE
        ) from error
    return tuple(_key(path, line) for line in lines)


def _key(path: Path, line: bytes) -> bytes:
    try:
        key = base64.b64decode(line, validate=True)
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES:
        raise ConfigurationError(
            f"{path.name!r} is not a file of hook keys.", hint=f"Each line is the Base64 of {KEY_BYTES} bytes. {_MAKE}"
        )
    return key


def _write(path: Path, keys: Sequence[bytes]) -> None:
    write_file(path, (base64.b64encode(key) + b"\n" for key in keys))
