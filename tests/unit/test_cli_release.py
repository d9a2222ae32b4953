"""What `git-exchange release` and `feedback` take for their own commands, and what they refuse; no server is asked."""

from __future__ import annotations

import pytest
from click.testing import CliRunner, Result

from git_exchange.cli.main import cli


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


@pytest.mark.parametrize("group", ["release", "feedback"])
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("ps1", "--at", "tomorrow"), "not a time"),
        (("--at", "2030-01-01 10:00", "ps1"), "--timezone"),
        (("ps1", "--at", "2030-03-31 02:30 Europe/Zurich"), "does not exist"),
        (("ps1", "--at", "2030-10-27 02:30", "--timezone", "Europe/Zurich"), "comes twice"),
        (("ps1", "--timezone", "Europe/Zurich"), "goes with --at"),
        (("ps1", "ps2"), "unexpected extra argument"),
        (("--at", "2030-01-01 10:00 UTC"), "Missing argument"),
        (("--nonsense", "ps1"), "No such option"),
    ],
)
def test_bad_input_is_refused_with_a_word_about_it(group: str, arguments: tuple[str, ...], words: str) -> None:
    result = run(group, *arguments)
    assert result.exit_code == 2
    assert words in " ".join(result.output.split())


@pytest.mark.parametrize("group", ["release", "feedback"])
def test_help_shows_the_command_and_those_beside_it(group: str) -> None:
    said = run(group, "--help").output
    assert f"{group} [OPTIONS] ASSIGNMENT" in said
    assert "--at" in said
    assert "purge" in said
    assert "--reason" in run(group, "purge", "--help").output
    assert run(group).exit_code == 2
