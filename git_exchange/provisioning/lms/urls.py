"""Addresses that a configuration names."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from git_exchange.errors import ConfigurationError


def check_url(url: str) -> None:
    """Raise ConfigurationError unless this is an HTTPS address without credentials; HTTP only on this machine."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
        raise ConfigurationError(
            f"{url!r} is not the address of an LMS.", hint="Write it like https://lms.example.edu, without a password."
        )
    if parts.scheme == "http" and not _loopback(parts.hostname):
        raise ConfigurationError(
            f"{url!r} is not encrypted: whoever listens could read names and tokens.", hint="Use https."
        )


def _loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
