from __future__ import annotations

import pytest

from git_exchange.devserver import access
from git_exchange.devserver.access import BranchRule, Change, PushTable, TagRule

ZERO, OLD, NEW = "0" * 40, "1" * 40, "2" * 40
RULES = (BranchRule("*", 40, 0), BranchRule("submit/*", 30, 0))


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("*", "main", True),
        ("*", "submit/ps1", True),
        ("submit/*", "submit/ps1", True),
        ("submit/*", "submit/a/b", True),
        ("submit/*", "submit", False),
        ("submit/*", "Submit/ps1", False),
        ("submit/*", "xsubmit/ps1", False),
        ("main", "main", True),
        ("main", "mainly", False),
        ("a.c", "abc", False),
        ("*-stable", "1-2-stable", True),
        ("*-stable", "1-2-stables", False),
    ],
)
def test_a_wildcard_covers_names_with_slashes_and_tells_case(pattern: str, name: str, expected: bool) -> None:
    assert access.matches(pattern, name) is expected


@pytest.mark.parametrize(
    ("visibility", "level", "signed_in", "sees", "downloads"),
    [
        ("private", 0, True, False, False),
        ("private", 5, True, False, False),
        ("private", 10, True, True, False),
        ("private", 20, True, True, True),
        ("internal", 0, True, True, True),
        ("internal", 0, False, False, False),
        ("public", 0, False, True, True),
    ],
)
def test_who_sees_a_project_and_who_reads_its_code(
    visibility: str, level: int, signed_in: bool, sees: bool, downloads: bool
) -> None:
    assert access.can_see(visibility, level, signed_in=signed_in, is_admin=False) is sees
    assert access.can_download_code(visibility, level, signed_in=signed_in, is_admin=False) is downloads


def test_a_repository_only_for_members_is_not_read_by_others_of_a_public_project() -> None:
    assert not access.can_download_code("public", 0, signed_in=True, is_admin=False, repository="private")
    assert access.can_download_code("public", 20, signed_in=True, is_admin=False, repository="private")
    assert not access.can_download_code("public", 50, signed_in=True, is_admin=True, repository="disabled")


def test_the_highest_of_direct_and_inherited_levels_counts() -> None:
    assert access.effective_level((10, 40, 30)) == 40
    assert access.effective_level(()) == 0


@pytest.mark.parametrize(
    ("required", "level", "is_admin", "expected"),
    [(0, 50, True, False), (30, 30, False, True), (40, 30, True, False), (60, 50, False, False), (60, 0, True, True)],
)
def test_administrators_need_the_level_of_a_rule_like_everybody(
    required: int, level: int, is_admin: bool, expected: bool
) -> None:
    assert access.allows(required, level, is_admin=is_admin) is expected


@pytest.mark.parametrize(
    ("level", "ref", "change", "refusal"),
    [
        (20, "refs/heads/free", "create", access.PUSH_REFUSED),
        (30, "refs/heads/submit/ps1", "create", None),
        (30, "refs/heads/submit/ps1", "push", None),
        (30, "refs/heads/submit/ps1", "force", access.FORCE_PROTECTED),
        (30, "refs/heads/submit/ps1", "delete", access.DELETE_NOT_MAINTAINER),
        (30, "refs/heads/main", "push", access.PUSH_PROTECTED),
        (30, "refs/heads/stray", "create", access.CREATE_PROTECTED),
        (30, "refs/tags/v1", "create", access.TAG_PROTECTED),
        (30, "refs/tags/v1", "push", access.TAG_UPDATE),
        (30, "refs/tags/v1", "delete", access.TAG_DELETE),
        (40, "refs/heads/main", "push", None),
        (40, "refs/heads/main", "force", access.FORCE_PROTECTED),
        (40, "refs/heads/main", "delete", access.DELETE_DEFAULT),
        (40, "refs/heads/submit/ps1", "delete", access.DELETE_NOT_BY_WEB),
        (40, "refs/heads/" + "a" * 40, "create", access.HEX_BRANCH),
        (40, "refs/tags/v1", "create", None),
        (40, "refs/tags/v1", "delete", access.TAG_DELETE_NOT_BY_WEB),
        (50, "refs/keep-around/x", "create", access.OTHER_REF),
        (50, "refs/heads/submit/ps1", "force", access.FORCE_PROTECTED),
    ],
)
def test_what_a_push_to_a_protected_project_is_answered(level: int, ref: str, change: str, refusal: str | None) -> None:
    table = PushTable(level, False, "main", RULES, (TagRule("*", 40),))
    changes = {
        "create": Change(ZERO, NEW, ref),
        "push": Change(OLD, NEW, ref),
        "force": Change(OLD, NEW, ref, forced=True),
        "delete": Change(OLD, ZERO, ref),
    }
    assert table.refusal(changes[change]) == refusal


def test_without_rules_a_developer_may_force_and_delete() -> None:
    table = PushTable(30, False, "main")
    assert table.refusal(Change(OLD, NEW, "refs/heads/free", forced=True)) is None
    assert table.refusal(Change(OLD, ZERO, "refs/heads/free")) is None
    assert not table.needs_ancestry("refs/heads/free")


def test_of_several_rules_the_most_permissive_wins_also_for_force() -> None:
    rules = (BranchRule("submit/*", 40), BranchRule("*", 30, 30, allow_force_push=True))
    table = PushTable(30, False, "main", rules)
    assert table.refusal(Change(OLD, NEW, "refs/heads/submit/x", forced=True)) is None


def test_a_rule_for_no_one_refuses_the_owner_too() -> None:
    table = PushTable(50, True, "main", (BranchRule("locked", 0, 0),))
    assert table.refusal(Change(OLD, NEW, "refs/heads/locked")) == access.PUSH_PROTECTED


def test_the_first_push_to_an_empty_project_is_decided_as_a_push() -> None:
    table = PushTable(30, False, None, (BranchRule("*", 40, 30),))
    assert table.refusal(Change(ZERO, NEW, "refs/heads/main")) == access.PUSH_PROTECTED


def test_who_may_only_merge_is_told_of_the_web() -> None:
    table = PushTable(30, False, "main", (BranchRule("*", 40, 30),))
    assert table.refusal(Change(ZERO, NEW, "refs/heads/new")) == access.CREATE_NOT_BY_WEB


def test_the_table_survives_its_way_to_the_hook() -> None:
    table = PushTable(30, True, None, RULES, (TagRule('v"*\n', 40),))
    assert PushTable.load(table.dump()) == table
