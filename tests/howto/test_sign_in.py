"""The how-to's JupyterHub, for real: sign-in by a real server, and nbgrader in the servers that it starts."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.howto import people
from tests.howto.browser import Browser
from tests.howto.pages import FOLDER, README, copy_hub_configuration
from tests.howto.people import PASSWORD, Person, administrator
from tests.jupyterhub.running import PROGRAMS, Hub, free_address, running
from tests.realforge import RealForge, let_create_organisations

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


@pytest.fixture(scope="module")
def hub(forge: RealForge, course: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    folder = tmp_path_factory.mktemp("hub")
    (folder / "etc").mkdir()
    for name in ("ada", "bo", "cleo"):
        (folder / "homes" / name).mkdir(parents=True)
    shutil.copy(FOLDER / "nbgrader_config.py", folder / "etc")
    url = free_address()
    body = json.loads(APPLICATION.replace("https://hub.example.edu", url))
    application = administrator(forge).asks("POST", "/user/applications/oauth2", **body)
    application.raise_for_status()
    environment = {
        "GIT_EXCHANGE_URL": forge.url,
        "GIT_EXCHANGE_NAMESPACE": "teaching",
        "HUB_URL": url,
        "OAUTH_CLIENT_ID": application.json()["client_id"],
        "OAUTH_CLIENT_SECRET": application.json()["client_secret"],
        "TEST_REAL_CONFIGURATION": str(copy_hub_configuration(folder)),
    }
    with running(Path(__file__).parent / "hub_config.py", folder, url, environment) as started:
        yield started


def at_work(hub: Hub, username: str) -> Browser:
    browser = Browser(hub.url)
    browser.sign_in(username, PASSWORD)
    browser.start_server(username, "lab")
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


def test_everybodys_server_gets_a_token_of_their_own(forge: RealForge, hub: Hub, bo: Browser, cleo: Browser) -> None:
    tokens = {name: hub.record_of(name)["access_token"] for name in ("bo", "cleo")}
    assert {name: whoami(forge, token) for name, token in tokens.items()} == {"bo": "bo", "cleo": "cleo"}
    for name in tokens:
        environment = hub.environment_of_server(name)
        said = done(environment, hub.home(name), "git-exchange", "doctor")
        assert f"token from the hub: {name} " in said
        assert not set(tokens.values()) & set(environment.values())


def test_the_token_can_do_what_students_need_and_no_more(forge: RealForge, hub: Hub, bo: Browser) -> None:
    authorization = f"Bearer {hub.record_of('bo')['access_token']}"
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


def test_the_hubs_token_comes_before_one_that_was_set_by_hand(hub: Hub, bo: Browser) -> None:
    environment = {**hub.environment_of_server("bo"), "GIT_EXCHANGE_TOKEN": "a-token-that-has-expired"}
    assert "ps1" in done(environment, hub.home("bo"), "nbgrader", "list", "--course", "calculus")


def test_the_hub_renews_a_token_that_has_expired(forge: RealForge, hub: Hub, bo: Browser) -> None:
    environment = hub.environment_of_server("bo")
    kept = hub.record_of("bo")
    expired = {**kept["token_response"], "access_token": "expired"}
    hub.record_of("bo", access_token="expired", token_response=expired)
    limit = time.monotonic() + 120
    while run(environment, hub.home("bo"), "nbgrader", "list", "--course", "calculus").returncode:
        assert time.monotonic() < limit
    assert whoami(forge, hub.record_of("bo")["access_token"]) == "bo"


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
