"""Who may do what: levels, visibility, protection of branches and tags, as GitLab decides. Pure.

Also loaded by the pre-receive hook, outside the package: it imports the standard library only.

https://docs.gitlab.com/user/permissions/ and https://docs.gitlab.com/user/project/repository/branches/protected/
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

NO_ACCESS = 0
MINIMAL = 5
GUEST = 10
REPORTER = 20
DEVELOPER = 30
MAINTAINER = 40
OWNER = 50
ADMIN = 60

MEMBER_LEVELS = (MINIMAL, GUEST, 15, REPORTER, 25, DEVELOPER, MAINTAINER, OWNER)
RULE_LEVELS = (NO_ACCESS, DEVELOPER, MAINTAINER, ADMIN)

Visibility = Literal["private", "internal", "public"]
VISIBILITY_LEVELS: Mapping[str, int] = {"private": 0, "internal": 10, "public": 20}

PUSH_PROTECTED = "You are not allowed to push code to protected branches on this project."
CREATE_PROTECTED = "You are not allowed to create protected branches on this project."
CREATE_NOT_BY_WEB = "You can only create protected branches using the web interface and API."
FORCE_PROTECTED = "You are not allowed to force push code to a protected branch on this project."
DELETE_NOT_MAINTAINER = (
    "You are not allowed to delete protected branches from this project."
    " Only a project maintainer or owner can delete a protected branch."
)
DELETE_NOT_BY_WEB = "You can only delete protected branches using the web interface."
DELETE_DEFAULT = "The default branch of a project cannot be deleted."
HEX_BRANCH = "You cannot create a branch with a SHA-1 or SHA-256 branch name."
TAG_PROTECTED = "You are not allowed to create this tag as it is protected."
TAG_UPDATE = "Protected tags cannot be updated."
TAG_DELETE = (
    "You are not allowed to delete protected tags from this project."
    " Only a project maintainer or owner can delete a protected tag."
)
TAG_DELETE_NOT_BY_WEB = "You can only delete protected tags using the web interface."
PUSH_REFUSED = "You are not allowed to push code to this project."
OTHER_REF = "You can only push branches and tags."

BRANCHES = "refs/heads/"
TAGS = "refs/tags/"
HEX_NAME = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?(-?/.*)?", re.DOTALL)


@dataclass(frozen=True)
class BranchRule:
    """One protected branch or wildcard: who pushes, who merges, and whether a push may be forced."""

    pattern: str
    push: int
    merge: int = MAINTAINER
    allow_force_push: bool = False


@dataclass(frozen=True)
class TagRule:
    """One protected tag or wildcard, and who may create it."""

    pattern: str
    create: int


@lru_cache(maxsize=4096)
def _expression(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in pattern.split("*")), re.DOTALL)


def matches(pattern: str, name: str) -> bool:
    """Return whether a wildcard covers a name; ``*`` stands for anything, ``/`` too, and case counts."""
    return _expression(pattern).fullmatch(name) is not None


def effective_level(levels: Iterable[int]) -> int:
    """Return the highest of direct and inherited levels, 0 without any."""
    return max(levels, default=NO_ACCESS)


def allows(required: int, level: int, *, is_admin: bool) -> bool:
    """Return whether a rule's level admits somebody; 0 admits nobody, 60 administrators only.

    Administrators need the level like everybody else.
    """
    if required == NO_ACCESS:
        return False
    if required == ADMIN:
        return is_admin
    return level >= required


def can_see(visibility: str, level: int, *, signed_in: bool, is_admin: bool) -> bool:
    """Return whether a project or group exists for somebody with this effective level in it."""
    if is_admin or visibility == "public" or level >= GUEST:
        return True
    return visibility == "internal" and signed_in


def can_download_code(
    visibility: str, level: int, *, signed_in: bool, is_admin: bool, repository: str = "enabled"
) -> bool:
    """Return whether somebody may clone and read files; ``repository`` is the project's repository_access_level."""
    if repository == "disabled":
        return False
    if is_admin or level >= REPORTER:
        return True
    if repository == "private":
        return False
    return visibility == "public" or (visibility == "internal" and signed_in)


def branch_rules_for(name: str, rules: Iterable[BranchRule]) -> tuple[BranchRule, ...]:
    """Return the rules that match a branch; none means that it is not protected."""
    return tuple(rule for rule in rules if matches(rule.pattern, name))


def can_push(name: str, rules: Iterable[BranchRule], level: int, *, is_admin: bool) -> bool:
    """Return whether somebody may push to (or create) a branch: of several rules the most permissive wins."""
    if level < DEVELOPER and not is_admin:
        return False
    matching = branch_rules_for(name, rules)
    return not matching or any(allows(rule.push, level, is_admin=is_admin) for rule in matching)


