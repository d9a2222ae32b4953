"""An organisation's teams, by which staff has its roles: all projects of the course, present and future.

``instructors`` administer the projects and may make new ones, ``graders`` write, ``readers`` read. The organisation's
own ``Owners`` count as instructors. Students are in no team: they would see each other.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from git_exchange.errors import Conflict, Forbidden, NotFound, UnexpectedAnswer
from git_exchange.forge.answers import number, text
from git_exchange.forge.gitea import values
from git_exchange.forge.gitea.session import Session
from git_exchange.forge.http import encoded
from git_exchange.forge.ports import Account, Member, Role

OWNERS, INSTRUCTORS, GRADERS, READERS = "Owners", "instructors", "graders", "readers"
ROLE_OF = {OWNERS: Role.INSTRUCTOR, INSTRUCTORS: Role.INSTRUCTOR, GRADERS: Role.GRADER, READERS: Role.READER}
TEAM_OF = {Role.INSTRUCTOR: INSTRUCTORS, Role.GRADER: GRADERS, Role.STUDENT: GRADERS, Role.READER: READERS}
_PERMISSION_OF = {INSTRUCTORS: "admin", GRADERS: "write", READERS: "read"}


@dataclass(frozen=True)
class Team:
    """A team. ``permission`` is what it may do with code, ``everywhere`` whether in all projects."""

    id: int
    name: str
    permission: str
    everywhere: bool


def read(session: Session, organisation: str) -> dict[str, Team]:
    """Return the teams by name. Raise NotFound, Forbidden for who is no member of the organisation."""
    found = session.all(f"/orgs/{encoded(organisation)}/teams", _team)
    return {team.name: team for team in found}


def ensure(session: Session, organisation: str, needed: Iterable[str] = (INSTRUCTORS, GRADERS)) -> dict[str, Team]:
    """Return the teams by name, the needed ones made or brought to what they may do."""
    found = read(session, organisation)
    for name in needed:
        team = found.get(name)
        body = _body(name)
        if team is None:
            try:
                found[name] = session.post(f"/orgs/{encoded(organisation)}/teams", body, _team)
            except Conflict:
                found |= read(session, organisation)
        elif team.permission != _PERMISSION_OF[name] or not team.everywhere:
            found[name] = session.patch(f"/teams/{team.id}", body, _team)
    return found


def members(session: Session, organisation: str) -> list[Member]:
    """Return everybody in one of the course's teams, each with the highest role."""
    found: dict[int, Member] = {}
    for name, team in read(session, organisation).items():
        if name not in ROLE_OF:
            continue
        for account in session.all(f"/teams/{team.id}/members", values.account):
            if account.id not in found or found[account.id].role < ROLE_OF[name]:
                found[account.id] = Member(account, ROLE_OF[name], direct=True)
    return list(found.values())


def role_in(session: Session, organisation: str, account: Account) -> Role:
    """Return the account's role by the course's teams; NONE for who is in none, or if teams are hidden from us."""
    if not session.exists(f"/orgs/{encoded(organisation)}/members/{encoded(account.username)}"):
        return Role.NONE
    try:
        found = read(session, organisation)
    except (NotFound, Forbidden):
        return Role.NONE
    by_role = sorted((name for name in found if name in ROLE_OF), key=lambda name: -ROLE_OF[name])
    return next((ROLE_OF[name] for name in by_role if _is_in(session, found[name], account)), Role.NONE)


def set_role(session: Session, organisation: str, account: Account, role: Role) -> bool:
    """Put the account into the team of its role and out of the others; True if something was changed.

    Who owns the organisation has more than any role, and keeps it unless the role is NONE.
    """
    found = ensure(session, organisation)
    inside = {name for name, team in found.items() if name in ROLE_OF and _is_in(session, team, account)}
    if role is not Role.NONE and OWNERS in inside:
        return False
    wanted = {TEAM_OF[role]} if role is not Role.NONE else set()
    if wanted - found.keys():
        found = ensure(session, organisation, wanted)
    # In first, out afterwards: who changes teams is never without any.
    for name in wanted - inside:
        session.change("put", _member(found[name], account))
        if not _is_in(session, found[name], account):
            raise UnexpectedAnswer(
                f"{account.username} was only invited to the team {name} of {organisation}.",
                hint="The forge adds members by invitation (ADD_MEMBERS_BY_INVITATIONS): they have to accept it.",
            )
    for name in inside - wanted:
        with suppress(NotFound):
            session.change("delete", _member(found[name], account))
    return inside != wanted


def _team(raw: dict[str, Any]) -> Team:
    units = raw.get("units_map") or {}
    return Team(
        number(raw["id"]),
        text(raw["name"]),
        units.get("repo.code", raw["permission"]),
        raw["includes_all_repositories"] is True,
    )


def _body(name: str) -> dict[str, object]:
    permission = _PERMISSION_OF[name]
    return {
        "name": name,
        "permission": permission,
        "includes_all_repositories": True,
        "can_create_org_repo": name == INSTRUCTORS,
        "units_map": {"repo.code": permission, "repo.issues": permission},
        # Since Gitea 1.27 teams are hidden from other teams: staff must see the staff.
        "visibility": "limited",
    }


def _is_in(session: Session, team: Team, account: Account) -> bool:
    return session.exists(_member(team, account))


def _member(team: Team, account: Account) -> str:
    return f"/teams/{team.id}/members/{encoded(account.username)}"
