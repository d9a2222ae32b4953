"""GitLab's ban for failed git sign-ins: an address from which many come is shut out, whoever signs in from there.

Off by default, as on GitLab: https://docs.gitlab.com/security/rate_limits/ ("Failed authentication ban").
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from git_exchange.devserver.clock import Clock


@dataclass
class Bans:
    """Who failed when. ``failures`` failed sign-ins within ``window`` shut an address out for ``lasts``."""

    clock: Clock
    on: bool = False
    failures: int = 30
    window: timedelta = timedelta(minutes=3)
    lasts: timedelta = timedelta(hours=1)
    _failed: dict[str, list[datetime]] = field(default_factory=dict)
    _until: dict[str, datetime] = field(default_factory=dict)

    def is_banned(self, address: str) -> bool:
        """Return whether nobody may sign in from this address now."""
        return self.on and address in self._until and self.clock.now() < self._until[address]

    def failed(self, address: str) -> None:
        """Count a failed sign-in."""
        now = self.clock.now()
        recent = [moment for moment in self._failed.get(address, []) if now - moment < self.window] + [now]
        self._failed[address] = recent
        if len(recent) >= self.failures:
            self._until[address] = now + self.lasts

    def succeeded(self, address: str) -> None:
        """Start counting anew, as GitLab does: clients that fail first and then sign in are common."""
        self._failed.pop(address, None)

    def switch(self, *, on: bool) -> None:
        """Begin or end to ban, with nothing counted."""
        self.on = on
        self._failed.clear()
        self._until.clear()

    def counted(self) -> int:
        """Return how many failed sign-ins count at this moment, over all addresses."""
        now = self.clock.now()
        return sum(now - moment < self.window for moments in self._failed.values() for moment in moments)
