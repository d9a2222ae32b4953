"""A small course on the development server, worked on in this process: no command line, no nbgrader application."""

from __future__ import annotations

import shutil
import uuid
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import requests

from git_exchange.course.course import Course
from git_exchange.course.seats import my_seat, seats
from git_exchange.events import Event, Progress
from git_exchange.files.selection import SelectionRules
from git_exchange.forge.connect import connect, connect_accounts, connect_admin
from git_exchange.forge.ports import ForgeAdmin
from git_exchange.operations import collect, release, release_feedback, submit
from git_exchange.operations.policy import Policy
from git_exchange.provisioning.apply import apply_roster
from git_exchange.provisioning.open_course import open_course
from git_exchange.provisioning.people import Person, Roster
from git_exchange.report import Report
from git_exchange.secret import Token
from git_exchange.settings import Settings

COURSE = "calculus"
RULES = SelectionRules(ignore=(), include=("*",), max_file_size=100_000_000, max_total_size=100_000_000)


@dataclass
class School:
    """One namespace of its own; people are made when they are asked for. ``said`` is what operations told."""

    url: str
    admin: Token
    place: Path
    kind: str = "gitlab"
    mark: str = field(default_factory=lambda: uuid.uuid4().hex[:8])
    tokens: dict[str, Token] = field(default_factory=dict)
    said: list[Event] = field(default_factory=list)

    def settings(self, name: str = "teacher", **changes: Any) -> Settings:
        plain = Settings(
            url=self.url, namespace=f"school-{self.mark}", kind=self.kind, cache_dir=self.place / "cache" / name
        )
        return replace(plain, **changes)

    def username(self, name: str) -> str:
        return f"{name}-{self.mark}"

    def token(self, name: str, *, shown_as: str = "") -> Token:
        if name not in self.tokens:
            accounts = connect_accounts(self.settings(), self.admin)
            account = accounts.create_account(
                self.username(name), name=shown_as or name.title(), email=f"{self.username(name)}@example.invalid"
            )
            expires = datetime.now(timezone.utc).date() + timedelta(days=30)
            self.tokens[name] = accounts.create_token(account, name="test", scopes=("api",), expires=expires)
        return self.tokens[name]

    def forge(self, name: str = "teacher") -> ForgeAdmin:
        return connect_admin(self.settings(name), self.token(name))

    def course(self, name: str = "teacher", course_id: str = COURSE, **changes: Any) -> Course:
        settings = self.settings(name, **changes)
        return Course(settings, course_id, connect(settings, self.token(name)), self.token(name))

    def open(self, *students: str, staff: tuple[tuple[str, str], ...] = (), course_id: str = COURSE) -> Report:
        open_course(self.settings(), self.forge(), course_id)
        return self.enrol(*students, staff=staff, course_id=course_id)

    def enrol(self, *students: str, staff: tuple[tuple[str, str], ...] = (), course_id: str = COURSE) -> Report:
        people = [("teacher", "instructor"), *staff, *((student, "student") for student in students)]
        for name, _ in people:
            self.token(name)
        roster = Roster(
            tuple(Person(name, role=role, username=self.username(name)) for name, role in people), "the test"
        )
        report, _ = apply_roster(
            self.course(course_id=course_id), self.forge(), roster, allow_drops=100, listener=self.listen
        )
        return report

    def release(self, assignment_id: str = "ps1", *, due: datetime | None = None, force: bool = False) -> None:
        folder = self.folder("release", {"p1.ipynb": "released"})
        release.release(self.course(), assignment_id, folder, RULES, due=due, force=force, listener=self.listen)

    def submit(self, name: str, text: str, assignment_id: str = "ps1", course_id: str = COURSE) -> submit.Submitted:
        return self.submit_files(name, {"p1.ipynb": text}, assignment_id, course_id)

    def submit_files(
        self, name: str, files: dict[str, str], assignment_id: str = "ps1", course_id: str = COURSE
    ) -> submit.Submitted:
        course = self.course(name, course_id)
        folder = self.folder(f"work-{name}", files)
        prepared = submit.prepare(course, my_seat(course), assignment_id, folder, RULES, listener=self.listen)
        return submit.submit(course, prepared, listener=self.listen)

    def collect(
        self, assignment_id: str = "ps1", *, name: str = "teacher", policy: dict[str, Any] | None = None, **changes: Any
    ) -> Report:
        """Collect everybody's into ``submitted/<student>/<assignment>`` with a record of nothing read before."""
        course = self.course(name, **changes)
        self.root.mkdir(exist_ok=True)
        return collect.collect(
            course,
            assignment_id,
            seats(course),
            self.root,
            lambda student: self.submitted(student, assignment_id),
            Policy(**{"update": True, **(policy or {})}),
            listener=self.listen,
        )

    @property
    def root(self) -> Path:
        return self.place / "course"

    def submitted(self, student: str, assignment_id: str = "ps1") -> Path:
        return self.root / "submitted" / student / assignment_id

    def stamp(self, student: str, assignment_id: str = "ps1") -> str:
        return (self.submitted(student, assignment_id) / "timestamp.txt").read_text()

    def mark_work(self, student: str, pages: dict[str, str], assignment_id: str = "ps1") -> release_feedback.Marked:
        """Write feedback on what was collected, as nbgrader would, and return it."""
        folder = self.root / "feedback" / student / assignment_id
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
        for name in ("timestamp.txt", "submission_secret.txt", ".git-exchange-attempt"):
            shutil.copy(self.submitted(student, assignment_id) / name, folder / name)
        for name, text in pages.items():
            (folder / name).write_text(text)
        return release_feedback.Marked(student, folder, tuple(sorted(folder.glob("*.html"))))

    def folder(self, name: str, files: dict[str, str]) -> Path:
        folder = self.place / name
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        return folder

    def listen(self, event: Event | Progress) -> None:
        if isinstance(event, Event):
            self.said.append(event)

    def heard(self) -> str:
        return "\n".join(event.message for event in self.said)

    def control(self, what: str, method: str = "POST", **parameters: object) -> None:
        """Tell the server to misbehave: see ``git_exchange.devserver.controls``."""
        answer = requests.request(
            method,
            f"{self.url}/-/devserver/{what}",
            json=parameters,
            headers={"PRIVATE-TOKEN": self.admin.value},
            timeout=20,
        )
        assert answer.ok, answer.text

    def api(self, method: str, address: str, **parameters: object) -> Any:
        """Do something by the forge's API as the instructor."""
        answer = requests.request(
            method,
            f"{self.url}/api/v4{address}",
            json=parameters,
            headers={"PRIVATE-TOKEN": self.token("teacher").value},
            timeout=20,
        )
        assert answer.ok, answer.text
        return answer.json() if answer.content else None
