"""The how-to's JupyterHub, for real: sign-in by a real server, and nbgrader in the servers that it starts."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.howto import people
from tests.howto.browser import Browser
from tests.howto.pages import FOLDER, README, ROOT
from tests.howto.people import PASSWORD, Person, administrator
from tests.realforge import RealForge, let_create_organisations

PROGRAMS = Path(sys.executable).parent
(ROSTER,) = re.findall(r"^```csv\n(.*?)^```$", README, flags=re.DOTALL | re.MULTILINE)
(INSTRUCTORS,) = re.findall(r"^```python\n(.*?)^```$", README, flags=re.DOTALL | re.MULTILINE)
# The body of the request that makes the OAuth application.
(APPLICATION,) = re.findall(r"'(\{.*\})'", README)


def run(environment: dict[str, str], cwd: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(PROGRAMS / command[0]), *command[1:]],
        env=environment,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def done(environment: dict[str, str], cwd: Path, *command: str) -> str:
    ended = run(environment, cwd, *command)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


@dataclass(frozen=True)
class Hub:
    """The running hub and the folder that stands for its container."""

    url: str
    folder: Path
    admin_token: str

    def record_of(self, username: str, **changed: object) -> dict[str, Any]:
        """Return what the hub keeps of the person's sign-in, changed if that is asked for."""
        where = f"{self.url}/hub/api/users/{username}"
        headers = {"Authorization": f"token {self.admin_token}"}
        answer = requests.get(where, headers=headers, timeout=60)
        if changed:
            record = {"auth_state": {**answer.json()["auth_state"], **changed}}
            answer = requests.patch(where, json=record, headers=headers, timeout=60)
        answer.raise_for_status()
        kept: dict[str, Any] = answer.json()["auth_state"]
        return kept

    def home(self, username: str) -> Path:
        return self.folder / "homes" / username

    def environment_of_server(self, username: str) -> dict[str, str]:
        """Return the environment with which the person's server was started, as terminals in it have it."""
        for process in Path("/proc").iterdir():
            if process.name.isdecimal():
                try:
                    pairs = (process / "environ").read_text().split("\0")
                except OSError:
                    continue
                found = dict(pair.partition("=")[::2] for pair in pairs if pair)
                if found.get("JUPYTERHUB_USER") == username and str(self.folder) in found.get("HOME", ""):
                    return found
        raise AssertionError(f"no server of {username} runs")


@pytest.fixture(scope="module")
def ada(forge: RealForge) -> Person:
    made = people.make(forge, "ada", "write:organization", "write:repository", "read:user")
    let_create_organisations(forge, "ada")
    return made


