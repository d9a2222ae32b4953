from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_exchange.forge.gitea import rules
from git_exchange.forge.ports import BranchRule, Role

SERVER = {"created_at": "2026-11-21T12:00:00Z"}


@pytest.mark.parametrize(
    ("pattern", "glob"),
    [("*", "**"), ("submit/*", "submit/**"), ("main", "[m]ain"), ("a{b}*", r"a\{b\}**"), ("*x*", "**x**")],
)
def test_patterns_are_globs_on_the_server(pattern: str, glob: str) -> None:
    assert rules.glob(pattern) == glob
    assert rules.pattern(glob) == pattern


@given(st.text(alphabet="ab/*{}[-", min_size=1, max_size=12).filter(lambda text: "**" not in text))
def test_a_pattern_comes_back_from_its_glob(pattern: str) -> None:
    assert rules.pattern(rules.glob(pattern)) == pattern


@pytest.mark.parametrize("glob", ["main", "submit/*", "?**", "a[bc]", ""])
def test_other_globs_and_plain_names_are_none_of_ours(glob: str) -> None:
    assert rules.pattern(glob) is None


def test_the_narrower_rule_comes_first() -> None:
    asked = [BranchRule(pattern, Role.STUDENT) for pattern in ("*", "submit/*", "submit/ps1/*", "main")]
    assert [rule.pattern for rule in rules.in_order(asked)] == ["main", "submit/ps1/*", "submit/*", "*"]


@pytest.mark.parametrize("role", [Role.NONE, Role.STUDENT, Role.GRADER, Role.INSTRUCTOR])
def test_a_rule_that_was_set_reads_as_it_was_asked(role: Role) -> None:
    rule = BranchRule("submit/*", role)
    found = rules.found({**rules.asked(rule, 1), **SERVER})
    assert rules.does(found, rule)
    assert rules.read(found) == rule
    assert not any(
        rules.does(found, BranchRule("submit/*", other)) for other in Role if other not in (role, Role.READER)
    )


@pytest.mark.parametrize(
    "change",
    [
        {"push_whitelist_usernames": ["eve"]},
        {"push_whitelist_deploy_keys": True},
        {"enable_force_push": True},
        {"enable_merge_whitelist": False},
        {"merge_whitelist_usernames": ["eve"]},
        {"merge_whitelist_teams": ["students"]},
        {"enable_bypass_allowlist": True},
        {"unprotected_file_patterns": "*"},
        {"push_whitelist_teams": []},
        {"push_whitelist_teams": ["students"]},
    ],
)
def test_a_rule_that_lets_others_in_is_none_of_ours(change: dict[str, object]) -> None:
    rule = BranchRule("*", Role.INSTRUCTOR)
    found = rules.found({**rules.asked(rule, 1), **SERVER, **change})
    assert not rules.does(found, rule)
    assert rules.read(found) == BranchRule("*", Role.NONE)


def test_a_team_that_the_server_dropped_is_noticed() -> None:
    rule = BranchRule("*", Role.GRADER)
    found = rules.found({**rules.asked(rule, 1), **SERVER, "push_whitelist_teams": ["Owners", "instructors"]})
    assert not rules.does(found, rule)
