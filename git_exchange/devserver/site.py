"""What every request shares: store, repositories, clock, address, webhooks, and what tests have asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from git_exchange.devserver.bans import Bans
from git_exchange.devserver.clock import Clock
from git_exchange.devserver.faults import Faults
from git_exchange.devserver.history import History
from git_exchange.devserver.repositories import Repositories
from git_exchange.devserver.store import Store
from git_exchange.devserver.values import Project
from git_exchange.devserver.webhooks import Webhooks

# What this server says it is; the newest GitLab whose behaviour was read for it.
VERSION = "18.5.0"
REVISION = "devserver"
HTTP_BACKENDS = 16


@dataclass
class Site:
    """The server's parts. ``url`` has no trailing slash; ``folder`` is where all state lies."""

    url: str
    folder: Path
    backend: Path
    clock: Clock
    store: Store
    repositories: Repositories
    webhooks: Webhooks
    faults: Faults = field(default_factory=Faults)
    bans: Bans = field(init=False)

    def __post_init__(self) -> None:
        self.bans = Bans(self.clock)

    @property
    def reports(self) -> Path:
        """The folder in which the post-receive hook leaves what a push changed."""
        return self.folder / "pushes"

    def history(self, project: Project) -> History:
        """Return the reader of a project's repository."""
        return self.history_at(project.storage)

    def history_at(self, storage: str) -> History:
        """Return the reader of the repository at this place."""
        return History(self.repositories, storage)
