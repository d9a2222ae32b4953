"""The cycle: an instructor and students, each at a machine of their own, through nbgrader's own commands."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from git_exchange.demo.notebooks import answer_rightly, answer_wrongly
from git_exchange.demo.people import DemoFailed, Someone
from git_exchange.forge.connect import connect_accounts, connect_admin
from git_exchange.forge.ports import ForgeAdmin, Push
from git_exchange.rules import layout
from git_exchange.secret import Token
from git_exchange.settings import Settings

COURSE = "demo101"
ASSIGNMENT = "ps1"
NAMESPACE = "courses"
ADMIN = "admin"
INSTRUCTOR = "ada"
STUDENTS = ("bo", "cleo", "dora", "emil", "fay", "gus", "hana", "ivo", "jun", "kim")
NOTEBOOKS = ("problem1", "problem2")
TOKEN_DAYS = 30
RECORD_SECONDS = 60.0


@dataclass(frozen=True)
class Target:
    """The forge that the demo runs on, with a site administrator's token to make accounts and open the course.

    ``mark`` is appended to user names and namespace, so that nobody's are met on a server that others use.
    """

    url: str
    admin: Token
    kind: str
    mark: str = ""

    @property
    def namespace(self) -> str:
        """The group below which the course lies."""
        return NAMESPACE + self.mark


@dataclass(frozen=True)
class Cast:
    """Who takes part: ``right`` submits twice, ``silent`` never, the others are right or wrong in turn."""

    admin: Someone
    instructor: Someone
    students: tuple[Someone, ...]
    tokens: dict[str, Token] = field(repr=False)

    @property
    def right(self) -> Someone:
        """The first student."""
        return self.students[0]

    @property
    def wrong(self) -> Someone:
        """The second student."""
        return self.students[1]

    @property
    def silent(self) -> Someone:
        """The third student."""
        return self.students[2]

    @property
    def submitting(self) -> tuple[Someone, ...]:
        """Everybody but the silent one."""
        return tuple(student for student in self.students if student is not self.silent)

    @property
    def course_root(self) -> Path:
        """The instructor's course directory."""
        return self.instructor.work / COURSE


Say = Callable[[str, float], None]


