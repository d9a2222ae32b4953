"""Branch rules as Gitea and Forgejo have them: globs, of which the first that matches counts. Pure.

The port's patterns know only ``*``, which matches anything; a glob's ``*`` stops at a slash, and ``**`` does not. Plain
names are written as globs, too: a rule with a plain name follows when somebody renames the branch.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from git_exchange.forge.gitea.teams import GRADERS, INSTRUCTORS, OWNERS
from git_exchange.forge.ports import BranchRule, Role

STAFF = frozenset({OWNERS, INSTRUCTORS})
TEAMS_OF = {Role.INSTRUCTOR: STAFF, Role.GRADER: STAFF | {GRADERS}}
# Matches every branch like "**", and stands in for that while it is made anew.
SHIELD = "?**"

_SPECIAL = re.compile(r"[?\\\[\]{}]")
_PLAIN_GLOB = re.compile(r"\[(.)\]([^*?\\\[\]{}]*)")


@dataclass(frozen=True)
class Found:
    """A rule that the server has. ``pushers`` is None if whoever may write may push, else the teams that may.

    ``strict`` is False for a rule that lets others in, or more than a push: none of ours. ``created`` is the server's
    text; ``priority`` None where only the time of creation orders the rules (Forgejo).
    """

    name: str
    pushers: frozenset[str] | None
    strict: bool
    created: str
    priority: int | None


def found(raw: dict[str, Any]) -> Found:
    """Return the rule in the server's object."""
    listed = raw["enable_push_whitelist"] is True
    can_push = raw["enable_push"] is True
    loose = (
        bool(raw["push_whitelist_usernames"])
        or raw.get("push_whitelist_deploy_keys")
        or raw.get("enable_force_push")
        or not raw["enable_merge_whitelist"]
        or bool(raw["merge_whitelist_usernames"])
        or not set(raw["merge_whitelist_teams"] or ()) <= STAFF
        or raw.get("enable_bypass_allowlist")
        or raw.get("unprotected_file_patterns")
    )
    return Found(
        name=str(raw["rule_name"]),
        pushers=frozenset(raw["push_whitelist_teams"] or ()) if listed else None if can_push else frozenset(),
        strict=not loose,
        created=str(raw["created_at"]),
        priority=raw.get("priority"),
    )


def asked(rule: BranchRule, priority: int) -> dict[str, object]:
    """Return the body that makes the rule; keys that a server does not know are ignored by it."""
    teams = TEAMS_OF.get(rule.push)
    return {
        "rule_name": glob(rule.pattern),
        "priority": priority,
        "enable_push": rule.push is not Role.NONE,
        "enable_push_whitelist": teams is not None,
        "push_whitelist_usernames": [],
        "push_whitelist_teams": sorted(teams or ()),
        "push_whitelist_deploy_keys": False,
        "enable_force_push": False,
        "enable_force_push_allowlist": False,
        "enable_merge_whitelist": True,
        "merge_whitelist_usernames": [],
        "merge_whitelist_teams": sorted(STAFF),
        "enable_bypass_allowlist": False,
        "block_admin_merge_override": True,
        "require_signed_commits": False,
        "protected_file_patterns": "",
        "unprotected_file_patterns": "",
    }


def rewriting(branch: str) -> dict[str, object]:
    """Return the body of a rule, before all others, by which instructors may force pushes to this one branch."""
    return asked(BranchRule(branch, Role.INSTRUCTOR), 1) | {
        # Of rules with the same priority one with a plain name comes first.
        "rule_name": branch,
        "enable_force_push": True,
        "enable_force_push_allowlist": True,
        "force_push_allowlist_usernames": [],
        "force_push_allowlist_teams": sorted(STAFF),
        "force_push_allowlist_deploy_keys": False,
    }


def does(one: Found | None, rule: BranchRule) -> bool:
    """Return whether the server's rule is what was asked for; it drops teams and people silently."""
    if one is None or not one.strict:
        return False
    wanted = frozenset[str]() if rule.push is Role.NONE else TEAMS_OF.get(rule.push)
    return one.pushers == wanted


def read(one: Found) -> BranchRule:
    """Return the rule in the port's words; NONE for one that is none of ours."""
    name = pattern(one.name)
    if not one.strict or name is None:
        return BranchRule(one.name if name is None else name, Role.NONE)
    if one.pushers is None:
        return BranchRule(name, Role.STUDENT)
    if one.pushers and one.pushers <= STAFF:
        return BranchRule(name, Role.INSTRUCTOR)
    if one.pushers and one.pushers <= TEAMS_OF[Role.GRADER]:
        return BranchRule(name, Role.GRADER)
    return BranchRule(name, Role.NONE)


def in_order(rules: Iterable[BranchRule]) -> list[BranchRule]:
    """Return the rules as they have to be asked: the narrower first, the one for everything last."""
    last = {rule.pattern: rule for rule in rules}
    return sorted(
        last.values(), key=lambda rule: ("*" in rule.pattern, -len(rule.pattern.partition("*")[0]), rule.pattern)
    )


def glob(pattern: str) -> str:
    """Return the port's pattern as a glob."""
    if "*" not in pattern and not _SPECIAL.search(pattern):
        return f"[{pattern[:1]}]{pattern[1:]}"
    return _SPECIAL.sub(lambda special: "\\" + special.group(), pattern).replace("*", "**")


def pattern(glob: str) -> str | None:
    """Return the port's pattern of a glob of ours, None for a plain name and for globs that ``glob`` never makes."""
    plain = _PLAIN_GLOB.fullmatch(glob)
    if plain is not None:
        return plain.group(1) + plain.group(2)
    written = re.sub(r"\\(.)", r"\1", glob.replace("**", "*"))
    return written if globs_to(written, glob) else None


def globs_to(written: str, name: str) -> bool:
    """Return whether the pattern makes exactly this glob."""
    return bool(written) and glob(written) == name
