"""The ``forge`` under test: every backend in turn, with people, and a group of its own for each test."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, TypeVar

import pytest
import requests

from git_exchange.forge.connect import connect_accounts, connect_admin
from git_exchange.forge.ports import (
    Account,
    BranchRule,
    ForgeAccounts,
    ForgeAdmin,
    Group,
    Project,
    Push,
    Role,
    Visibility,
)
from git_exchange.secret import Token
from git_exchange.settings import Settings
from tests import realforge
from tests.contract import backends
from tests.contract.backends import Backend
from tests.contract.working_copy import WorkingCopy

# Without a real server this is said in a line of the report (``backends.missing``), and there is nothing to run.
collect_ignore = [] if realforge.available() else ["test_gitea_ways_around.py"]

SEAT_RULES = (BranchRule("*", Role.INSTRUCTOR), BranchRule("submit/*", Role.STUDENT))
SUBMIT = "refs/heads/submit/ps1"

_Found = TypeVar("_Found")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for sentence in backends.missing():
        terminalreporter.write_line(sentence)


@dataclass(frozen=True)
class Person:
    """Somebody with an account, a token and a connection."""

    account: Account
    token: Token
    forge: ForgeAdmin


@dataclass
class Site:
    """The forge under test as its administrator sees it, and the people on it."""

    backend: Backend
    mark: str = field(default_factory=lambda: uuid.uuid4().hex[:8])
    people: dict[str, Person] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.admin = self.connect(self.backend.admin)
        self.accounts: ForgeAccounts = connect_accounts(self.settings, self.backend.admin)

    @property
    def settings(self) -> Settings:
        return Settings(url=self.backend.url, namespace=f"contract-{self.mark}", kind=self.backend.kind)

    def connect(self, token: Token) -> ForgeAdmin:
        return connect_admin(self.settings, token)

    def token(self, account: Account, *scopes: str, expires: date | None = None) -> Token:
        day = expires or datetime.now(timezone.utc).date() + timedelta(days=30)
        return self.accounts.create_token(account, name="contract", scopes=scopes or ("api",), expires=day)

    def person(self, name: str) -> Person:
        """Return the person of this name, the same in all tests of the run."""
        if name not in self.people:
            username = f"{name}-{self.mark}"
            account = self.accounts.create_account(username, name=name.title(), email=f"{username}@example.invalid")
            token = self.token(account)
            self.people[name] = Person(account, token, self.connect(token))
        return self.people[name]

    def eventually(self, find: Callable[[], _Found]) -> _Found:
        """Return what ``find`` finds, asked until it is something or the backend's patience is over."""
        end = time.monotonic() + self.backend.patience
        while not (found := find()) and time.monotonic() < end:
            time.sleep(0.05)
        return found

    def pushes(self, project: Project, number: int, **query: Any) -> list[Push]:
        """Return the push events as soon as there are ``number`` of them; GitLab writes them in the background."""
        self.eventually(lambda: len(self.admin.pushes(project.id, **query)) >= number)
        return self.admin.pushes(project.id, **query)


@dataclass
class Course:
    """A group for one test, with projects as a course has them."""

    site: Site
    group: Group
    folder: Path
    copies: int = 0

    def project(self, path: str, *, issues: bool = True, visibility: Visibility = Visibility.PRIVATE) -> Project:
        return self.site.admin.ensure_project(
            self.group, path, description=f"the project {path}", visibility=visibility, issues=issues
        )

    def seat(self, name: str) -> Project:
        """Return the protected project of a student, with access."""
        project = self.project(f"student-{name}")
        self.site.admin.ensure_rules(project.id, SEAT_RULES)
        self.site.admin.set_access(project.id, self.site.person(name).account, Role.STUDENT)
        return project

    def working_copy(self) -> WorkingCopy:
        self.copies += 1
        return WorkingCopy(self.folder / f"copy{self.copies}")

    def url(self, project: Project) -> str:
        return self.site.admin.git_url(project)


@pytest.fixture(scope="session", params=backends.names())
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with backends.running(request.param, tmp_path_factory.mktemp("backend")) as backend:
        yield Site(backend)


@pytest.fixture(scope="session")
def namespace(site: Site) -> Group:
    return site.admin.ensure_group(
        "", site.settings.namespace, name="Contract", description="For tests.", visibility=Visibility.SIGNED_IN
    )


@pytest.fixture
def course(site: Site, namespace: Group, tmp_path: Path) -> Course:
    group = site.admin.ensure_group(
        namespace.full_path,
        f"course-{uuid.uuid4().hex[:8]}",
        name="A course",
        description="A course for one test.",
        visibility=Visibility.SIGNED_IN,
    )
    return Course(site, group, tmp_path)


@pytest.fixture
def forge(site: Site) -> ForgeAdmin:
    """The forge as its administrator, which is what most of the suite speaks to."""
    return site.admin


@pytest.fixture
def requests_made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Method and URL of every HTTP request of this process, as they are sent."""
    made: list[str] = []
    send = requests.adapters.HTTPAdapter.send

    def counted(self: Any, request: requests.PreparedRequest, *arguments: Any, **options: Any) -> requests.Response:
        made.append(f"{request.method} {request.url}")
        return send(self, request, *arguments, **options)

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", counted)
    return made
