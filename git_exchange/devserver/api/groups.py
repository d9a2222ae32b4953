"""Groups: https://docs.gitlab.com/api/groups/."""

from __future__ import annotations

from typing import Any

from git_exchange.devserver import access, names
from git_exchange.devserver.api import entities
from git_exchange.devserver.api.answers import Answer, Call, forbidden, message, not_found, unauthorized, visibility_of
from git_exchange.devserver.api.defaults import GROUP_DEFAULTS
from git_exchange.devserver.api.listing import present_projects, select_projects
from git_exchange.devserver.api.routes import Routes
from git_exchange.devserver.values import Namespace

CREATION_LEVELS = {"noone": 0, "owner": 50, "maintainer": 40, "developer": 30, "administrator": 60}
EMBEDDED_PROJECTS = 100

routes = Routes()


@routes.add("GET", "/groups")
def groups(call: Call) -> Answer:
    """List the groups that somebody sees."""
    given = call.parameters
    found = [group for group in call.site.store.namespaces.groups() if call.viewer.sees_group(group)]
    if given.boolean("top_level_only"):
        found = [group for group in found if group.parent_id is None]
    return _listed(call, found)


@routes.add("POST", "/groups")
def create_group(call: Call) -> Answer:
    """Create a group or subgroup; who creates it becomes its Owner."""
    user, given, store = call.user, call.parameters, call.site.store
    name, path = given.required("name"), given.required("path")
    parent = None
    if given.has("parent_id"):
        parent = store.namespaces.find(str(given.integer("parent_id")))
        if parent is None or parent.kind != "group" or not call.viewer.sees_group(parent):
            raise not_found("Group")
        needed = CREATION_LEVELS[str(parent.settings.get("subgroup_creation_level", "maintainer"))]
        if not call.viewer.can_in_group(parent, needed):
            raise forbidden()
    visibility = visibility_of(given, parent.visibility if parent else "private")
    _check(call, None, parent, path=path, name=name, visibility=visibility)
    with store.database.transaction():
        group = store.namespaces.create(
            parent,
            path=path,
            name=name,
            visibility=visibility,
            description=given.text("description") or "",
            settings=_settings(call),
        )
        store.members.set("group", group.id, user.id, access.OWNER, by=user.id, expires_at=None)
    return Answer(entities.group(call.site, group), 201)


@routes.add("GET", "/groups/:id")
def one_group(call: Call) -> Answer:
    """Answer a group, with its first projects unless ``with_projects`` says no."""
    group = call.group()
    shown = entities.group(call.site, group) | {"shared_with_groups": [], "shared_projects": []}
    if call.parameters.boolean("with_projects", True):
        within = [one for one in call.site.store.projects.within([group.id]) if call.viewer.sees_project(one)]
        shown["projects"] = present_projects(call, within[:EMBEDDED_PROJECTS], simple=False)
    return Answer(shown)


@routes.add("PUT", "/groups/:id")
def change_group(call: Call) -> Answer:
    """Change a group's attributes."""
    group, given, store = call.group(access.OWNER), call.parameters, call.site.store
    path, name = given.text("path") or group.path, given.text("name") or group.name
    parent = None if group.parent_id is None else store.namespaces.get(group.parent_id)
    visibility = visibility_of(given, group.visibility)
    _check(call, group, parent, path=path, name=name, visibility=visibility)
    description = given.text("description")
    changed = store.namespaces.change(
        group,
        path=path,
        name=name,
        visibility=visibility,
        description=group.description if description is None else description,
        settings={**group.settings, **_settings(call)},
    )
    return Answer(entities.group(call.site, changed))


@routes.add("DELETE", "/groups/:id")
def delete_group(call: Call) -> Answer:
    """Delete a group with everything in it, at once."""
    group, store = call.group(access.OWNER), call.site.store
    below = [group, *store.namespaces.descendants(group)]
    projects = store.projects.within([one.id for one in below])
    with store.database.transaction():
        for project in projects:
            store.projects.delete(project)
        for one in below:
            store.members.remove_all("group", one.id)
        store.namespaces.delete(group)
    for project in projects:
        call.site.repositories.delete(project.storage)
    return Answer({"message": "202 Accepted"}, 202)


@routes.add("GET", "/groups/:id/subgroups")
def subgroups(call: Call) -> Answer:
    """List the groups directly below."""
    group = call.group()
    found = [one for one in call.site.store.namespaces.groups() if one.parent_id == group.id]
    return _listed(call, [one for one in found if call.viewer.sees_group(one)])


