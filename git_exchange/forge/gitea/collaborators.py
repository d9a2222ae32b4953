"""Who may do what in one project: collaborators of its own, and the organisation's teams."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from git_exchange.errors import Forbidden, NotFound
from git_exchange.forge.answers import text
from git_exchange.forge.gitea import teams, values
from git_exchange.forge.gitea.session import Session
from git_exchange.forge.http import encoded
from git_exchange.forge.ports import Account, Member, Role


def read(session: Session, path: str, organisation: str) -> list[Member]:
    """Return all members of the project at ``path``. ``direct`` means that the access of their own is what counts."""
    try:
        by_team = {member.account.id: member for member in teams.members(session, organisation)}
    except (NotFound, Forbidden):  # the owner is a person, or we are no members
        by_team = {}
    found = {number: Member(member.account, member.role, direct=False) for number, member in by_team.items()}
    for account in session.all(f"{path}/collaborators", values.account):
        role = values.role_of(_permission(session, path, account), direct=True)
        inherited = by_team.get(account.id)
        if inherited is None or inherited.role <= role:
            found[account.id] = Member(account, role, direct=True)
    return list(found.values())


def role_in(session: Session, path: str, organisation: str, account: Account) -> Role:
    """Return the effective role, NONE for who only sees the project because everybody does."""
    if session.exists(_collaborator(path, account)):
        return values.role_of(_permission(session, path, account), direct=True)
    return teams.role_in(session, organisation, account)


def ensure(session: Session, path: str, organisation: str, account: Account, role: Role) -> bool:
    """Give the account this role, by changing, adding or removing its own access; True if something was changed.

    Who has more by a team keeps it: a collaboration cannot take that away. The server first lets a new collaborator
    write and then what was asked, so that the branch rules have to be there before.
    """
    own = session.exists(_collaborator(path, account))
    if role is Role.NONE:
        if own:
            with suppress(NotFound):
                session.change("delete", _collaborator(path, account))
        return own
    wanted = values.PERMISSION_OF[role]
    if own and _permission(session, path, account) == wanted:
        return False
    if not own and teams.role_in(session, organisation, account) >= role:
        return False
    session.change("put", _collaborator(path, account), {"permission": wanted})
    return True


def _permission(session: Session, path: str, account: Account) -> str:
    def permission(raw: dict[str, Any]) -> str:
        return text(raw["permission"])

    try:
        return session.get(f"{_collaborator(path, account)}/permission", permission)
    except (NotFound, Forbidden) as error:
        raise Forbidden(
            f"This account may not see what {account.username} may do in the project.",
            hint="Only the project's administrators see that of others.",
        ) from error


def _collaborator(path: str, account: Account) -> str:
    return f"{path}/collaborators/{encoded(account.username)}"
