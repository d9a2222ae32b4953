"""Configuration that people write: TOML files in UTF-8."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tomli

from git_exchange.errors import ConfigurationError


def read_toml(path: Path) -> dict[str, Any]:
    """Return what the file says. Raise ConfigurationError if it cannot be read or is no TOML."""
    try:
        return tomli.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.") from error
    except (tomli.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is not TOML in UTF-8: {error}.") from error
