"""A forge, a course on it, and a hub with pieces of hooks/jupyterhub in front: who they are and what they press."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import requests

from git_exchange.devserver import RunningServer
from git_exchange.forge.connect import connect_accounts
from git_exchange.secret import Token
from git_exchange.settings import Settings
from tests.jupyterhub.browser import Browser
from tests.jupyterhub.running import PROGRAMS, ROOT, Hub, free_address, running

HOOKS = ROOT / "hooks" / "jupyterhub"
HUB_CONFIG = Path(__file__).parent / "hub_config.py"
COURSE = "calculus"
BOT = "calculus-bot"
ROSTER = f"""\
student_id,role,username
ada,instructor,ada
{BOT},instructor,{BOT}
bo,student,bo
cleo,student,cleo
"""
# nbgrader's documentation asks for it. Formgrader would read the configuration when the server starts.
WITHOUT_FORMGRADER = '{"ServerApp": {"jpserver_extensions": {"nbgrader.server_extensions.formgrader": false}}}'
NOTEBOOK = '{"cells":[],"metadata":{},"nbformat":4,"nbformat_minor":5}'


@dataclass
class School:
    """The forge with its course, and the hub; browsers by name."""

    forge: RunningServer
    hub: Hub
    tokens: dict[str, Token]
    browsers: dict[str, Browser] = field(default_factory=dict)

    def start(self, *names: str) -> None:
        """Let these people sign in and start their servers, all at once."""
        with ThreadPoolExecutor(len(names)) as pool:
            list(pool.map(self._start, names))

    def _start(self, name: str) -> None:
        browser = Browser(self.hub.url)
        browser.sign_in(name)
        browser.start_server(name)
        self.browsers[name] = browser

    def presses(self, name: str, action: str, assignment: str = "ps1") -> Any:
        """Return the answer to a button of the assignment list: fetch, submit or fetch_feedback."""
        body = {"course_id": COURSE, "assignment_id": assignment}
        answer = self.browsers[name].send("POST", f"/user/{name}/assignments/{action}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def sees(self, name: str) -> list[tuple[str, str]]:
        """Return assignments and their status in somebody's assignment list."""
        answer = self.browsers[name].get(f"/user/{name}/assignments?course_id={COURSE}")
        listed = answer.json()
        assert listed["success"], listed
        return [(each["assignment_id"], each["status"]) for each in listed["value"]]

    def formgrader(self, name: str, action: str, prefix: str | None = None, assignment: str = "ps1") -> Any:
        """Return the answer to a button of a formgrader: release, collect ..."""
        path = f"{prefix or f'/user/{name}'}/formgrader/api"
        self.browsers[name].get(f"{path}/status")  # the page, which sets the cookie that its scripts send back
        answer = self.browsers[name].send("POST", f"{path}/assignment/{assignment}/{action}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def token_of(self, name: str) -> Token:
        """Return the token that the hub keeps for somebody."""
        return Token(self.hub.record_of(name)["access_token"])

    def revoke_token_of(self, name: str) -> None:
        """Make the token that the hub keeps for somebody useless, as its end would."""
        answer = self.forge_asked("DELETE", self.hub.record_of(name)["record"])
        assert answer.status_code == 204, answer.text

    def forge_asked(self, method: str, path: str, token: Token | None = None) -> requests.Response:
        """Return the forge's answer to its administrator, or to whom the token belongs."""
        headers = {"PRIVATE-TOKEN": token.value if token else self.forge.admin_token}
        return requests.request(method, f"{self.forge.url}/api/v4{path}", headers=headers, timeout=60)


@contextmanager
def school(place: Path, *pieces: Path, in_etc: tuple[str, ...] = ()) -> Iterator[School]:
    """Run a forge with the course, and a hub with these pieces; ``in_etc`` are the files of the image."""
    folder = place / "hub"
    for name in ("ada", "bo", "cleo", f"grader-{COURSE}"):
        (folder / "homes" / name / ".jupyter").mkdir(parents=True)
    for student in ("bo", "cleo"):
        (folder / "homes" / student / ".jupyter" / "jupyter_server_config.json").write_text(WITHOUT_FORMGRADER)
    (folder / "etc").mkdir()
    for file in ("nbgrader_config.py", *in_etc):
        shutil.copy(HOOKS / file, folder / "etc")
    with RunningServer(place / "forge") as forge:
        settings = Settings(forge.url, "teaching", "gitlab")
        accounts = connect_accounts(settings, Token(forge.admin_token))
        until = datetime.now(timezone.utc).date() + timedelta(days=30)
        tokens = {}
        for name in ("ada", "bo", "cleo", BOT):
            account = accounts.create_account(name, name=name.title(), email=f"{name}@example.invalid")
            tokens[name] = accounts.create_token(account, name="own", scopes=("api",), expires=until)
        _open_course(place, forge.url, tokens["ada"])
        make_course_directory(folder / "homes" / "ada", "ps1")
        make_course_directory(folder / "homes" / f"grader-{COURSE}", "ps2")
        own = folder / "homes" / f"grader-{COURSE}" / ".config" / "git-exchange" / "token"
        own.parent.mkdir(parents=True)
        own.touch(mode=0o600)
        own.write_text(tokens[BOT].value + "\n")
        environment = {
            "GIT_EXCHANGE_URL": forge.url,
            "GIT_EXCHANGE_NAMESPACE": "teaching",
            "TEST_FORGE_ADMIN": forge.admin_token,
            "TEST_HUB_URL": free_address(),
            "TEST_PIECES": os.pathsep.join(map(str, pieces)),
        }
        with running(HUB_CONFIG, folder, environment["TEST_HUB_URL"], environment) as hub:
            yield School(forge, hub, tokens)


def eventually(look: Callable[[], object]) -> None:
    """Wait until ``look`` gives something true, with a limit."""
    limit = time.monotonic() + 120
    while not look():
        assert time.monotonic() < limit, "it did not happen"
        time.sleep(0.1)


def make_course_directory(home: Path, assignment: str) -> None:
    """Make what an instructor has in the home: the course directory with a release, and the lines that name it."""
    course = home / COURSE
    (course / "release" / assignment).mkdir(parents=True)
    (course / "release" / assignment / "p1.ipynb").write_text(NOTEBOOK)
    (home / ".jupyter" / "nbgrader_config.py").write_text(
        f"c = get_config()\nc.CourseDirectory.course_id = {COURSE!r}\nc.CourseDirectory.root = {str(course)!r}\n"
    )


def _open_course(place: Path, url: str, token: Token) -> None:
    roster = place / "roster.csv"
    roster.write_text(ROSTER)
    environment = {
        **os.environ,
        "GIT_EXCHANGE_URL": url,
        "GIT_EXCHANGE_NAMESPACE": "teaching",
        "GIT_EXCHANGE_TOKEN": token.value,
    }
    for command in (["course", "create", COURSE], ["roster", "apply", COURSE, "--from", str(roster)]):
        done = subprocess.run(
            [str(PROGRAMS / "git-exchange"), *command],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
