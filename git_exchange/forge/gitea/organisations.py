"""Groups: an organisation for each course, and namespaces, which are no objects on the server."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from git_exchange.errors import Conflict, Forbidden, NotFound, UnexpectedAnswer
from git_exchange.forge.gitea import repositories, teams, values
from git_exchange.forge.gitea.names import Names
from git_exchange.forge.gitea.session import Session
from git_exchange.forge.http import encoded
from git_exchange.forge.ports import Group, Visibility

MAX_DESCRIPTION = 255
MAX_FULL_NAME = 100


def find(session: Session, names: Names, full_path: str, account_id: Callable[[], int]) -> Group:
    """Return the group; for a path that only holds courses, a group without an organisation (number 0).

    A private organisation is hidden from students, who are no members of it: then what the server tells of it with
    their own projects is the answer. Raise NotFound.
    """
    if names.is_namespace(full_path):
        account_id()  # there is nothing to ask for, but an answer means that the token is good
        return Group(0, full_path, full_path.rpartition("/")[2], "", Visibility.PUBLIC, session.url)
    name = names.organisation(full_path)
    try:
        return _named(session, names, name)
    except (NotFound, Forbidden) as error:
        for raw in repositories.search(session, uid=account_id()):
            if str(raw["owner"].get("login", "")).lower() == name:
                return _group(session, names, raw["owner"])
        raise NotFound(
            f"There is no group {full_path!r} (organisation {name}) on {session.url} that this account can see."
        ) from error


def ensure(
    session: Session, names: Names, parent: str, path: str, *, name: str, description: str, visibility: Visibility
) -> Group:
    """Return the group with the course's teams, made or brought to this description and visibility.

    Its name is only set when it is made: people may change it. Raise Forbidden, Conflict, and NotFound for a
    parent that is neither the namespace nor a group.
    """
    full_path = f"{parent}/{path}".strip("/")
    if names.is_namespace(full_path):
        return Group(0, full_path, path, "", Visibility.PUBLIC, session.url)
    if parent and not names.is_namespace(parent):
        _named(session, names, names.organisation(parent))
    organisation = names.organisation(full_path)
    wanted: dict[str, object] = {"description": fitting(description), "visibility": values.WORD_OF[visibility]}
    body = {"username": organisation, "full_name": name[:MAX_FULL_NAME], **wanted}
    try:
        found = _named(session, names, organisation)
    except NotFound:
        try:
            found = session.post("/orgs", body, partial(values.group, names=names, url=session.url))
        except Conflict as error:
            found = _made_meanwhile(session, names, organisation, error)
    teams.ensure(session, organisation)
    if (found.description, found.visibility) == (wanted["description"], visibility):
        return found
    path = f"/orgs/{encoded(organisation)}"
    # Older servers empty what is not sent.
    kept = session.get(path, lambda raw: {key: raw.get(key) for key in ("full_name", "email", "website", "location")})
    return session.patch(path, {**kept, **wanted}, partial(values.group, names=names, url=session.url))


def may_create(session: Session) -> bool:
    """Return whether this account may make organisations. Asks for one with a reserved name, which is never made."""
    try:
        session.answer("post", "/orgs", body={"username": "api"})
    except Forbidden:
        return False
    except (UnexpectedAnswer, Conflict):
        return True
    return True


def fitting(description: str) -> str:
    """Return the description in the server's limit: its first line gives way, as ids stand on the others."""
    first, _, rest = description.partition("\n")
    over = len(description) - MAX_DESCRIPTION
    if over <= 0:
        return description
    return f"{first[: max(0, len(first) - over - 1)]}…\n{rest}" if rest else f"{first[: MAX_DESCRIPTION - 1]}…"


def _named(session: Session, names: Names, organisation: str) -> Group:
    def checked(raw: dict[str, Any]) -> Group:
        found = values.group(raw, names, session.url)
        if str(raw.get("name") or raw["username"]).lower() != organisation:
            raise NotFound(f"The organisation {organisation} was renamed.")
        return found

    return session.get(f"/orgs/{encoded(organisation)}", checked)


def _group(session: Session, names: Names, raw: dict[str, Any]) -> Group:
    return session.understood(partial(values.group, names=names, url=session.url), raw, "/repos/search")


def _made_meanwhile(session: Session, names: Names, organisation: str, error: Conflict) -> Group:
    try:
        return _named(session, names, organisation)
    except NotFound:
        raise Conflict(
            error.message, hint=f"The name {organisation} is taken by something that this account cannot see."
        ) from error
