"""Names for accounts are valid on every kind of forge, or none."""

from __future__ import annotations

import re

import pytest

from git_exchange.rules.usernames import username_from


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("ann", "ann"),
        ("Ann.Lee", "ann.lee"),
        ("Jürgen Müller", "jurgen-muller"),
        ("ann@uni.edu", "ann-uni.edu"),
        ("-_ann__lee-.", "ann_lee"),
        ("robot.git", "robot-git"),
        ("学生", ""),
        ("...", ""),
        ("", ""),
    ],
)
def test_a_login_gives_a_name(said: str, name: str) -> None:
    assert username_from(said) == name


@pytest.mark.parametrize("said", ["a" * 39 + ".b", "x" * 300, "a.-_" * 30, "ab" * 18 + ".atom"])
def test_every_name_is_one_that_gitlab_and_gitea_take(said: str) -> None:
    name = username_from(said)
    assert re.fullmatch(r"[a-z0-9]+([._-][a-z0-9]+)*", name)
    assert len(name) <= 40
    assert not name.endswith((".git", ".atom"))
