"""The files of hooks/jupyterhub as configuration: their options exist, and the chart's values say the same."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from jupyterhub.app import JupyterHub
from jupyterhub.auth import Authenticator
from jupyterhub.spawner import Spawner
from oauthenticator.generic import GenericOAuthenticator
from oauthenticator.gitlab import GitLabOAuthenticator
from traitlets.config import Config

from tests.howto.pages import FOLDER as HOWTO
from tests.jupyterhub.school import HOOKS

CLASSES: dict[str, Any] = {
    each.__name__: each for each in (JupyterHub, Authenticator, Spawner, GitLabOAuthenticator, GenericOAuthenticator)
}
PIECES = ["token_from_hub.py", "token_by_environment.py", "shared_formgrader.py"]
VALUES = {"values-gitlab.yaml": GitLabOAuthenticator, "values-gitea.yaml": GenericOAuthenticator}


def executed(name: str, config: Config) -> dict[str, Any]:
    names: dict[str, Any] = {"get_config": lambda: config}
    exec(compile((HOOKS / name).read_text(), name, "exec"), names)
    return names


def values(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load((HOOKS / name).read_text()))


def check_options(config: dict[str, dict[str, Any]]) -> None:
    for name, options in config.items():
        assert set(options) <= set(CLASSES[name].class_trait_names(config=True)), name


@pytest.mark.parametrize("name", PIECES)
def test_every_option_of_a_piece_exists_and_what_was_set_before_stays(name: str) -> None:
    config = Config()
    config.JupyterHub.load_roles = [{"name": "own"}]
    config.JupyterHub.services = [{"name": "own"}]
    config.JupyterHub.load_groups = {"own": {"users": []}}
    executed(name, config)
    check_options(config)
    assert config.JupyterHub.load_roles[0] == config.JupyterHub.services[0] == {"name": "own"}
    assert "own" in config.JupyterHub.load_groups


@pytest.mark.parametrize(("name", "authenticator"), VALUES.items())
def test_the_charts_values_say_what_the_piece_says(name: str, authenticator: Any) -> None:
    found = values(name)["hub"]
    check_options(found["config"])
    piece = Config()
    piece.JupyterHub.load_roles = []
    executed("token_from_hub.py", piece)
    assert found["config"]["Authenticator"] == dict(piece.Authenticator)
    # The chart takes the roles by name.
    roles = [{"name": role, **rights} for role, rights in found["loadRoles"].items()]
    assert roles == piece.JupyterHub.load_roles
    hub = JupyterHub(config=Config(found["config"]))
    assert hub.authenticator_class is authenticator
    made = authenticator(config=Config(found["config"]))
    assert (made.enable_auth_state, made.auth_refresh_age) == (True, 60)
    assert made.oauth_callback_url == "https://hub.example.edu/hub/oauth_callback"
    assert made.authorize_url.startswith("https://")


@pytest.mark.parametrize("name", VALUES)
def test_the_charts_values_configure_nbgrader_as_the_file_does(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    singleuser = values(name)["singleuser"]
    for variable, value in singleuser["extraEnv"].items():
        monkeypatch.setenv(variable, value)
    by_file, by_chart = Config(), Config()
    executed("nbgrader_config.py", by_file)
    (file,) = singleuser["extraFiles"].values()
    exec(file["stringData"], {"get_config": lambda: by_chart})
    assert by_chart == by_file
    assert by_chart.GitExchange.namespace == "teaching"


@pytest.mark.parametrize("name", VALUES)
def test_no_secret_is_in_the_charts_values(name: str) -> None:
    options = [option for each in values(name)["hub"]["config"].values() for option in each]
    assert not {"client_id", "client_secret", "keys"} & set(options)


def test_the_scopes_for_gitea_are_those_of_the_how_to() -> None:
    scope = values("values-gitea.yaml")["hub"]["config"]["GenericOAuthenticator"]["scope"]
    assert f"c.OAuthenticator.scope = {scope}".replace("'", '"') in (HOWTO / "jupyterhub_config.py").read_text()


class Sheet(SimpleNamespace):
    """As much of a spawner as the hook uses."""

    log = logging.getLogger("tests")


def spawner(name: str, environment: dict[str, str]) -> Sheet:
    return Sheet(user=SimpleNamespace(name=name), environment=environment)


def test_a_token_goes_to_one_server_and_not_into_what_all_share() -> None:
    hand_over = executed("token_by_environment.py", Config())["hand_over"]
    shared = {"A": "b"}
    bo, cleo = spawner("bo", shared), spawner("cleo", shared)
    hand_over(bo, {"access_token": "bos"})
    hand_over(cleo, {"access_token": "cleos"})
    assert (bo.environment, cleo.environment) == (
        {"A": "b", "GIT_EXCHANGE_TOKEN": "bos"},
        {"A": "b", "GIT_EXCHANGE_TOKEN": "cleos"},
    )
    assert shared == {"A": "b"}


@pytest.mark.parametrize("state", [None, {}, {"access_token": None}])
def test_without_a_token_the_server_starts_and_keeps_no_old_one(state: Any) -> None:
    bo = spawner("bo", {"GIT_EXCHANGE_TOKEN": "old"})
    executed("token_by_environment.py", Config())["hand_over"](bo, state)
    assert bo.environment == {}
