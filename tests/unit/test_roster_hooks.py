"""``hooks/roster``: the units run commands that exist, and the hook asks for a run without being in the way."""

from __future__ import annotations

import configparser
import importlib.util
import logging
import shlex
from pathlib import Path
from types import ModuleType

import click
import pytest
from traitlets.config.loader import PyFileConfigLoader

from git_exchange.cli.main import cli
from git_exchange.course.credentials import FILE_VARIABLE

HOOKS = Path(__file__).parents[2] / "hooks" / "roster"
NAME = "git-exchange-roster@"


def unit(kind: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # systemd tells capitals apart
    parser.read_string((HOOKS / f"{NAME}.{kind}").read_text())
    return parser


def hub_configuration() -> ModuleType:
    found = importlib.util.spec_from_file_location("roster_hub_configuration", HOOKS / "jupyterhub_config.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_the_service_runs_a_command_that_the_command_line_understands() -> None:
    # As systemd does it: words first, then the specifiers in each.
    written = shlex.split(unit("service")["Service"]["ExecStart"])
    program, *words = [word.replace("%I", "calc 101").replace("%i", "c") for word in written]
    assert program.endswith("/git-exchange")
    group = cli.commands[words[0]]
    assert isinstance(group, click.Group)
    context = group.commands[words[1]].make_context(words[1], words[2:])
    assert context.params["source"] == Path("/etc/git-exchange/courses/c.toml")


def test_the_token_comes_from_a_credential_and_no_unit_holds_one() -> None:
    text = (HOOKS / f"{NAME}.service").read_text()
    assert f"Environment={FILE_VARIABLE}=%d/token" in text
    assert "LoadCredential=token:" in text
    assert "GIT_EXCHANGE_TOKEN=" not in text


def test_the_timer_and_the_path_start_the_service_of_their_name() -> None:
    for kind, section in (("timer", "Timer"), ("path", "Path")):
        parsed = unit(kind)
        assert "Unit" not in parsed[section]  # systemd then takes the service of the same name
        assert parsed["Install"]["WantedBy"] == f"{section.lower()}s.target"
    assert unit("path")["Path"]["PathChanged"] == str(hub_configuration().SIGNED_IN)
    assert str(hub_configuration().SIGNED_IN.parent) in (HOOKS / "git-exchange.tmpfiles").read_text()


def test_the_hub_reads_the_file_as_its_configuration() -> None:
    config = PyFileConfigLoader("jupyterhub_config.py", path=str(HOOKS)).load_config()
    assert config.Authenticator.post_auth_hook.__name__ == "ask_for_the_roster"


def test_the_hubs_hook_writes_the_file_and_lets_the_person_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = hub_configuration()
    monkeypatch.setattr(hub, "SIGNED_IN", tmp_path / "signed-in")
    person = {"name": "ann", "auth_state": {"access_token": "secret"}}
    assert hub.ask_for_the_roster(None, None, person) is person
    assert (tmp_path / "signed-in").read_text() == "ann\n"


def test_a_hook_that_cannot_write_warns_and_lets_the_person_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    hub = hub_configuration()
    monkeypatch.setattr(hub, "SIGNED_IN", tmp_path / "absent" / "signed-in")
    person = {"name": "ann"}
    with caplog.at_level(logging.WARNING):
        assert hub.ask_for_the_roster(None, None, person) is person
    assert "was not asked for" in caplog.text
