"""A course with people, opened by the commands that real people use, on the forge of the test run."""

from __future__ import annotations

import shutil
import sqlite3
import time
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from git_exchange.demo.people import Someone
from git_exchange.forge.connect import connect_accounts, connect_admin
from git_exchange.forge.ports import ForgeAdmin, Project
from git_exchange.rules import layout
from git_exchange.secret import Token
from git_exchange.settings import Settings
from tests import realforge
from tests.exchange.zygote import Zygote

COURSE = "calc 101"


@dataclass(frozen=True)
class Result:
    """What a command printed and how it ended."""

    status: int
    output: str


@dataclass
class Classroom:
    """One namespace of its own on the forge, one instructor, and students who are made when they are asked for."""

    url: str
    admin: Token
    place: Path
    zygote: Zygote
    kind: str = "gitlab"
    mark: str = field(default_factory=lambda: uuid.uuid4().hex[:8])
    people: dict[str, Someone] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)

    @property
    def namespace(self) -> str:
        return f"school-{self.mark}"

    def settings(self, cache: str = "cache") -> Settings:
        return Settings(url=self.url, namespace=self.namespace, kind=self.kind, cache_dir=self.place / cache)

    def person(self, name: str, *, scopes: tuple[str, ...] = ("api",)) -> Someone:
        """Return the person called ``name``, with an account ``<name>-<mark>`` on the forge and a token."""
        if name not in self.people:
            accounts = connect_accounts(self.settings(), self.admin)
            username = f"{name}-{self.mark}"
            account = accounts.create_account(username, name=name.title(), email=f"{username}@example.invalid")
            expires = datetime.now(timezone.utc).date() + timedelta(days=30)
            self.tokens[name] = accounts.create_token(account, name="test", scopes=scopes, expires=expires)
            someone = Someone(name, username, self.place / "people" / name, self.url, self.namespace, self.kind)
            someone.settle_in(self.tokens[name])
            self.people[name] = someone
            if self.kind == "gitea" and "api" in scopes:
                realforge.let_create_organisations(realforge.RealForge(self.url, self.admin.value), username)
        return self.people[name]

    def student(self, name: str, course: str = COURSE) -> Someone:
        """Return a student with a work folder configured for the course."""
        someone = self.person(name, scopes=("read_api", "write_repository"))
        if not (someone.work / "nbgrader_config.py").exists():
            someone.configure(someone.work, course)
        return someone

    @property
    def teacher(self) -> Someone:
        return self.person("teacher")

    def root(self, course: str = COURSE) -> Path:
        """Return the instructor's course directory, made when first asked for."""
        root = self.teacher.work / course.replace(" ", "-")
        if not root.exists():
            root.mkdir(parents=True)
            self.teacher.configure(root, course)
            with (root / "nbgrader_config.py").open("a") as file:
                file.write(f"c.CourseDirectory.root = {str(root)!r}\n")
        return root

    def open(
        self, *students: str, course: str = COURSE, instructors: tuple[str, ...] = ("teacher",), verify: bool = False
    ) -> Result:
        """Open the course with ``git-exchange course create`` and ``roster apply``, as the instructor."""
        created = self.run(self.teacher, ["git-exchange", "course", "create", course])
        assert created.status == 0, created.output
        return self.enrol(*students, course=course, instructors=instructors)

    def enrol(
        self, *students: str, course: str = COURSE, instructors: tuple[str, ...] = ("teacher",), verify: bool = False
    ) -> Result:
        for name in students:
            self.student(name, course)
        for name in instructors:
            self.person(name)
        lines = ["student_id,first_name,last_name,email,role,username"]
        lines += [f"{name},{name.title()},,,student,{self.people[name].username}" for name in students]
        lines += [f"{name},{name.title()},,,instructor,{self.people[name].username}" for name in instructors]
        roster = self.teacher.work / "roster.csv"
        roster.write_text("\n".join(lines) + "\n")
        command = ["git-exchange", "roster", "apply", course, "--from", str(roster), "--allow-drops", "100"]
        applied = self.run(self.teacher, [*command, *(["--verify"] if verify else [])])
        assert applied.status == 0, applied.output
        return applied

    def run(self, someone: Someone, command: list[str], folder: Path | None = None, **environment: str) -> Result:
        """Run a command as this person, whatever its end."""
        module = {"nbgrader": "nbgrader", "git-exchange": "git_exchange.cli.main"}[command[0]]
        own = someone.environment() | environment
        return Result(*self.zygote.run(module, command[1:], folder or someone.work, own, timeout=120))

    def nbgrader(self, name: str, *arguments: str, course: str = COURSE, **environment: str) -> Result:
        """Run nbgrader as the instructor (in the course directory) or as a student (in the work folder)."""
        someone = self.person(name)
        folder = self.root(course) if name == "teacher" else someone.work
        return self.run(someone, ["nbgrader", *arguments], folder, **environment)

    def ok(self, name: str, *arguments: str, course: str = COURSE, **environment: str) -> str:
        """Run nbgrader and demand success."""
        result = self.nbgrader(name, *arguments, course=course, **environment)
        assert result.status == 0, result.output
        return result.output

    def fails(self, name: str, *arguments: str, course: str = COURSE, **environment: str) -> str:
        """Run nbgrader and demand that it fails with a message and without a traceback."""
        result = self.nbgrader(name, *arguments, course=course, **environment)
        assert result.status != 0, result.output
        assert "Traceback" not in result.output, result.output
        return result.output

    def make_release(self, assignment: str = "ps1", course: str = COURSE, **files: str) -> Path:
        """Write ``release/<assignment>`` as ``generate_assignment`` would leave it."""
        folder = self.root(course) / "release" / assignment
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
        write_notebook(folder / "p1.ipynb", "x = 1")
        for name, text in files.items():
            (folder / name.replace("__", ".")).write_text(text)
        return folder

    def release(self, assignment: str = "ps1", *options: str, course: str = COURSE, **files: str) -> str:
        self.make_release(assignment, course, **files)
        return self.ok("teacher", "release_assignment", assignment, *options, course=course)

    def submitted(self, student: str, assignment: str = "ps1", course: str = COURSE) -> Path:
        return self.root(course) / "submitted" / student / assignment

    def forge(self, name: str = "teacher") -> ForgeAdmin:
        self.person(name)
        return connect_admin(self.settings(), self.tokens[name])

    def seat(self, student: str, course: str = COURSE) -> Project:
        path = f"{layout.group_path(self.namespace, course)}/{layout.seat_name(student)}"
        return self.forge().find_project(path)

    def pushes(self, student: str, assignment: str = "ps1", course: str = COURSE) -> list[str]:
        """Return the commits that the forge recorded as pushed to the student's submit branch, oldest first.

        Forges record pushes in the background: wait until the newest one is there.
        """
        ref = layout.submit_ref(assignment)
        seat, forge = self.seat(student, course), self.forge()
        heads = {branch.ref: branch.commit for branch in forge.branches(seat.id, "submit/")}
        limit = time.monotonic() + 30
        while True:
            found = [push.after or "" for push in forge.pushes(seat.id) if push.ref == ref]
            if heads.get(ref) in (None, *found[-1:]) or time.monotonic() > limit:
                return found
            time.sleep(0.2)

    def set_due(self, due: datetime, assignment: str = "ps1", course: str = COURSE) -> None:
        """Set a due date in the gradebook, as formgrader does."""
        from nbgrader.api import Gradebook

        with Gradebook(f"sqlite:///{self.root(course) / 'gradebook.db'}", course) as gradebook:
            gradebook.update_or_create_assignment(assignment, duedate=due.strftime("%Y-%m-%d %H:%M:%S.%f UTC"))

    def has_gradebook(self, course: str = COURSE) -> bool:
        path = self.root(course) / "gradebook.db"
        return path.exists() and bool(sqlite3.connect(path).execute("select 1").fetchone())


def write_notebook(path: Path, *sources: str) -> None:
    """Write a small valid notebook."""
    document = new_notebook(cells=[new_code_cell(source) for source in sources])
    for number, cell in enumerate(document.cells):
        cell["id"] = f"cell-{number}"
    nbformat.write(document, path)