@pytest.fixture(scope="module")
def course(forge: RealForge, ada: Person, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A course as README.md opens it."""
    for name in ("bo", "cleo"):
        people.make(forge, name)
    folder = tmp_path_factory.mktemp("ada")
    environment = {
        **os.environ,
        "GIT_EXCHANGE_URL": forge.url,
        "GIT_EXCHANGE_NAMESPACE": "teaching",
        "GIT_EXCHANGE_TOKEN": ada.token,
    }
    (folder / "roster.csv").write_text(ROSTER)
    done(environment, folder, "git-exchange", "course", "create", "calculus", "--title", "Calculus")
    done(environment, folder, "git-exchange", "roster", "apply", "calculus", "--from", "roster.csv")
    return "calculus"


def free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


@pytest.fixture(scope="module")
def hub(forge: RealForge, course: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    folder = tmp_path_factory.mktemp("hub")
    (folder / "etc").mkdir()
    for name in ("ada", "bo", "cleo"):
        (folder / "homes" / name).mkdir(parents=True)
        # The image has it in /etc/gitconfig.
        (folder / "homes" / name / ".gitconfig").write_text(
            f'[credential]\n\thelper = "{FOLDER / "git-credential-hub"}"\n'
        )
    shutil.copy(FOLDER / "nbgrader_config.py", folder / "etc")
    url = free_address()
    body = json.loads(APPLICATION.replace("https://hub.example.edu", url))
    application = administrator(forge).asks("POST", "/user/applications/oauth2", **body)
    application.raise_for_status()
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "GIT_EXCHANGE_URL": forge.url,
        "GIT_EXCHANGE_NAMESPACE": "teaching",
        "HUB_URL": url,
        "JUPYTERHUB_CRYPT_KEY": secrets.token_hex(32),
        "OAUTH_CLIENT_ID": application.json()["client_id"],
        "OAUTH_CLIENT_SECRET": application.json()["client_secret"],
        "TEST_REAL_CONFIGURATION": str(FOLDER / "jupyterhub_config.py"),
        "TEST_HUB_API": free_address(),
        "TEST_FOLDER": str(folder),
        "TEST_ADMIN_TOKEN": secrets.token_hex(32),
    }
    command = [str(PROGRAMS / "jupyterhub"), "--config", str(Path(__file__).parent / "hub_config.py")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log)
        try:
            wait_until_it_answers(url, process, folder / "log")
            yield Hub(url, folder, environment["TEST_ADMIN_TOKEN"])
        finally:
            process.terminate()  # ends the servers that it has started
            process.wait(60)


def wait_until_it_answers(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    limit = time.monotonic() + 60
    while time.monotonic() < limit:
        assert process.poll() is None, log.read_text(errors="replace")[-4000:]
        try:
            if requests.get(f"{url}/hub/health", timeout=2).status_code == 200:
                return
        except requests.RequestException:
            pass
        time.sleep(0.1)  # polling a starting server, with a limit
    raise AssertionError(log.read_text(errors="replace")[-4000:])


def at_work(hub: Hub, username: str) -> Browser:
    browser = Browser(hub.url)
    browser.sign_in(username, PASSWORD)
    browser.start_server(username)
    return browser


@pytest.fixture(scope="module")
def released(hub: Hub, course: str) -> str:
    """An assignment that the instructor has released from her server."""
    at_work(hub, "ada")
    folder = hub.home("ada") / "calculus"
    (folder / "release" / "ps1").mkdir(parents=True)
    (hub.home("ada") / ".jupyter").mkdir(exist_ok=True)
    own = INSTRUCTORS.replace("/home/ada/calculus", str(folder))
    (hub.home("ada") / ".jupyter" / "nbgrader_config.py").write_text(own)
    (folder / "release" / "ps1" / "ps1.ipynb").write_text('{"cells":[],"metadata":{},"nbformat":4,"nbformat_minor":5}')
    done(hub.environment_of_server("ada"), hub.home("ada"), "nbgrader", "release_assignment", "ps1")
    return "ps1"


@pytest.fixture(scope="module")
def bo(hub: Hub, released: str) -> Browser:
    return at_work(hub, "bo")


@pytest.fixture(scope="module")
def cleo(hub: Hub) -> Browser:
    return at_work(hub, "cleo")


def whoami(forge: RealForge, token: str) -> str:
    return str(people.asked(forge, "GET", "/user", f"Bearer {token}", {}).json()["login"])


def test_everybodys_server_has_a_token_of_their_own(forge: RealForge, hub: Hub, bo: Browser, cleo: Browser) -> None:
    tokens = {name: hub.environment_of_server(name)["GIT_EXCHANGE_TOKEN"] for name in ("bo", "cleo")}
    assert {name: whoami(forge, token) for name, token in tokens.items()} == {"bo": "bo", "cleo": "cleo"}


def test_the_token_can_do_what_students_need_and_no_more(forge: RealForge, hub: Hub, bo: Browser) -> None:
    authorization = f"Bearer {hub.environment_of_server('bo')['GIT_EXCHANGE_TOKEN']}"
    assert people.asked(forge, "GET", "/user/repos", authorization, {}).status_code == 200
    refused = people.asked(forge, "PATCH", "/user/settings", authorization, {"full_name": "x"})
    assert (refused.status_code, "scope" in refused.text) == (403, True)
    assert people.asked(forge, "POST", "/orgs", authorization, {"username": "x"}).status_code == 403


def test_the_assignment_list_of_the_server_shows_what_was_released(bo: Browser) -> None:
    assert bo.get("/user/bo/courses").json() == {"success": True, "value": ["calculus"]}
    listed = bo.get("/user/bo/assignments?course_id=calculus").json()
    assert listed["success"], listed
    assert [(each["assignment_id"], each["status"]) for each in listed["value"]] == [("ps1", "released")]


def test_the_commands_work_in_the_server(hub: Hub, bo: Browser) -> None:
    environment, home = hub.environment_of_server("bo"), hub.home("bo")
    done(environment, home, "git-exchange", "doctor", "calculus")
    assert "ps1" in done(environment, home, "nbgrader", "list", "--course", "calculus")
    done(environment, home, "nbgrader", "fetch_assignment", "ps1", "--course", "calculus")
    assert (home / "calculus" / "ps1" / "ps1.ipynb").is_file()
    done(environment, home, "nbgrader", "submit", "ps1", "--course", "calculus")
    hers = hub.environment_of_server("ada")
    done(hers, hub.home("ada"), "nbgrader", "collect", "ps1")
    assert (hub.home("ada") / "calculus" / "submitted" / "bo" / "ps1" / "ps1.ipynb").is_file()


@pytest.mark.parametrize("held", ["", "a-token-that-has-expired"])
def test_the_hub_gives_a_token_where_there_is_none_or_it_has_expired(hub: Hub, bo: Browser, held: str) -> None:
    environment = {**hub.environment_of_server("bo"), "GIT_EXCHANGE_TOKEN": held}
    assert "ps1" in done(environment, hub.home("bo"), "nbgrader", "list", "--course", "calculus")


def asked_of_the_helper(environment: dict[str, str], url: str) -> str:
    scheme, _, host = url.partition("://")
    return subprocess.run(
        [str(FOLDER / "git-credential-hub"), "get"],
        env=environment,
        input=f"protocol={scheme}\nhost={host}\n\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout


def test_the_helper_gives_the_token_to_the_forge_only(forge: RealForge, hub: Hub, bo: Browser) -> None:
    environment = hub.environment_of_server("bo")
    assert "password=" in asked_of_the_helper(environment, forge.url)
    assert asked_of_the_helper(environment, "https://forge.example.invalid") == ""
    assert asked_of_the_helper(environment, hub.url) == ""


def test_the_hub_renews_a_token_that_has_expired(forge: RealForge, hub: Hub, bo: Browser) -> None:
    environment = hub.environment_of_server("bo")
    kept = hub.record_of("bo")
    expired = {**kept["token_response"], "access_token": "expired"}
    hub.record_of("bo", access_token="expired", token_response=expired)
    limit = time.monotonic() + 60
    while "password=expired\n" in (said := asked_of_the_helper(environment, forge.url)):
        assert time.monotonic() < limit
        time.sleep(0.1)  # polling until the hub looks at the token again, with a limit
    token = said.partition("password=")[2].strip()
    assert whoami(forge, token) == "bo"


def test_nobody_reads_anothers_token_or_server(hub: Hub, bo: Browser, cleo: Browser) -> None:
    hers = hub.environment_of_server("cleo")
    api = hers["JUPYTERHUB_API_URL"]
    headers = {"Authorization": f"token {hers['JUPYTERHUB_API_TOKEN']}"}
    assert requests.get(f"{api}/users/cleo", headers=headers, timeout=60).json()["auth_state"]["access_token"]
    his = requests.get(f"{api}/users/bo", headers=headers, timeout=60)
    assert his.status_code in (403, 404)
    assert cleo.get("/user/bo/api/contents").status_code == 403


def test_the_secrets_of_the_hub_are_not_in_the_servers(hub: Hub, bo: Browser) -> None:
    environment = hub.environment_of_server("bo")
    assert not {"JUPYTERHUB_CRYPT_KEY", "OAUTH_CLIENT_SECRET"} & set(environment)


def test_a_name_of_a_system_user_gets_no_server(forge: RealForge, hub: Hub) -> None:
    people.make(forge, "daemon")
    browser = Browser(hub.url)
    assert browser.sign_in("daemon", PASSWORD).status_code == 403
    assert browser.get("/hub/spawn").url != f"{hub.url}/hub/spawn"


def test_a_wrong_password_signs_nobody_in(hub: Hub) -> None:
    browser = Browser(hub.url)
    page = browser.sign_in("bo", "wrong")
    assert "/user/login" in page.url
    assert browser.get("/hub/api/user").status_code == 403
