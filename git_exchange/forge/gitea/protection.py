"""Branch and tag rules of a project, read and brought to what is asked without a moment of less protection.

Of several rules that match a branch the first counts. Gitea orders them by a priority, Forgejo by the second in which
they were made, so that there is a pause before each further one. What was set is read back: order, and teams, which
the server drops silently if they cannot reach the project.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from git_exchange.errors import Conflict, Forbidden, NotFound, UnexpectedAnswer
from git_exchange.forge.answers import number, text
from git_exchange.forge.gitea import rules, values
from git_exchange.forge.gitea.rules import Found
from git_exchange.forge.gitea.session import Answer, Session
from git_exchange.forge.http import encoded
from git_exchange.forge.ports import BranchRule, Role
from git_exchange.rules.times import parse_iso

# Times of creation have whole seconds: this is more than one from any rule to the next.
PAUSE = 1.1

_EVERYTHING = "**"


def read(session: Session, path: str) -> list[BranchRule]:
    """Return the branch rules of the project at ``path`` ("/repos/owner/name"), the first that counts first."""
    return [rules.read(one) for one in _found(session, path)]


def ensure(session: Session, path: str, wanted: Iterable[BranchRule]) -> bool:
    """Make the rules exactly these, and let only instructors tag; True if something was changed.

    Raise UnexpectedAnswer if they are not in force afterwards.
    """
    changed = _ensure_branches(session, path, rules.in_order(wanted))
    changed |= _ensure_tags(session, path)
    return changed


def let_rewrite(session: Session, path: str, branch: str) -> None:
    """Add a rule for this one branch, before all others, by which instructors may force pushes.

    ``ensure`` takes it away again. Raise Forbidden where rules have no such permission (Forgejo, Gitea before 1.23).
    """
    body = rules.rewriting(branch)
    if any(one.name == branch for one in _found(session, path)):
        made = session.patch(_rule(path, branch), body, dict)
    else:
        made = session.post(_branches(path), body, dict)
    # A server that does not know of forced pushes ignores what it is asked about them.
    if made.get("enable_force_push") is not True or not made.get("force_push_allowlist_teams"):
        _remove(session, path, branch)
        raise Forbidden(
            f"{session.url} has no rule that lets one branch be rewritten (Gitea has since 1.23, Forgejo has not).",
            hint="By hand, as an owner of the organisation: remove the rule ** on the project's page of branch"
            " protection, force-push or delete the branch with git, and set the rule again with git-exchange course"
            " create (assignments) or roster apply (students' projects). Until then whoever may write there may push.",
        )


def rename(session: Session, path: str, ref: str, new: str) -> None:
    """Rename a branch that a pattern protects. Raise Forbidden, Conflict, NotFound.

    The server does that only for one with a rule of exactly its name, which follows the branch.
    (models/git/branch.go, RenameBranch)
    """
    old, name = (full.removeprefix(values.HEADS) for full in (ref, new))
    _make(session, path, BranchRule(old, Role.INSTRUCTOR), len(_found(session, path)) + 1, name=old)
    try:
        session.change("patch", f"{path}/branches/{encoded(old)}", {"name": name})
    finally:
        for rule in (old, name):
            _remove(session, path, rule)


def _ensure_branches(session: Session, path: str, wanted: Sequence[BranchRule]) -> bool:
    before = _found(session, path)
    if _in_force(before, wanted):
        return False
    now = {one.name: one for one in before}
    names = [rules.glob(rule.pattern) for rule in wanted]
    for place, rule in enumerate(wanted):
        one = now.get(names[place])
        if one is None:
            _make(session, path, rule, place + 1)
        elif not rules.does(one, rule) or one.priority not in (None, place + 1):
            session.change("patch", _rule(path, one.name), rules.asked(rule, place + 1))
    for name in now.keys() - set(names):
        _remove(session, path, name)
    if not _in_order(_found(session, path), names):
        _make_anew(session, path, wanted, names)
    if not _in_force(_found(session, path), wanted):
        raise UnexpectedAnswer(
            f"The branch rules of {path.removeprefix('/repos/')} are not in force as they were set.",
            hint="Run it again; if it stays so, look at the project's branch protection and at the organisation's teams"
            " on the forge.",
        )
    return True


def _make_anew(session: Session, path: str, wanted: Sequence[BranchRule], names: Sequence[str]) -> None:
    """Make the rules from the first misplaced one on again, in their order, behind a rule that shields all branches."""
    present = [one.name for one in _found(session, path)]
    # Another program may be changing the rules: there can be fewer or more of them than we just set.
    misplaced = (place for place, name in enumerate(names) if present[place : place + 1] != [name])
    first = next(misplaced, len(names))
    shielded = _EVERYTHING in names[first:]
    if shielded:
        _make(session, path, BranchRule(rules.SHIELD, Role.INSTRUCTOR), len(names) + 1, name=rules.SHIELD)
    for place in range(first, len(names)):
        _remove(session, path, names[place])
        _make(session, path, wanted[place], place + 1)
    if shielded:
        _remove(session, path, rules.SHIELD)


def _make(session: Session, path: str, rule: BranchRule, priority: int, name: str | None = None) -> None:
    body = rules.asked(rule, priority)
    if name is not None:
        body["rule_name"] = name
    answer = session.answer("get", _branches(path))
    others = session.understood(_rules, answer.document, path)
    if others and others[-1].priority is None:
        session.sleep(_pause(answer, max(parse_iso(one.created) for one in others)))
    with suppress(Conflict):  # somebody was faster; the reading back decides
        session.change("post", _branches(path), body)


def _pause(answer: Answer, newest: datetime) -> float:
    """Return how long to wait until a new rule is surely younger than the newest, both by the server's clock."""
    return max(0.0, PAUSE - (answer.moment() - newest).total_seconds())


