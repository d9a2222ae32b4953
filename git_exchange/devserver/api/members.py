"""Members of groups and projects: https://docs.gitlab.com/api/project_members/."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from git_exchange.devserver import access
from git_exchange.devserver.api import entities
from git_exchange.devserver.api.answers import Answer, Call, forbidden, invalid, message, not_found
from git_exchange.devserver.api.routes import Routes
from git_exchange.devserver.values import Member, User

routes = Routes()


@dataclass(frozen=True)
class Source:
    """The group or project whose members are meant, and the level of who asks."""

    kind: str
    id: int
    namespace_id: int
    level: int


def source_of(call: Call, *, manage: bool = False) -> Source:
    """Return what the path names; ``manage`` asks for the right to change members."""
    if call.path.startswith("/api/v4/groups/"):
        group = call.group(access.OWNER if manage else 0)
        level = call.viewer.namespace_level(group.id)
        source = Source("group", group.id, group.id, level)
    else:
        project = call.project(access.MAINTAINER if manage else 0)
        source = Source("project", project.id, project.namespace_id, call.viewer.project_level(project))
    _ = call.user
    return Source(source.kind, source.id, source.namespace_id, access.ADMIN if call.user.is_admin else source.level)


def _all(call: Call, source: Source) -> dict[int, Member]:
    """Return everybody with the membership that counts: the highest level, the nearest of equals."""
    store = call.site.store
    found: dict[int, Member] = {}
    levels = [("project", source.id)] if source.kind == "project" else []
    home = store.namespaces.get(source.namespace_id)
    levels += [("group", one.id) for one in store.namespaces.ancestors(home)]
    for kind, number in levels:
        for member in store.members.of(kind, number):
            known = found.get(member.user_id)
            if known is None or member.level > known.level:
                found[member.user_id] = member
    return found


def _inherited(call: Call, source: Source, user_id: int) -> Member | None:
    found = _all(call, source).get(user_id)
    direct = found is not None and (found.source, found.source_id) == (source.kind, source.id)
    if not direct:
        return found
    store = call.site.store
    home = store.namespaces.get(source.namespace_id)
    above = store.namespaces.ancestors(home)[0 if source.kind == "project" else 1 :]
    members = [member for one in above if (member := store.members.find("group", one.id, user_id))]
    return max(members, key=lambda member: member.level, default=None)


def _listed(call: Call, members: list[Member]) -> Answer:
    accounts = call.site.store.accounts
    people = [(member, accounts.get(member.user_id)) for member in sorted(members, key=lambda one: one.user_id)]
    if query := call.parameters.text("query"):
        wanted = query.lower()
        people = [
            (member, user) for member, user in people if wanted in user.username.lower() or wanted in user.name.lower()
        ]
    if ids := call.parameters.texts("user_ids"):
        people = [(member, user) for member, user in people if str(user.id) in ids]
    part, headers = call.page(people)
    return Answer([entities.member(call.site, member, user) for member, user in part], headers=headers)


def members(call: Call) -> Answer:
    """List direct members."""
    source = source_of(call)
    return _listed(call, call.site.store.members.of(source.kind, source.id))


def all_members(call: Call) -> Answer:
    """List direct and inherited members, everybody once."""
    return _listed(call, list(_all(call, source_of(call)).values()))


def one_of_all(call: Call) -> Answer:
    """Answer somebody's effective membership."""
    source, user = source_of(call), _user(call)
    member = _all(call, source).get(user.id)
    if member is None:
        raise not_found()
    return Answer(entities.member(call.site, member, user))


def one_member(call: Call) -> Answer:
    """Answer somebody's direct membership."""
    source, user = source_of(call), _user(call)
    member = call.site.store.members.find(source.kind, source.id, user.id)
    if member is None:
        raise not_found()
    return Answer(entities.member(call.site, member, user))


def add_member(call: Call) -> Answer:
    """Add one or, with commas, several people."""
    source = source_of(call, manage=True)
    level = given_level(call, source)
    expires = expiry(call)
    users = _named(call)
    for user in users:
        if call.site.store.members.find(source.kind, source.id, user.id):
            raise message(409, "Member already exists")
        check_inherited(call, source, user, level)
    with call.site.store.database.transaction():
        added = [
            call.site.store.members.set(source.kind, source.id, user.id, level, by=call.user.id, expires_at=expires)
            for user in users
        ]
    if len(added) > 1:
        return Answer({"status": "success"}, 201)
    return Answer(entities.member(call.site, added[0], users[0]), 201)


