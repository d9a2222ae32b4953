"""Every option, variable and command is in the reference, and the reference names nothing that is not there."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import click
import pytest

from git_exchange.cli.main import cli
from git_exchange.plugin.configure import CLASSES
from git_exchange.plugin.exchange import GitExchange

PAGE = (Path(__file__).parent.parent / "docs" / "reference" / "options.md").read_text(encoding="utf-8")


def own_options() -> list[str]:
    inherited = GitExchange.__mro__[1]
    return sorted(set(GitExchange.class_trait_names(config=True)) - set(inherited.class_trait_names(config=True)))


@pytest.mark.parametrize("name", own_options())
def test_every_option_of_ours_stands_in_the_reference_and_explains_itself(name: str) -> None:
    assert f"| `{name}` |" in PAGE
    assert GitExchange.class_traits()[name].help.strip()


def test_the_reference_names_no_option_that_is_not_there() -> None:
    section = PAGE.partition("## `c.GitExchange`")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", section, flags=re.MULTILINE)) == set(own_options())


def test_every_option_of_an_operation_in_the_reference_exists() -> None:
    leaves = {name.rpartition(".")[2]: name for name in CLASSES.values()}
    for leaf, trait in re.findall(r"`c\.(Exchange\w+)\.(\w+)`", PAGE):
        module = leaves[leaf].rpartition(".")[0]
        assert trait in getattr(importlib.import_module(module), leaf).class_trait_names(config=True)


def commands(command: click.Command, name: str) -> list[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        return [found for sub, one in command.commands.items() for found in commands(one, f"{name} {sub}")]
    return [(name, command)]


@pytest.mark.parametrize(("name", "command"), commands(cli, "git-exchange"))
def test_every_command_stands_in_the_reference_with_its_options(name: str, command: click.Command) -> None:
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| `{name}")]
    assert command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option) and not parameter.envvar:
            assert parameter.opts[0] in row
            assert parameter.help
