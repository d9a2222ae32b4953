from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from git_exchange.forge.ports import BranchRule, Role
from git_exchange.operations.doctor import _pushers

EVERYTHING = BranchRule("*", Role.INSTRUCTOR)
SUBMIT = BranchRule("submit/*", Role.STUDENT)


def course(*, first_rule_counts: bool) -> Any:
    return SimpleNamespace(forge=SimpleNamespace(first_rule_counts=first_rule_counts))


@pytest.mark.parametrize("rules", [[EVERYTHING, SUBMIT], [SUBMIT, EVERYTHING]])
def test_where_the_most_permissive_rule_wins_the_order_means_nothing(rules: list[BranchRule]) -> None:
    gitlab = course(first_rule_counts=False)
    assert _pushers(gitlab, rules, "submit/ps1") is Role.STUDENT
    assert _pushers(gitlab, rules, "feedback/ps1") is Role.INSTRUCTOR


def test_where_the_first_rule_counts_a_catch_all_before_the_others_locks_students_out() -> None:
    gitea = course(first_rule_counts=True)
    assert _pushers(gitea, [SUBMIT, EVERYTHING], "submit/ps1") is Role.STUDENT
    assert _pushers(gitea, [EVERYTHING, SUBMIT], "submit/ps1") is Role.INSTRUCTOR


def test_without_a_rule_for_everything_other_branches_are_open() -> None:
    assert _pushers(course(first_rule_counts=False), [SUBMIT], "feedback/ps1") is None