def can_merge(name: str, rules: Iterable[BranchRule], level: int, *, is_admin: bool) -> bool:
    """Return whether somebody may merge into a branch."""
    if level < DEVELOPER and not is_admin:
        return False
    matching = branch_rules_for(name, rules)
    return not matching or any(allows(rule.merge, level, is_admin=is_admin) for rule in matching)


def can_force(name: str, rules: Iterable[BranchRule]) -> bool:
    """Return whether pushes to a branch may be forced: not protected, or one matching rule allows it."""
    matching = branch_rules_for(name, rules)
    return not matching or any(rule.allow_force_push for rule in matching)


@dataclass(frozen=True)
class Change:
    """One ref of a push. ``old`` and ``new`` are all zeros if the ref is created or deleted."""

    old: str
    new: str
    ref: str
    forced: bool = False

    @property
    def creates(self) -> bool:
        """Whether the ref did not exist."""
        return not self.old.strip("0")

    @property
    def deletes(self) -> bool:
        """Whether the ref is removed."""
        return not self.new.strip("0")


@dataclass(frozen=True)
class PushTable:
    """All that decides about one person's git push to one project: handed to the pre-receive hook as JSON."""

    level: int
    is_admin: bool
    default_branch: str | None
    branch_rules: tuple[BranchRule, ...] = ()
    tag_rules: tuple[TagRule, ...] = ()

    def dump(self) -> str:
        """Return the table as JSON."""
        return json.dumps(
            {
                "level": self.level,
                "is_admin": self.is_admin,
                "default_branch": self.default_branch,
                "branch_rules": [[r.pattern, r.push, r.merge, r.allow_force_push] for r in self.branch_rules],
                "tag_rules": [[rule.pattern, rule.create] for rule in self.tag_rules],
            }
        )

    @staticmethod
    def load(text: str) -> PushTable:
        """Return the table that ``dump`` wrote."""
        table = json.loads(text)
        return PushTable(
            table["level"],
            table["is_admin"],
            table["default_branch"],
            tuple(BranchRule(*rule) for rule in table["branch_rules"]),
            tuple(TagRule(*rule) for rule in table["tag_rules"]),
        )

    def refusal(self, change: Change) -> str | None:
        """Return GitLab's words if the change is refused, else None."""
        if self.level < DEVELOPER and not self.is_admin:
            return PUSH_REFUSED
        if change.ref.startswith(BRANCHES):
            return self._refused_branch(change.ref[len(BRANCHES) :], change)
        if change.ref.startswith(TAGS):
            return self._refused_tag(change.ref[len(TAGS) :], change)
        return OTHER_REF

    def needs_ancestry(self, ref: str) -> bool:
        """Return whether it matters if an update of this ref is a fast-forward."""
        return ref.startswith(BRANCHES) and not can_force(ref[len(BRANCHES) :], self.branch_rules)

    def _refused_branch(self, name: str, change: Change) -> str | None:  # noqa: PLR0911 - GitLab's order of checks
        if change.creates and HEX_NAME.fullmatch(name):
            return HEX_BRANCH
        if change.deletes and name == self.default_branch:
            return DELETE_DEFAULT
        if not branch_rules_for(name, self.branch_rules):
            return None
        if change.forced and not can_force(name, self.branch_rules):
            return FORCE_PROTECTED
        if change.deletes:
            is_maintainer = self.level >= MAINTAINER or self.is_admin
            return DELETE_NOT_BY_WEB if is_maintainer else DELETE_NOT_MAINTAINER
        if can_push(name, self.branch_rules, self.level, is_admin=self.is_admin):
            return None
        if change.creates and self.default_branch is not None:
            # Who may only merge may create the branch, but not by git push.
            merges = can_merge(name, self.branch_rules, self.level, is_admin=self.is_admin)
            return CREATE_NOT_BY_WEB if merges else CREATE_PROTECTED
        return PUSH_PROTECTED

    def _refused_tag(self, name: str, change: Change) -> str | None:
        matching = [rule for rule in self.tag_rules if matches(rule.pattern, name)]
        if not matching:
            return None
        if change.deletes:
            return TAG_DELETE_NOT_BY_WEB if self.level >= MAINTAINER or self.is_admin else TAG_DELETE
        if not change.creates:
            return TAG_UPDATE
        if any(allows(rule.create, self.level, is_admin=self.is_admin) for rule in matching):
            return None
        return TAG_PROTECTED
