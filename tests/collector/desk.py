"""A collector of one course on the development server, worked in this process, with a clock of its own."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from git_exchange.collector.config import CollectorConfig, Hooks, Receiver, Storage, Sweep, Work
from git_exchange.collector.courses import Courses
from git_exchange.collector.inbox import Inbox
from git_exchange.collector.sweep import Sweeper
from git_exchange.collector.values import Arrival
from git_exchange.collector.worker import Afterwards, Worker
from git_exchange.course.receipts import read_ledger
from git_exchange.rules import layout
from git_exchange.rules.receipt import Receipt
from git_exchange.secret import Token
from tests.unit.school import COURSE, School


def configuration(school: School, database: str, queue: str = "sqlite:////dev/null") -> CollectorConfig:
    settings = school.settings("collector")
    return CollectorConfig(
        settings=settings,
        courses=(COURSE,),
        hooks=Hooks("https://collector.example", Path("keys")),
        receiver=Receiver(),
        storage=Storage(database, queue),
        work=Work(lease_seconds=60.0, max_tries=3),
        sweep=Sweep(),
        collect=(),
    )


def now() -> datetime:
    return datetime.now(timezone.utc)


@dataclass
class Desk:
    """The inbox's clock is real time plus ``ahead`` seconds."""

    school: School
    config: CollectorConfig
    ahead: float = 0.0
    afterwards: tuple[Afterwards, ...] = ()
    inbox: Inbox = field(init=False)
    courses: Courses = field(init=False)
    sweeper: Sweeper = field(init=False)
    deliveries: int = 0

    def __post_init__(self) -> None:
        self.inbox = Inbox.open(self.config.storage.database, clock=lambda: time.time() + self.ahead)
        self.courses = Courses(self.config.settings)
        self.sweeper = Sweeper(self.config, self.inbox, self.courses)

    def worker(self) -> Worker:
        return Worker(self.config, self.inbox, self.courses, self.afterwards)

    def token(self) -> Token:
        return self.school.token("teacher")

    def project(self, student: str) -> int:
        return self.school.course().seat_project(student).id

    def hook(
        self, student: str, commit: str, assignment: str = "ps1", project: int | None = None, course: str = COURSE
    ) -> Arrival:
        """Keep a delivery as the receiver would."""
        self.deliveries += 1
        number = self.project(student) if project is None else project
        ref = layout.submit_ref(assignment)
        arrival = Arrival(f"hook:{number}:{self.deliveries}", course, number, ref, commit, now())
        assert self.inbox.receive(arrival)
        return arrival

    def submit(self, student: str, text: str, assignment: str = "ps1") -> str:
        """Hand in, and keep what the forge's hook would tell; return the commit."""
        commit = self.school.submit(student, text, assignment).commit
        self.hook(student, commit, assignment)
        return commit

    def receipts(self, student: str, assignment: str = "ps1") -> list[Receipt]:
        ledger = read_ledger(self.school.course(), assignment)
        return list(ledger.of(self.project(student), layout.submit_ref(assignment)))

    def pins(self, student: str, assignment: str = "ps1") -> list[str]:
        return [receipt.commit for receipt in self.receipts(student, assignment) if receipt.kind == "pin"]

    def statuses(self, student: str, commit: str) -> list[dict[str, Any]]:
        """Return what the student sees at the commit."""
        return self.school.api("GET", f"/projects/{self.project(student)}/repository/commits/{commit}/statuses")

    def outcomes(self) -> dict[str, str]:
        """Return delivery -> state and outcome."""
        with self.inbox.database.reading() as connection:
            rows = connection.exec_driver_sql("SELECT delivery, state, outcome FROM arrivals").all()
        return {delivery: f"{state}: {outcome}" for delivery, state, outcome in rows}


def write_configuration(desk: Desk, folder: Path) -> Path:
    settings = desk.config.settings
    file = folder / "collector.toml"
    file.write_text(
        f'url = "{settings.url}"\nnamespace = "{settings.namespace}"\nkind = "{settings.kind}"\n'
        f'courses = ["{COURSE}"]\ncache_dir = "{folder}/cache"\n'
        '[hooks]\npublic_url = "https://collector.example"\nkeys_file = "keys"\n'
        f'[storage]\ndatabase = "{desk.config.storage.database}"\nqueue = "{desk.config.storage.queue}"\n'
        "[work]\nlease_seconds = 5\n"
    )
    return file
