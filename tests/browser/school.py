"""A course and its people, each at a browser of their own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import git
import nbgrader
from playwright.sync_api import Browser

from git_exchange.demo.notebooks import answer_rightly, answer_wrongly
from git_exchange.rules import layout
from tests.browser.assignment_list import AssignmentList
from tests.browser.formgrader import Formgrader
from tests.browser.gate import Gate
from tests.browser.lab import Lab
from tests.browser.servers import Server, running
from tests.exchange.classroom import Classroom

COURSE = "calculus"
ASSIGNMENT = "ps1"
NOTEBOOK = "problem1"
STUDENTS = ("bo", "cleo")

# A list that is late is an old one, which is not what most tests look at.
PATIENCE = "c.GitExchange.list_deadline = 60\n"


@dataclass
class School:
    """The course ``calculus`` with ada, who teaches it, and bo and cleo, who take it."""

    classroom: Classroom
    gate: Gate
    browser: Browser
    root: Path
    _labs: dict[str, Lab] = field(default_factory=dict)
    _formgrader: Formgrader | None = None
    _lists: dict[str, AssignmentList] = field(default_factory=dict)

    @classmethod
    @contextmanager
    def opened(cls, classroom: Classroom, gate: Gate, browser: Browser) -> Iterator[School]:
        """Open the course, start everybody's server and JupyterLab; end them afterwards."""
        classroom.open(*STUDENTS, course=COURSE)
        root = _course_directory(classroom)
        school = cls(classroom, gate, browser, root)
        with ExitStack() as stack:
            folders = [
                (classroom.teacher, root),
                *((classroom.student(name, COURSE), school.work(name)) for name in STUDENTS),
            ]
            for server in stack.enter_context(running(*folders)):
                school._labs[server.someone.name] = stack.enter_context(school.at(server))
            yield school

    @contextmanager
    def at(self, server: Server) -> Iterator[Lab]:
        """Open JupyterLab at this server."""
        lab = Lab(self.browser, server, self.classroom.tokens)
        try:
            yield lab.open()
        finally:
            lab.close()

    def lab(self, name: str) -> Lab:
        """Return the window of this person."""
        return self._labs[name]

    @property
    def formgrader(self) -> Formgrader:
        """The instructor's formgrader, opened when first asked for."""
        if self._formgrader is None:
            self._formgrader = Formgrader(self.lab("teacher"))
        return self._formgrader

    def list(self, name: str) -> AssignmentList:
        """Return the student's assignment list, opened when first asked for, in front of what was opened since."""
        if name not in self._lists:
            self._lists[name] = AssignmentList(self.lab(name))
        self._lists[name].show()
        return self._lists[name]

    def work(self, name: str) -> Path:
        """Return the folder in which the student works."""
        return self.classroom.student(name, COURSE).work

    def answer(self, name: str, *, right: bool) -> None:
        """Fill in the student's notebook."""
        notebook = self.work(name) / ASSIGNMENT / f"{NOTEBOOK}.ipynb"
        if right:
            answer_rightly(notebook, self.root / "source" / ASSIGNMENT / notebook.name)
        else:
            answer_wrongly(notebook)

    def commits(self, project: str, branch: str) -> list[git.Commit]:
        """Return the branch's commits on the forge, the newest first, read in a clone that git made by itself."""
        path = f"{layout.group_path(self.classroom.namespace, COURSE)}/{project}"
        address = f"{self.classroom.url}/{path}.git".replace("://", f"://tests:{self.classroom.admin.value}@")
        folder = self.classroom.place / "clones" / f"{project}-{len(list(self.classroom.place.glob('clones/*')))}"
        with git.Repo.clone_from(address, folder, bare=True) as repository:
            heads = [head for head in repository.heads if head.name == branch]
            return list(repository.iter_commits(heads[0])) if heads else []


def _course_directory(classroom: Classroom) -> Path:
    """Make the instructor's course directory with a notebook of those that nbgrader brings along."""
    root = classroom.root(COURSE)
    source = root / "source" / ASSIGNMENT
    source.mkdir(parents=True)
    example = Path(nbgrader.__file__).parent / "docs" / "source" / "user_guide" / "source" / "ps1"
    for name in (f"{NOTEBOOK}.ipynb", "jupyter.png"):
        shutil.copy(example / name, source)
    return root
