"""Members of projects and groups.

A path is "/projects/12" or "/groups/3"; what a member may do is the highest of the own and the inherited level.
https://docs.gitlab.com/api/project_members/ and https://docs.gitlab.com/api/group_members/
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from git_exchange.errors import Conflict, NotFound
from git_exchange.forge.gitlab import values
from git_exchange.forge.gitlab.session import Session
from git_exchange.forge.http import encoded
from git_exchange.forge.ports import Account, Member, Role


def read(session: Session, path: str) -> list[Member]:
    """Return all members. ``direct`` means that the membership of their own is what counts."""
    of_group = path.startswith("/groups/")
    own = {account.id: level for account, level in session.all(f"{path}/members", _account_and_level)}
    found: dict[int, tuple[Account, int]] = {}
    for account, level in session.all(f"{path}/members/all", _account_and_level):
        if account.id not in found or level > found[account.id][1]:
            found[account.id] = (account, level)
    return [
        Member(
            account,
            # A Developer of a group is a grader, direct or not.
            values.role(level, direct=own.get(account.id, -1) >= level and not of_group),
            direct=own.get(account.id, -1) >= level,
        )
        for account, level in found.values()
    ]


def role_in(session: Session, path: str, account_id: int) -> Role:
    """Return the effective role, NONE if there is no membership."""
    effective = _level(session, f"{path}/members/all", account_id)
    if effective is None:
        return Role.NONE
    if values.role(effective, direct=True) is not Role.STUDENT:
        return values.role(effective, direct=True)
    own = _level(session, f"{path}/members", account_id)
    return values.role(effective, direct=own is not None and own >= effective)


def ensure(session: Session, path: str, account: Account, role: Role) -> bool:
    """Give the account this role, by changing, adding or removing its own membership; True if one was changed.

    Who has more by the group keeps it: a membership in a project cannot take that away.
    """
    if role is Role.NONE:
        return _remove(session, path, account)
    wanted = values.LEVEL_OF[role]
    effective = _level(session, f"{path}/members/all", account.id)
    if effective is not None and values.role(effective, direct=True) is values.role(wanted, direct=True):
        return False
    own = _level(session, f"{path}/members", account.id) if effective is not None else None
    if own is None:
        if effective is not None and effective > wanted:
            return False
        try:
            session.change("post", f"{path}/members", {"user_id": account.id, "access_level": wanted})
        except Conflict:
            pass  # added by somebody else meanwhile, perhaps with another level
        else:
            return True
    session.change("put", f"{path}/members/{encoded(account.id)}", {"access_level": wanted})
    return True


def _remove(session: Session, path: str, account: Account) -> bool:
    if _level(session, f"{path}/members", account.id) is None:
        return False
    with suppress(NotFound):
        session.change("delete", f"{path}/members/{encoded(account.id)}")
    return True


def _level(session: Session, path: str, account_id: int) -> int | None:
    try:
        return session.get(f"{path}/{encoded(account_id)}", values.level)
    except NotFound:
        return None


def _account_and_level(raw: dict[str, Any]) -> tuple[Account, int]:
    return values.account(raw), values.level(raw)
