from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from jupyterhub.app import JupyterHub
from jupyterhub.auth import Authenticator, LocalAuthenticator
from jupyterhub.proxy import ConfigurableHTTPProxy
from jupyterhub.spawner import LocalProcessSpawner, Spawner
from oauthenticator.oauth2 import OAuthenticator
from tornado.web import HTTPError
from traitlets.config import Config

from tests.howto.pages import FOLDER, copy_hub_configuration

ENVIRONMENT = {
    "GIT_EXCHANGE_URL": "https://forge.example.edu",
    "GIT_EXCHANGE_NAMESPACE": "teaching",
    "HUB_URL": "https://hub.example.edu",
    "OAUTH_CLIENT_ID": "the-id",
    "OAUTH_CLIENT_SECRET": "the-secret",
}
CLASSES: dict[str, type] = {
    each.__name__: each
    for each in (JupyterHub, ConfigurableHTTPProxy, OAuthenticator, LocalAuthenticator, Authenticator, Spawner)
}


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Any]:
    """What jupyterhub_config.py leaves behind, with homes in a folder of the test's."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    config = Config()
    file = copy_hub_configuration(tmp_path)

    def load(name: str) -> None:
        exec(compile(Path(name).read_text(), name, "exec"), {"get_config": lambda: config})

    names: dict[str, Any] = {"get_config": lambda: config, "load_subconfig": load, "__file__": str(file)}
    exec(compile(file.read_text(), str(file), "exec"), names)
    shutil.rmtree(file.parent)
    names["HOMES"] = tmp_path
    return names


def forge_authenticator(executed: dict[str, Any]) -> Any:
    return executed["ForgeAuthenticator"](config=executed["c"])


def signs_in(authenticator: Any, name: str, number: int) -> None:
    model = {"name": name, "auth_state": {"oauth_user": {"sub": str(number)}}}
    asyncio.run(authenticator.update_auth_model(model))


def test_every_option_exists_and_takes_its_value(executed: dict[str, Any]) -> None:
    config = executed["c"]
    assert set(config) <= set(CLASSES)
    for name, options in config.items():
        assert set(options) <= set(CLASSES[name].class_trait_names(config=True)), name  # type: ignore[attr-defined]
    hub = JupyterHub(config=config)
    assert hub.authenticator_class is executed["ForgeAuthenticator"]
    assert hub.spawner_class is LocalProcessSpawner
    made = forge_authenticator(executed)
    assert (made.client_id, made.client_secret) == ("the-id", "the-secret")
    assert made.authorize_url.startswith("https://forge.example.edu/")
    assert made.oauth_callback_url == "https://hub.example.edu/hub/oauth_callback"
    assert made.enable_auth_state
    assert made.create_system_users


@pytest.mark.parametrize("name", ["bo", "bo.b", "bo-b", "_bo", "b4711"])
def test_names_that_linux_takes_are_let_in(executed: dict[str, Any], name: str) -> None:
    made = forge_authenticator(executed)
    assert made.validate_username(name)
    assert made.check_blocked_users(name, None)


@pytest.mark.parametrize("name", ["4711", "-bo", "bo b", "b" * 33, "bo/..", "bo:x"])
def test_names_that_linux_does_not_take_are_not(executed: dict[str, Any], name: str) -> None:
    assert not forge_authenticator(executed).validate_username(name)


@pytest.mark.parametrize("name", ["root", "daemon", "nobody"])
def test_system_users_of_the_image_are_nobodys(executed: dict[str, Any], name: str) -> None:
    assert not forge_authenticator(executed).check_blocked_users(name, None)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, executed: dict[str, Any], tmp_path: Path) -> list[list[str]]:
    """The programs that would make system users; the home is made as useradd would."""
    commands: list[list[str]] = []

    def run(command: list[str], *, check: bool) -> None:
        assert check
        commands.append(command)
        if command[0] == "useradd":
            (tmp_path / command[-1]).mkdir(exist_ok=True)

    monkeypatch.setattr(executed["subprocess"], "run", run)
    return commands


def test_a_system_user_has_the_number_of_the_account_and_a_home_that_others_cannot_read(
    executed: dict[str, Any], started: list[list[str]], tmp_path: Path
) -> None:
    made = forge_authenticator(executed)
    signs_in(made, "Bo", 7)
    made.add_system_user(SimpleNamespace(name="bo"))
    assert started[0] == ["groupadd", "--gid", "10007", "bo"]
    assert started[1][:5] == ["useradd", "--uid", "10007", "--gid", "10007"]
    assert (tmp_path / "bo").stat().st_mode & 0o777 == 0o700


def test_a_new_container_gives_homes_back_to_their_owners(
    executed: dict[str, Any], started: list[list[str]], tmp_path: Path
) -> None:
    (tmp_path / "bo").mkdir()
    owner = (tmp_path / "bo").stat().st_uid
    forge_authenticator(executed).add_system_user(SimpleNamespace(name="bo"))
    assert started[0] == ["groupadd", "--gid", str(owner), "bo"]


def test_who_never_signed_in_gets_no_system_user(executed: dict[str, Any], started: list[list[str]]) -> None:
    with pytest.raises(ValueError, match="never signed in"):
        forge_authenticator(executed).add_system_user(SimpleNamespace(name="bo"))
    assert started == []


def test_somebody_elses_former_name_opens_nothing(executed: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "bo").mkdir()  # belongs to whoever runs the tests
    with pytest.raises(HTTPError) as refused:
        signs_in(forge_authenticator(executed), "bo", 7)
    assert refused.value.status_code == 403


def test_a_new_name_does_not_make_a_second_home(executed: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "bo").mkdir()
    executed["FIRST_NUMBER"] = (tmp_path / "bo").stat().st_uid - 7
    made = forge_authenticator(executed)
    signs_in(made, "bo", 7)
    with pytest.raises(HTTPError):
        signs_in(made, "bob", 7)


def test_nbgraders_configuration_is_for_every_course_of_the_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    config = Config()
    file = FOLDER / "nbgrader_config.py"
    exec(compile(file.read_text(), str(file), "exec"), {"get_config": lambda: config})
    assert (config.GitExchange.url, config.GitExchange.namespace) == ("https://forge.example.edu", "teaching")
    assert config.GitExchange.kind == "gitea"