def _in_force(present: Sequence[Found], wanted: Sequence[BranchRule]) -> bool:
    return len(present) == len(wanted) and all(
        one.name == rules.glob(rule.pattern) and rules.does(one, rule)
        for one, rule in zip(present, wanted, strict=True)
    )


def _in_order(present: Sequence[Found], names: Sequence[str]) -> bool:
    return [one.name for one in present] == list(names)


def _found(session: Session, path: str) -> list[Found]:
    # This list has no pages, and the server gives it in the order in which it asks the rules.
    return session.get(_branches(path), _rules)


def _rules(raw: list[dict[str, Any]]) -> list[Found]:
    return [rules.found(one) for one in raw]


def _ensure_tags(session: Session, path: str) -> bool:
    where = f"{path}/tag_protections"
    found = session.get(where, _tag_rules)
    surplus = [rule_id for rule_id, name, teams in found if name != "*" or teams != rules.STAFF]
    # A tag may be made if any rule that matches it allows it.
    for rule_id in surplus:
        with suppress(NotFound):
            session.change("delete", f"{where}/{rule_id}")
    if len(surplus) < len(found):
        return bool(surplus)
    body = {"name_pattern": "*", "whitelist_usernames": [], "whitelist_teams": sorted(rules.STAFF)}
    with suppress(Conflict):
        session.change("post", where, body)
    if not any(name == "*" and teams == rules.STAFF for _, name, teams in session.get(where, _tag_rules)):
        raise UnexpectedAnswer(f"The tag rule of {path.removeprefix('/repos/')} is not in force as it was set.")
    return True


def _tag_rules(raw: list[dict[str, Any]]) -> list[tuple[int, str, frozenset[str] | None]]:
    """Return number, pattern and teams of each rule; None for teams if single people may tag as well."""
    return [
        (
            number(one["id"]),
            text(one["name_pattern"]),
            None if one["whitelist_usernames"] else frozenset(one["whitelist_teams"] or ()),
        )
        for one in raw
    ]


def _remove(session: Session, path: str, name: str) -> None:
    with suppress(NotFound):
        session.change("delete", _rule(path, name))


def _branches(path: str) -> str:
    return f"{path}/branch_protections"


def _rule(path: str, name: str) -> str:
    return f"{_branches(path)}/{encoded(name)}"
