"""A token as a value that cannot be printed by accident."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Token:
    """A forge token.

    ``source`` names where it came from, for messages ("GIT_EXCHANGE_TOKEN"). The value itself stays out of
    ``repr``, ``str`` and tracebacks; only the HTTP session and git's environment read it.
    """

    value: str = field(repr=False)
    source: str = "caller"

    def __post_init__(self) -> None:
        if not self.value or any(not 33 <= ord(c) <= 126 for c in self.value):
            raise ValueError(f"the token from {self.source} is empty or holds spaces or control characters")

    def __str__(self) -> str:
        return f"token from {self.source}"

    def basic_authorization(self, user: str = "oauth2") -> str:
        """Return the value of an ``Authorization`` header for git over HTTPS (Basic is all that forges take)."""
        return "Basic " + base64.b64encode(f"{user}:{self.value}".encode()).decode("ascii")
