"""What survives a restart: SQLite in WAL mode beside the bare repositories. One process and one thread use it."""

from __future__ import annotations

from pathlib import Path

from git_exchange.devserver.clock import Clock
from git_exchange.devserver.store.accounts import Accounts
from git_exchange.devserver.store.database import Database
from git_exchange.devserver.store.events import Events
from git_exchange.devserver.store.hooks import Hooks
from git_exchange.devserver.store.invitations import Invitations
from git_exchange.devserver.store.members import Members
from git_exchange.devserver.store.namespaces import Namespaces
from git_exchange.devserver.store.projects import Projects
from git_exchange.devserver.store.protection import Protection
from git_exchange.devserver.store.statuses import Statuses


class Store:
    """All tables, on one connection."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.database = Database(path)
        self.accounts = Accounts(self.database, clock)
        self.namespaces = Namespaces(self.database, clock)
        self.projects = Projects(self.database, clock)
        self.members = Members(self.database, clock)
        self.invitations = Invitations(self.database, clock)
        self.protection = Protection(self.database)
        self.events = Events(self.database, clock)
        self.hooks = Hooks(self.database, clock)
        self.statuses = Statuses(self.database, clock)

    def close(self) -> None:
        """Close the database."""
        self.database.close()
