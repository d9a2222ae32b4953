"""What the tests of the development server share: people with tokens, git at the command line, schemas, polling."""

from __future__ import annotations

import json
import os
import subprocess
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any, TypeVar

import gitlab
import requests
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from git_exchange.devserver import RunningServer

SCHEMAS = Path(__file__).parent / "schemas"
LEVELS = {"guest": 10, "reporter": 20, "developer": 30, "maintainer": 40, "owner": 50}

_Found = TypeVar("_Found")


def check(kind: str, value: Any) -> None:
    """Hold an answer against GitLab's schema."""
    files = {path.name: json.loads(path.read_text()) for path in SCHEMAS.glob("*.json")}
    registry: Any = Registry().with_resources(
        [(name, Resource.from_contents(content)) for name, content in files.items()]
    )
    for one in value if isinstance(value, list) else [value]:
        Draft202012Validator(files[f"{kind}.json"], registry=registry).validate(one)


def eventually(look: Callable[[], _Found], seconds: float = 10.0) -> _Found:
    """Return the first answer of ``look`` that is true."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)
    return found


@dataclass
class Person:
    """Somebody with a token."""

    id: int
    username: str
    token: str
    client: gitlab.Gitlab

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        return requests.request(
            method, f"{self.client.api_url}{path}", headers={"PRIVATE-TOKEN": self.token}, timeout=30, **options
        )


@dataclass
class World:
    """A group of its own on the shared server, and people made when they are asked for."""

    server: RunningServer
    place: Path
    mark: str = field(default_factory=lambda: uuid.uuid4().hex[:8])
    people: dict[tuple[str, tuple[str, ...]], Person] = field(default_factory=dict)
    ids: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.admin = gitlab.Gitlab(self.server.url, private_token=self.server.admin_token, timeout=30)
        self.group = self.admin.groups.create({"name": f"School {self.mark}", "path": f"school-{self.mark}"})

    def person(self, name: str, *scopes: str) -> Person:
        """Return somebody with a token of these scopes (api if none)."""
        scopes = scopes or ("api",)
        username = f"{name}-{self.mark}"
        if name not in self.ids:
            self.ids[name] = self.admin.users.create(
                {
                    "username": username,
                    "name": name.title(),
                    "email": f"{username}@example.invalid",
                    "force_random_password": True,
                }
            ).id
        if (name, scopes) not in self.people:
            token = self.token(self.ids[name], scopes)
            client = gitlab.Gitlab(self.server.url, private_token=token, timeout=30)
            self.people[name, scopes] = Person(self.ids[name], username, token, client)
        return self.people[name, scopes]

    def token(self, user_id: int, scopes: tuple[str, ...] = ("api",), days: int = 30) -> str:
        made = self.admin.users.get(user_id, lazy=True).personal_access_tokens.create(
            {"name": "test", "scopes": list(scopes), "expires_at": (date.today() + timedelta(days=days)).isoformat()}
        )
        return str(made.token)

    def project(self, path: str = "work", **attributes: Any) -> Any:
        """Return a new project with a README."""
        return self.admin.projects.create(
            {
                "name": path,
                "path": path,
                "namespace_id": self.group.id,
                "initialize_with_readme": True,
                **attributes,
            }
        )

    def member(self, project: Any, role: str, *scopes: str) -> Person:
        """Return somebody with this role in the project."""
        person = self.person(role, *scopes)
        project.members.create({"user_id": person.id, "access_level": LEVELS[role]})
        return person

    def rules(self, project: Any) -> None:
        """Protect the project as a student's is."""
        project.protectedbranches.create({"name": "*", "push_access_level": 40, "merge_access_level": 0})
        project.protectedbranches.create({"name": "submit/*", "push_access_level": 30, "merge_access_level": 0})
        project.protectedtags.create({"name": "*", "create_access_level": 40})

    def control(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = {"PRIVATE-TOKEN": self.server.admin_token}
        return requests.request(method, f"{self.server.url}/-/devserver{path}", headers=headers, timeout=30, **options)

    def clone(self, project: Any, person: Person | None, name: str = "clone") -> Work:
        work = Work(self.place / name, self.url(project, person))
        done = work.git("clone", "--quiet", work.url, str(work.folder), inside=False)
        assert done.returncode == 0, done.stderr
        return work

    def clone_fails(self, project: Any) -> bool:
        """Return whether git cannot even list the refs."""
        url = self.url(project, None, self.server.admin_token)
        return Work(self.place, url).git("ls-remote", url).returncode != 0

    def url(self, project: Any, person: Person | None, token: str | None = None) -> str:
        plain = f"{self.server.url}/{project.path_with_namespace}.git"
        secret = token or (person.token if person else None)
        return plain.replace("://", f"://anybody:{secret}@") if secret else plain


@dataclass
class Work:
    """A folder with a working copy."""

    folder: Path
    url: str

    def git(self, *arguments: str, inside: bool = True) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            "GIT_AUTHOR_NAME": "A",
            "GIT_AUTHOR_EMAIL": "a@example.invalid",
            "GIT_COMMITTER_NAME": "A",
            "GIT_COMMITTER_EMAIL": "a@example.invalid",
            "LC_ALL": "C",
        }
        place = ("-C", str(self.folder)) if inside else ()
        return subprocess.run(
            ["git", *place, *arguments], capture_output=True, text=True, env=environment, timeout=120, check=False
        )

    def commit(self, text: str = "answer", name: str = "answer.txt") -> str:
        (self.folder / name).write_text(text)
        assert self.git("add", "--all").returncode == 0
        assert self.git("commit", "--quiet", "--allow-empty", "-m", f"Write {text}").returncode == 0
        return self.head()

    def head(self, name: str = "HEAD") -> str:
        return self.git("rev-parse", name).stdout.strip()

    def push(self, *refspecs: str) -> subprocess.CompletedProcess[str]:
        return self.git("push", self.url, *refspecs)
