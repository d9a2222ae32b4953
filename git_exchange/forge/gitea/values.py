"""Gitea's JSON as our values, and our words as Gitea's. Pure.

A KeyError, TypeError or ValueError from here means that the answer is not Gitea's: ``session`` turns it into
``UnexpectedAnswer``. The objects are those of modules/structs in Gitea's and Forgejo's sources.
"""

from __future__ import annotations

from typing import Any

from git_exchange.forge.answers import number, text
from git_exchange.forge.gitea.names import Names
from git_exchange.forge.ports import Account, Branch, Group, Project, Role, Visibility
from git_exchange.rules.times import parse_iso

HEADS = "refs/heads/"
# An organisation's visibility; a project is private, or as visible as its organisation.
WORD_OF = {Visibility.PRIVATE: "private", Visibility.SIGNED_IN: "limited", Visibility.PUBLIC: "public"}
VISIBILITY_OF = {word: visibility for visibility, word in WORD_OF.items()}
PERMISSION_OF = {Role.READER: "read", Role.STUDENT: "write", Role.GRADER: "write", Role.INSTRUCTOR: "admin"}


def account(raw: dict[str, Any]) -> Account:
    """Return the account in a user object; ``is_admin`` is only told to administrators and of oneself."""
    return Account(number(raw["id"]), text(raw["login"]), raw.get("full_name") or "", raw.get("is_admin") is True)


def group(raw: dict[str, Any], names: Names, url: str) -> Group:
    """Return the group in an organisation or in the owner of a project. ``url`` is the forge's, as configured."""
    name = text(raw.get("login") or raw.get("name") or raw["username"])
    description = raw.get("description") or ""
    return Group(
        id=number(raw["id"]),
        full_path=names.path(name, description),
        name=raw.get("full_name") or name,
        description=description,
        visibility=VISIBILITY_OF[raw["visibility"]],
        web_url=f"{url}/{name}",
    )


def project(raw: dict[str, Any], names: Names, url: str) -> Project:
    """Return the project."""
    owner = raw["owner"]
    name = text(raw["name"])
    visibility = VISIBILITY_OF[owner["visibility"]]
    return Project(
        id=number(raw["id"]),
        group_path=names.path(text(owner["login"]), owner.get("description") or ""),
        path=name,
        description=raw.get("description") or "",
        visibility=Visibility.PRIVATE if raw["private"] else visibility,
        archived=bool(raw["archived"]),
        web_url=f"{url}/{owner['login']}/{name}",
        last_activity=parse_iso(text(raw["updated_at"])),
    )


def branch(raw: dict[str, Any]) -> Branch:
    """Return the branch with its head's whole message."""
    commit = raw["commit"]
    return Branch(HEADS + text(raw["name"]), text(commit["id"]), text(commit["message"]))


def role_of(permission: str, *, direct: bool) -> Role:
    """Return the role of a permission: who may write to one project is a student, who may by a team a grader."""
    if permission in ("admin", "owner"):
        return Role.INSTRUCTOR
    if permission == "write":
        return Role.STUDENT if direct else Role.GRADER
    return Role.READER if permission == "read" else Role.NONE