def change_member(call: Call) -> Answer:
    """Change somebody's direct membership."""
    source, user = source_of(call, manage=True), _user(call)
    member = call.site.store.members.find(source.kind, source.id, user.id)
    if member is None:
        raise not_found()
    level = given_level(call, source)
    if member.level > source.level:
        raise forbidden()
    check_inherited(call, source, user, level)
    expires = expiry(call) if "expires_at" in call.parameters.values else member.expires_at
    changed = call.site.store.members.set(source.kind, source.id, user.id, level, by=call.user.id, expires_at=expires)
    return Answer(entities.member(call.site, changed, user))


def remove_member(call: Call) -> Answer:
    """Remove a direct membership; everybody may leave."""
    user = _user(call)
    source = source_of(call, manage=user.id != call.user.id)
    member = call.site.store.members.find(source.kind, source.id, user.id)
    if member is None:
        raise not_found()
    if member.level > source.level:
        raise forbidden()
    if source.kind == "group" and member.level == access.OWNER:
        owners = [one for one in call.site.store.members.of("group", source.id) if one.level == access.OWNER]
        if len(owners) == 1 and call.site.store.namespaces.get(source.id).parent_id is None:
            raise forbidden()
    call.site.store.members.remove(source.kind, source.id, user.id)
    return Answer(None, 204)


for place in ("groups", "projects"):
    routes.add("GET", f"/{place}/:id/members")(members)
    routes.add("GET", f"/{place}/:id/members/all")(all_members)
    routes.add("GET", f"/{place}/:id/members/all/:user_id")(one_of_all)
    routes.add("GET", f"/{place}/:id/members/:user_id")(one_member)
    routes.add("POST", f"/{place}/:id/members")(add_member)
    routes.add("PUT", f"/{place}/:id/members/:user_id")(change_member)
    routes.add("DELETE", f"/{place}/:id/members/:user_id")(remove_member)


def given_level(call: Call, source: Source) -> int:
    """Return the level that is asked for. Raise 403 if it is above that of who asks."""
    if call.parameters.text("access_level") is None:
        raise invalid("access_level is missing")
    level = call.parameters.level("access_level", access.MEMBER_LEVELS)
    if level is None:
        raise invalid("access_level is empty")
    if level > source.level:
        raise forbidden()
    return level


def expiry(call: Call) -> date | None:
    """Return the last day that is asked for, None without one."""
    expires = call.parameters.day("expires_at")
    if expires is not None and expires <= call.site.clock.now().date():
        raise message(400, {"expires_at": ["cannot be a date in the past"]})
    return expires


def check_inherited(call: Call, source: Source, user: User, level: int) -> None:
    """Raise 400 if the person has a higher level by a group."""
    inherited = _inherited(call, source, user.id)
    if inherited is not None and inherited.level > level:
        group = call.site.store.namespaces.get(inherited.source_id)
        names = {10: "Guest", 20: "Reporter", 30: "Developer", 40: "Maintainer", 50: "Owner"}
        what = names.get(inherited.level, str(inherited.level))
        text = f"should be greater than or equal to {what} inherited membership from group {group.name}"
        raise message(400, {"access_level": [text]})


def _named(call: Call) -> list[User]:
    accounts, given = call.site.store.accounts, call.parameters
    if given.has("user_id") == given.has("username"):
        word = "mutually exclusive" if given.has("user_id") else "missing, exactly one parameter must be provided"
        raise invalid(f"user_id, username are {word}")
    found = [accounts.find(int(one)) if one.isdecimal() else None for one in given.texts("user_id")] + [
        accounts.find_by_username(one) for one in given.texts("username")
    ]
    users = [user for user in found if user is not None]
    if not users or len(users) != len(found):
        raise not_found("User")
    return users


def _user(call: Call) -> User:
    key = call.arguments["user_id"]
    user = call.site.store.accounts.find(int(key)) if key.isdecimal() else None
    if user is None:
        raise not_found("User" if key.isdecimal() else "")
    return user
