"""The reference names every option, variable and command as it is, and nothing that is not there.

When one of these fails, the message says which line of docs/reference/options.md to add or take out.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import click
import pytest

from git_exchange.cli.default_group import DefaultGroup
from git_exchange.cli.main import cli
from git_exchange.plugin.options import Option, options

WHERE = "docs/reference/options.md"
PAGE = (Path(__file__).parent.parent / WHERE).read_text(encoding="utf-8")
SECTIONS = {
    "GitExchange": "## `c.GitExchange`",
    "Exchange": "## Of every exchange",
    "commands": "## Commands",
    "single": "## Of single operations",
}


def section(name: str) -> str:
    heading = SECTIONS.get(name, SECTIONS["single"])
    assert heading in PAGE, f"{WHERE} has no section {heading!r}"
    return PAGE.partition(heading)[2].partition("\n## ")[0]


def rows(name: str) -> dict[str, list[str]]:
    """Return the cells behind the first one by the first one's code."""
    found: dict[str, list[str]] = {}
    for line in section(name).splitlines():
        # A bar in a cell is written \|
        cells = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if cells and (code := re.fullmatch(r"`([^`]+)`", cells[0])):
            assert code[1] not in found, f"{WHERE} has two lines for {code[1]}"
            found[code[1]] = cells[1:]
    return found


def label(option: Option) -> str:
    return option.name if option.section == "GitExchange" else f"c.{option.section}.{option.name}"


def default_cell(option: Option) -> str | None:
    """Return how the default is written: nothing for nothing, text as code, 300.0 as 300; None if it is computed."""
    if option.default is None:
        return None
    value = ast.literal_eval(option.default)
    if isinstance(value, str):
        return f"`{value}`" if value else ""
    if isinstance(value, float):
        return f"{value:g}"
    return str(value) if value != {} else ""


def needed(option: Option) -> str:
    first = option.help.replace("\n", " ").partition(". ")[0].rstrip(".")
    cells = [f"`{label(option)}`", default_cell(option) or "", first[:1].lower() + first[1:]]
    if option.section != "GitExchange":
        cells.insert(2, "")
    heading = SECTIONS.get(option.section, SECTIONS["single"])
    return f"{WHERE}, section {heading!r}, needs the line:\n| {' | '.join(cells)} |"


@pytest.mark.parametrize("option", options(), ids=label)
def test_every_option_stands_in_the_reference_with_its_default(option: Option) -> None:
    assert option.help, f"c.{option.section}.{option.name} has no help text"
    said = rows(option.section).get(label(option))
    assert said is not None, needed(option)
    expected = default_cell(option)
    if expected is None:
        assert said[0], f"{WHERE} does not say what {label(option)} is by default"
    else:
        assert said[0] == expected, f"{WHERE} says {said[0]!r} where the default is {expected!r}.\n{needed(option)}"
    assert said[-1], f"{WHERE} does not say what {label(option)} means"


def test_the_reference_names_no_option_that_is_not_there() -> None:
    there = {label(option) for option in options()}
    gone = {name for part in ("GitExchange", "Exchange", "single") for name in rows(part)} - there
    assert not gone, f"Take out of {WHERE}: {', '.join(sorted(gone))}"


def commands(command: click.Command, name: str) -> list[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        own = [(name, command.default)] if isinstance(command, DefaultGroup) else []
        return own + [found for sub, one in command.commands.items() for found in commands(one, f"{name} {sub}")]
    return [(name, command)]


COMMANDS = dict(commands(cli, "git-exchange"))


def own_options(command: click.Command) -> list[click.Option]:
    """Return its options but those that say which forge is meant, which all commands share."""
    return [one for one in command.params if isinstance(one, click.Option) and not one.envvar]


def usage(name: str, command: click.Command) -> str:
    words = [
        name,
        *(
            argument.make_metavar(click.Context(command))
            for argument in command.params
            if isinstance(argument, click.Argument)
        ),
    ]
    for option in own_options(command):
        word = option.opts[0] if option.is_flag else f"{option.opts[0]} {option.make_metavar(click.Context(command))}"
        words.append(word if option.required else f"[{word}]")
    return " ".join(words).replace("|", "\\|")


def documented(name: str) -> str | None:
    """Return the code of the command's line."""
    found = [said for said in rows("commands") if said == name or said.startswith(f"{name} ")]
    # `roster` also begins `roster apply`: the longest command that fits is meant.
    mine = [said for said in found if max((one for one in COMMANDS if said.startswith(one)), key=len) == name]
    assert len(mine) <= 1, f"{WHERE} has several lines for {name}"
    return mine[0] if mine else None


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_stands_in_the_reference_with_its_options(name: str) -> None:
    command = COMMANDS[name]
    assert command.help, f"`{name}` has no docstring"
    does = command.help.partition(".")[0]
    line = f"| `{usage(name, command)}` | {does[:1].lower() + does[1:]} |"
    said = documented(name)
    assert said is not None, f"{WHERE}, section '## Commands', needs the line:\n{line}"
    for option in own_options(command):
        assert option.help, f"{option.opts[0]} of `{name}` has no help text"
        assert re.search(rf"{re.escape(option.opts[0])}\b", said), (
            f"{WHERE}, section '## Commands': the line of `{name}` lacks {option.opts[0]}:\n{line}"
        )


def test_the_reference_names_no_command_and_no_option_of_one_that_is_not_there() -> None:
    for said in rows("commands"):
        fitting = [name for name in COMMANDS if said == name or said.startswith(f"{name} ")]
        assert fitting, f"Take out of {WHERE}, section '## Commands': {said}"
        command = COMMANDS[max(fitting, key=len)]
        known = {opt for option in command.params for opt in (*option.opts, *option.secondary_opts)}
        gone = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", said)) - known
        assert not gone, f"Take {', '.join(sorted(gone))} out of the line of {said} in {WHERE}"


def test_every_variable_that_is_read_stands_in_the_reference() -> None:
    package = Path(__file__).parent.parent / "git_exchange"
    named = re.compile(r"[\"'](GIT_EXCHANGE_[A-Z_]+)[\"']")
    read = {name for file in package.rglob("*.py") for name in named.findall(file.read_text(encoding="utf-8"))}
    assert "GIT_EXCHANGE_TOKEN" in read
    missing = {name for name in read if f"`{name}`" not in PAGE.partition("## Environment")[2].partition("\n## ")[0]}
    assert not missing, f"{WHERE}, section '## Environment', needs a line for each of {', '.join(sorted(missing))}"