class Cycle:
    """Run the steps in order; ``say`` hears each step with its duration in seconds."""

    def __init__(self, target: Target, place: Path, students: int, say: Say) -> None:
        self.target = target
        self.place = place
        self.say = say
        self.number = students
        self.settings = Settings(
            url=target.url, namespace=target.namespace, kind=target.kind, cache_dir=place / "demo-cache"
        )

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Time a step and say it when it is done."""
        started = time.monotonic()
        yield
        self.say(what, time.monotonic() - started)

    def run(self) -> Cast:
        """Run everything up to the fetched feedback. Raise DemoFailed with the output of the command at fault."""
        with self.step(f"accounts and tokens for {self.number + 1} people"):
            cast = self._people()
        admin, teacher, root = cast.admin, cast.instructor, cast.course_root
        with self.step("course create"):
            admin.run(["git-exchange", "course", "create", COURSE, "--title", "Demo course"])
        with self.step("roster apply"):
            admin.run(["git-exchange", "roster", "apply", COURSE, "--from", str(self._roster(cast))])
        with self.step("nbgrader quickstart"):
            teacher.run(["nbgrader", "quickstart", COURSE])
            teacher.configure(root, COURSE)
        with self.step(f"nbgrader generate_assignment {ASSIGNMENT}"):
            teacher.run(["nbgrader", "generate_assignment", ASSIGNMENT], root)
        with self.step(f"nbgrader release_assignment {ASSIGNMENT}"):
            teacher.run(["nbgrader", "release_assignment", ASSIGNMENT], root)
        with self.step("students: nbgrader list, fetch_assignment"):
            self._everybody(cast.students, self._fetch)
        with self.step("students work and submit"):
            self._everybody(cast.submitting, lambda student: self._work(cast, student))
        with self.step(f"{cast.right.name} works on and submits again"):
            self._answer(cast, cast.right, NOTEBOOKS)
            cast.right.run(["nbgrader", "submit", ASSIGNMENT])
        with self.step("the forge records the pushes"):
            for student in cast.submitting:
                recorded_pushes(self, cast, student)
        with self.step("nbgrader collect"):
            teacher.run(["nbgrader", "collect", ASSIGNMENT], root)
        with self.step("nbgrader autograde (the notebooks run)"):
            teacher.run(["nbgrader", "autograde", ASSIGNMENT], root)
        with self.step("nbgrader generate_feedback"):
            teacher.run(["nbgrader", "generate_feedback", ASSIGNMENT], root)
        with self.step("nbgrader release_feedback"):
            teacher.run(["nbgrader", "release_feedback", ASSIGNMENT], root)
        with self.step("students: nbgrader fetch_feedback"):
            self._everybody(cast.submitting, lambda student: student.run(["nbgrader", "fetch_feedback", ASSIGNMENT]))
        return cast

    def forge(self, someone: Someone, cast: Cast) -> ForgeAdmin:
        """Return the forge as this person sees it."""
        return connect_admin(self.settings, cast.tokens[someone.name])

    def _people(self) -> Cast:
        accounts = connect_accounts(self.settings, self.target.admin)
        expires = connect_admin(self.settings, self.target.admin).server().date.date() + timedelta(days=TOKEN_DAYS)
        tokens = {ADMIN: self.target.admin}
        people = [self._somebody(ADMIN, self.target.admin)]
        for name in (INSTRUCTOR, *_names(self.number)):
            username = name + self.target.mark
            account = accounts.create_account(
                username, name=name.capitalize(), email=f"{username}@git-exchange.invalid"
            )
            scopes = ("api",) if name == INSTRUCTOR else ("read_api", "write_repository")
            tokens[name] = accounts.create_token(account, name="git-exchange demo", scopes=scopes, expires=expires)
            people.append(self._somebody(name, tokens[name]))
        for student in people[2:]:
            student.configure(student.work, COURSE)
        return Cast(people[0], people[1], tuple(people[2:]), tokens)

    def _somebody(self, name: str, token: Token) -> Someone:
        target = self.target
        place = self.place / "people" / name
        someone = Someone(name, name + target.mark, place, target.url, target.namespace, target.kind)
        someone.settle_in(token)
        return someone

    def _roster(self, cast: Cast) -> Path:
        path = cast.admin.work / "roster.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["student_id", "first_name", "last_name", "email", "role", "username"])
            for someone in (cast.instructor, *cast.students):
                role = "instructor" if someone is cast.instructor else "student"
                name, username = someone.name, someone.username
                rows.writerow([name, name.capitalize(), "", f"{username}@git-exchange.invalid", role, username])
        return path

    def _fetch(self, student: Someone) -> None:
        listed = student.run(["nbgrader", "list"])
        if f"{COURSE} {ASSIGNMENT}" not in listed:
            raise DemoFailed(f"{student.name}: `nbgrader list` does not show the assignment:\n{listed}")
        student.run(["nbgrader", "fetch_assignment", ASSIGNMENT])

    def _work(self, cast: Cast, student: Someone) -> None:
        # The first student hands in half of the work now and the rest later.
        self._answer(cast, student, NOTEBOOKS[:1] if student is cast.right else NOTEBOOKS)
        student.run(["nbgrader", "submit", ASSIGNMENT])

    def _answer(self, cast: Cast, student: Someone, notebooks: tuple[str, ...]) -> None:
        for name in notebooks:
            notebook = student.work / ASSIGNMENT / f"{name}.ipynb"
            if answers_rightly(cast, student):
                answer_rightly(notebook, cast.course_root / "source" / ASSIGNMENT / f"{name}.ipynb")
            else:
                answer_wrongly(notebook)

    @staticmethod
    def _everybody(people: tuple[Someone, ...], what: Callable[[Someone], object]) -> None:
        with ThreadPoolExecutor(2, "demo") as pool:
            list(pool.map(what, people))


def seat_path(cycle: Cycle, student: Someone) -> str:
    """Return the full path of the student's project."""
    return f"{layout.group_path(cycle.target.namespace, COURSE)}/{layout.seat_name(student.name)}"


def recorded_pushes(cycle: Cycle, cast: Cast, student: Someone) -> list[Push]:
    """Return the pushes of the student's attempts, oldest first, once the forge has recorded the last one."""
    forge = cycle.forge(cast.instructor, cast)
    project = forge.find_project(seat_path(cycle, student))
    ref = layout.submit_ref(ASSIGNMENT)
    heads = [branch.commit for branch in forge.branches(project.id, "submit/") if branch.ref == ref]
    limit = time.monotonic() + RECORD_SECONDS
    while True:
        pushes = [push for push in forge.pushes(project.id) if push.ref == ref and push.after is not None]
        if [push.after for push in pushes[-1:]] == heads:
            return pushes
        if time.monotonic() > limit:
            raise DemoFailed(f"The forge has not recorded {student.name}'s push within {RECORD_SECONDS:.0f} seconds.")
        time.sleep(0.5)


def answers_rightly(cast: Cast, student: Someone) -> bool:
    """Return whether this student knows the answers: the first one and every second one after that."""
    return cast.students.index(student) % 2 == 0


def _names(number: int) -> list[str]:
    return [STUDENTS[i] if i < len(STUDENTS) else f"student{i + 1}" for i in range(number)]