@routes.add("GET", "/groups/:id/descendant_groups")
def descendant_groups(call: Call) -> Answer:
    """List all groups below."""
    found = sorted(call.site.store.namespaces.descendants(call.group()), key=lambda one: (one.name.lower(), one.id))
    return _listed(call, [one for one in found if call.viewer.sees_group(one)])


@routes.add("GET", "/groups/:id/projects")
def group_projects(call: Call) -> Answer:
    """List a group's projects. There is no filter by time of activity here: GitLab has none."""
    group = call.group()
    within = [group.id]
    if call.parameters.boolean("include_subgroups"):
        within += [one.id for one in call.site.store.namespaces.descendants(group)]
    found = select_projects(call, call.site.store.projects.within(within))
    part, headers = call.page(found)
    simple = call.parameters.boolean("simple") or call.viewer.user is None
    return Answer(present_projects(call, part, simple=simple), headers=headers)


def _listed(call: Call, found: list[Namespace]) -> Answer:
    given = call.parameters
    if search := given.text("search"):
        found = [one for one in found if search.lower() in one.name.lower() or search.lower() in one.path.lower()]
    if (level := given.level("min_access_level", access.MEMBER_LEVELS)) is not None:
        found = [one for one in found if call.viewer.namespace_level(one.id) >= level]
    if given.boolean("owned"):
        found = [one for one in found if call.viewer.namespace_level(one.id) >= access.OWNER]
    keys: dict[str, Any] = {
        "name": lambda one: (one.name.lower(), one.id),
        "path": lambda one: (one.path.lower(), one.id),
        "id": lambda one: one.id,
        "similarity": lambda one: (one.name.lower(), one.id),
    }
    order = given.choice("order_by", tuple(keys), "name")
    descending = given.choice("sort", ("asc", "desc"), "asc") == "desc"
    part, headers = call.page(sorted(found, key=keys[order], reverse=descending))
    return Answer([entities.group(call.site, one) for one in part], headers=headers)


def _settings(call: Call) -> dict[str, Any]:
    given = call.parameters
    found: dict[str, Any] = {}
    for name, default in GROUP_DEFAULTS.items():
        if name not in given.values:
            continue
        if isinstance(default, bool) or name in ("auto_devops_enabled", "mentions_disabled"):
            found[name] = given.boolean(name)
        elif isinstance(default, int):
            found[name] = given.integer(name)
        elif name == "project_creation_level":
            found[name] = given.choice(name, tuple(CREATION_LEVELS), "developer")
        elif name == "subgroup_creation_level":
            found[name] = given.choice(name, ("owner", "maintainer"), "maintainer")
        else:
            found[name] = given.text(name)
    defaults = given.values.get("default_branch_protection_defaults")
    if isinstance(defaults, dict):
        found["default_branch_protection_defaults"] = defaults
    return found


def _check(
    call: Call, group: Namespace | None, parent: Namespace | None, *, path: str, name: str, visibility: str
) -> None:
    """Refuse what GitLab refuses, in the form in which it does."""
    if call.viewer.user is None:
        raise unauthorized()
    problems: dict[str, list[str]] = {}
    if group is None or path != group.path:
        full_path = f"{parent.full_path}/{path}" if parent else path
        other = call.site.store.namespaces.find(full_path) if not full_path.isdecimal() else None
        renamed = group is not None and other is not None and other.id == group.id
        if (other is not None and not renamed) or (parent and call.site.store.projects.find(full_path)):
            problems["path"] = ["has already been taken"]
        elif found := names.path_problems(path, kind="group", is_top=parent is None):
            problems["path"] = found
    if found := names.name_problems(name):
        problems["name"] = found
    if parent and access.VISIBILITY_LEVELS[visibility] > access.VISIBILITY_LEVELS[parent.visibility]:
        problems["visibility_level"] = [
            f"{visibility} is not allowed since the parent group has a {parent.visibility} visibility."
        ]
    if not problems:
        return
    if group is None:
        # GitLab prints Ruby's hash here.
        shown = ", ".join(f":{key}=>[" + ", ".join(f'"{one}"' for one in each) + "]" for key, each in problems.items())
        raise message(400, f"Failed to save group {{{shown}}}")
    raise message(400, problems)
