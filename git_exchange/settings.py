"""Everything that can be configured, as one frozen value.

The plugin fills it from traits, the CLI from options, tests from literals. No token: see ``course/credentials``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from platformdirs import user_cache_path

from git_exchange.errors import ConfigurationError

KINDS = ("auto", "gitlab", "gitea")
IDENTICAL = ("first-time", "own-time")


@dataclass(frozen=True)
class Limits:
    """How much, and for how long. Sizes in bytes, times in seconds."""

    http_timeout: float = 20.0
    git_timeout: float = 120.0
    git_stall: float = 30.0
    pool: int = 8
    list_deadline: float = 5.0
    submit_deadline: float = 60.0
    bulk_deadline: float = 45.0
    list_cache: float = 5.0
    max_fetch: int = 1_000_000_000
    cache_bytes: int = 20_000_000_000


@dataclass(frozen=True)
class Settings:
    """One forge, one namespace on it, and how we behave towards them.

    ``url`` is the forge's base URL ("https://gitlab.example.edu", a path prefix allowed), ``namespace`` the full path
    of the group below which the courses lie ("teaching/2026"). ``ca_bundle`` is a PEM file for servers with a private
    certificate authority. ``group_ids`` are the numbers that the groups of courses must have (course id -> number),
    where somebody else could take a group's name. ``grace_seconds`` is how late the forge may write a push event.
    """

    url: str
    namespace: str
    kind: str = "auto"
    cache_dir: Path = field(default_factory=lambda: user_cache_path("git-exchange"))
    ca_bundle: Path | None = None
    identical_resubmission: str = "first-time"
    group_ids: Mapping[str, int] = field(default_factory=dict)
    grace_seconds: float = 300.0
    settle_seconds: float = 600.0
    limits: Limits = Limits()

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigurationError(
                f"{self.url!r} is not the address of a forge.", hint="Write it like https://gitlab.example.edu"
            )
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ConfigurationError(
                "The forge's URL must not hold a user name, password, query or fragment.",
                hint="Give the token by GIT_EXCHANGE_TOKEN or a token file.",
            )
        object.__setattr__(self, "url", self.url.rstrip("/"))
        object.__setattr__(self, "namespace", self.namespace.strip("/"))
        if not self.namespace:
            raise ConfigurationError(
                "No namespace is set.", hint="Name the group below which your courses lie, for example teaching/2026."
            )
        if self.kind not in KINDS:
            raise ConfigurationError(f"Unknown kind of forge {self.kind!r}.", hint=f"Use one of: {', '.join(KINDS)}.")
        if self.identical_resubmission not in IDENTICAL:
            raise ConfigurationError(
                f"identical_resubmission is {self.identical_resubmission!r}.",
                hint=f"Use one of: {', '.join(IDENTICAL)}.",
            )

    @property
    def origin(self) -> str:
        """Return scheme, host and port, the port always written: "https://gitlab.example.edu:443"."""
        parts = urlsplit(self.url)
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
        host = parts.hostname or ""
        return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}:{port}"
