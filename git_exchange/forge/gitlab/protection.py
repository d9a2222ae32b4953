"""Branch and tag rules of a project, read and brought to what is asked without a moment of less protection.

https://docs.gitlab.com/api/protected_branches/ : of several rules that match a branch, the most permissive wins.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from git_exchange.errors import Conflict, NotFound, UnexpectedAnswer
from git_exchange.forge.answers import text
from git_exchange.forge.gitlab import values
from git_exchange.forge.gitlab.session import Session
from git_exchange.forge.http import encoded
from git_exchange.forge.ports import BranchRule, Role

# Stands in for the rule "*" while that is replaced: the free edition cannot change who may push in place.
SHIELD = "**"


def read(session: Session, project_id: int) -> list[BranchRule]:
    """Return the branch rules."""
    return session.all(_branches(project_id), values.rule)


def ensure(session: Session, project_id: int, rules: Iterable[BranchRule]) -> bool:
    """Make the rules exactly these, and let only instructors tag; True if something was changed.

    A rule for one branch that gives students nothing (GitLab makes one for the default branch) may stay. What was
    changed is read back: raise UnexpectedAnswer if it is not in force.
    """
    wanted = {rule.pattern: rule for rule in rules}
    changed = _ensure_branches(session, project_id, wanted)
    changed |= _ensure_tags(session, project_id)
    return changed


def let_rewrite(session: Session, project_id: int, branch: str) -> None:
    """Add a rule for this one branch by which Maintainers may force pushes; ``ensure`` takes it away again."""
    body = {
        "name": branch,
        "push_access_level": values.MAINTAINER,
        "merge_access_level": 0,
        "unprotect_access_level": values.MAINTAINER,
        "allow_force_push": True,
    }
    with suppress(Conflict):  # an earlier run did not come to its end
        session.change("post", _branches(project_id), body)


def _ensure_branches(session: Session, project_id: int, wanted: dict[str, BranchRule]) -> bool:
    found = _raw(session, project_id)
    missing = [rule for rule in wanted.values() if not _is(found.get(rule.pattern), rule)]
    surplus = [name for name, raw in found.items() if name not in wanted and not _harmless(raw)]
    if not missing and not surplus:
        return False
    # The widest rule first: the others are only safe to replace below it.
    for rule in sorted(missing, key=lambda rule: rule.pattern != "*"):
        shielded = rule.pattern == "*" and "*" in found
        if shielded:
            _protect(session, project_id, BranchRule(SHIELD, Role.INSTRUCTOR))
        if rule.pattern in found:
            _unprotect(session, project_id, rule.pattern)
        _protect(session, project_id, rule)
        if shielded and SHIELD not in wanted:
            _unprotect(session, project_id, SHIELD)
    for name in surplus:
        _unprotect(session, project_id, name)
    after = _raw(session, project_id)
    if not all(_is(after.get(rule.pattern), rule) for rule in wanted.values()) or any(
        name in after for name in surplus
    ):
        raise UnexpectedAnswer(
            f"The branch rules of project number {project_id} are not in force as they were set.",
            hint="Run it again; if it stays so, look at the project's protected branches on the forge.",
        )
    return True


def _ensure_tags(session: Session, project_id: int) -> bool:
    path = f"/projects/{encoded(project_id)}/protected_tags"
    found = dict(session.all(path, lambda raw: (text(raw["name"]), _creators(raw))))
    weaker = [name for name, allowed in found.items() if not _only_maintainers(allowed)]
    for name in weaker:
        with suppress(NotFound):
            session.change("delete", f"{path}/{encoded(name)}")
    if "*" in found and "*" not in weaker:
        return bool(weaker)
    with suppress(Conflict):
        session.change("post", path, {"name": "*", "create_access_level": values.MAINTAINER})
    return True


def _raw(session: Session, project_id: int) -> dict[str, Any]:
    return dict(session.all(_branches(project_id), lambda raw: (text(raw["name"]), _checked(raw))))


def _checked(raw: dict[str, Any]) -> dict[str, Any]:
    values.rule(raw)
    values.pushers(raw, "merge_access_levels")
    return raw


def _is(raw: dict[str, Any] | None, rule: BranchRule) -> bool:
    return (
        raw is not None
        and not raw.get("allow_force_push")
        and values.pushers(raw) == frozenset({values.LEVEL_OF[rule.push]})
        and _only_maintainers(values.pushers(raw, "merge_access_levels"))
    )


def _harmless(raw: dict[str, Any]) -> bool:
    return (
        "*" not in raw["name"]
        and not raw.get("allow_force_push")
        and _only_maintainers(values.pushers(raw))
        and _only_maintainers(values.pushers(raw, "merge_access_levels"))
    )


def _only_maintainers(levels: frozenset[int] | None) -> bool:
    return levels is not None and all(level == 0 or level >= values.MAINTAINER for level in levels)


def _creators(raw: dict[str, Any]) -> frozenset[int] | None:
    return values.pushers(raw, "create_access_levels")


def _protect(session: Session, project_id: int, rule: BranchRule) -> None:
    body: dict[str, object] = {
        "name": rule.pattern,
        "push_access_level": values.LEVEL_OF[rule.push],
        "merge_access_level": 0,
        "unprotect_access_level": values.MAINTAINER,
        "allow_force_push": False,
    }
    with suppress(Conflict):  # somebody was faster; the reading back decides
        session.change("post", _branches(project_id), body)


def _unprotect(session: Session, project_id: int, name: str) -> None:
    with suppress(NotFound):
        session.change("delete", f"{_branches(project_id)}/{encoded(name)}")


def _branches(project_id: int) -> str:
    return f"/projects/{encoded(project_id)}/protected_branches"
