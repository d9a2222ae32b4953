"""GitLab's JSON as our values, and our words as GitLab's. Pure.

A KeyError, TypeError or ValueError from here means that the answer is not GitLab's: ``session`` turns it into
``UnexpectedAnswer``. https://docs.gitlab.com/api/rest/
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from git_exchange.forge.answers import number, text
from git_exchange.forge.ports import Account, Branch, BranchRule, Group, Project, Push, Role, Visibility
from git_exchange.rules.times import parse_iso

# https://docs.gitlab.com/user/permissions/ : Reporter, Developer, Maintainer. 60 in a rule means administrators.
REPORTER, DEVELOPER, MAINTAINER = 20, 30, 40
LEVEL_OF = {
    Role.READER: REPORTER,
    Role.STUDENT: DEVELOPER,
    Role.GRADER: DEVELOPER,
    Role.INSTRUCTOR: MAINTAINER,
}
LEVEL_OF_VISIBILITY = {
    Visibility.PRIVATE: "private",
    Visibility.SIGNED_IN: "internal",
    Visibility.PUBLIC: "public",
}
VISIBILITY_OF = {level: visibility for visibility, level in LEVEL_OF_VISIBILITY.items()}
HEADS = "refs/heads/"


def account(raw: dict[str, Any]) -> Account:
    """Return the account in a user, member or author object."""
    return Account(number(raw["id"]), text(raw["username"]), raw.get("name") or "", raw.get("is_admin") is True)


def group(raw: dict[str, Any]) -> Group:
    """Return the group."""
    return Group(
        id=number(raw["id"]),
        full_path=text(raw["full_path"]),
        name=text(raw["name"]),
        description=raw.get("description") or "",
        visibility=VISIBILITY_OF[raw["visibility"]],
        web_url=text(raw["web_url"]),
    )


def project(raw: dict[str, Any], *, archived: bool | None = None) -> Project:
    """Return the project; ``archived`` where the object does not say it (``simple=true``)."""
    group_path, _, path = text(raw["path_with_namespace"]).rpartition("/")
    active = raw.get("last_activity_at")
    return Project(
        id=number(raw["id"]),
        group_path=group_path,
        path=path,
        description=raw.get("description") or "",
        visibility=VISIBILITY_OF[raw["visibility"]],
        archived=bool(raw["archived"]) if archived is None else archived,
        web_url=text(raw["web_url"]),
        last_activity=None if active is None else parse_iso(active),
    )


def branch(raw: dict[str, Any]) -> Branch:
    """Return the branch with its head's whole message."""
    commit = raw["commit"]
    return Branch(HEADS + text(raw["name"]), text(commit["id"]), text(commit["message"]))


def push(raw: dict[str, Any]) -> Push | None:
    """Return the push event, None if it concerns tags or is no push.

    A push of more refs than the server's limit (3) gives one event without a ref: a bulk push.
    https://docs.gitlab.com/api/events/
    """
    data = raw.get("push_data")
    if not data or data["ref_type"] != "branch":
        return None
    name = data["ref"]
    return Push(
        id=number(raw["id"]),
        project_id=number(raw["project_id"]),
        ref=None if name is None else HEADS + text(name),
        before=None if name is None else data["commit_from"],
        after=None if name is None else data["commit_to"],
        at=event_time(raw),
        account=account(raw["author"]),
    )


def event_time(raw: dict[str, Any]) -> datetime:
    """Return when the server wrote the event, UTC."""
    return parse_iso(text(raw["created_at"]))


def role(level: int, *, direct: bool) -> Role:
    """Return the role of an access level.

    A Developer of one project is a student, a Developer by the group a grader. Guests and Planners, who cannot read
    code, have no role.
    """
    if level >= MAINTAINER:
        return Role.INSTRUCTOR
    if level >= DEVELOPER:
        return Role.STUDENT if direct else Role.GRADER
    return Role.READER if level >= REPORTER else Role.NONE


def level(raw: dict[str, Any]) -> int:
    """Return the access level of a member."""
    return number(raw["access_level"])


def rule(raw: dict[str, Any]) -> BranchRule:
    """Return the rule. NONE for one that is none of ours: it allows force pushes, or names people, keys or nobody."""
    allowed = pushers(raw)
    if allowed is None or raw.get("allow_force_push"):
        return BranchRule(text(raw["name"]), Role.NONE)
    least = min(allowed, default=0)
    return BranchRule(
        text(raw["name"]),
        Role.NONE if least < DEVELOPER else Role.STUDENT if least < MAINTAINER else Role.INSTRUCTOR,
    )


def pushers(raw: dict[str, Any], key: str = "push_access_levels") -> frozenset[int] | None:
    """Return the levels that may push (or merge), None if single accounts, groups or deploy keys may as well."""
    entries = raw[key]
    if any(entry.get(who) is not None for entry in entries for who in ("user_id", "group_id", "deploy_key_id")):
        return None
    return frozenset(number(entry["access_level"]) for entry in entries)
