"""Groups and projects: how they are found, listed, and made or brought to what a course needs.

https://docs.gitlab.com/api/projects/ and https://docs.gitlab.com/api/groups/
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from git_exchange.errors import Conflict, NotFound
from git_exchange.forge.answers import number
from git_exchange.forge.gitlab import values
from git_exchange.forge.gitlab.session import Session
from git_exchange.forge.http import encoded
from git_exchange.forge.ports import Group, Project, Visibility

# Everything that is not git is off. A server that does not know one of these ignores it.
FEATURES_OFF: Mapping[str, object] = {
    "merge_requests_access_level": "disabled",
    "forking_access_level": "disabled",
    "builds_access_level": "disabled",
    "wiki_access_level": "disabled",
    "snippets_access_level": "disabled",
    "pages_access_level": "disabled",
    "container_registry_access_level": "disabled",
    "package_registry_access_level": "disabled",
    "releases_access_level": "disabled",
    "environments_access_level": "disabled",
    "feature_flags_access_level": "disabled",
    "infrastructure_access_level": "disabled",
    "monitor_access_level": "disabled",
    "model_experiments_access_level": "disabled",
    "model_registry_access_level": "disabled",
    "analytics_access_level": "disabled",
    "security_and_compliance_access_level": "disabled",
    "lfs_enabled": False,
    "auto_devops_enabled": False,
    "shared_runners_enabled": False,
    "request_access_enabled": False,
}
# What may not be asked back: some of it is absent from answers, or computed from other settings.
GROUP_SETTINGS: Mapping[str, object] = {
    "request_access_enabled": False,
    "share_with_group_lock": True,
    "project_creation_level": "maintainer",
    "subgroup_creation_level": "owner",
    "auto_devops_enabled": False,
    # The rule that GitLab makes for a default branch, a moment after the project, must not let Developers push.
    "default_branch_protection_defaults": {
        "allowed_to_push": [{"access_level": values.MAINTAINER}],
        "allowed_to_merge": [{"access_level": values.MAINTAINER}],
        "allow_force_push": False,
        "developer_can_initial_push": False,
    },
}


def find_group(session: Session, full_path: str) -> Group:
    """Return the group. Raise NotFound."""
    try:
        return session.get(f"/groups/{encoded(full_path)}", values.group, with_projects=False)
    except NotFound as error:
        raise NotFound(f"There is no group {full_path!r} on {session.url} that this account can see.") from error


def find_project(session: Session, full_path: str) -> Project:
    """Return the project. Raise NotFound."""
    return values.project(_raw_project(session, full_path))


def list_projects(session: Session, path: str, **query: object) -> list[Project]:
    """Return the projects of the list at ``path``, archived ones too, in the order of their numbers.

    ``simple`` spares the server much work, but leaves out what is archived, and ``visibility`` in older versions.
    """
    query |= {"order_by": "id", "sort": "asc"}
    found = session.all(path, _with_id, simple=True, **query)
    if any("visibility" not in raw for raw in found):
        return session.all(path, values.project, **query)
    archived = {raw["id"] for raw in session.all(path, _with_id, simple=True, archived=True, **query)} if found else ()
    # A project that changes its place between two pages can come twice.
    projects = {
        raw["id"]: session.understood(partial(values.project, archived=raw["id"] in archived), raw, path)
        for raw in found
    }
    return list(projects.values())


def ensure_group(
    session: Session, parent: str, path: str, *, name: str, description: str, visibility: Visibility
) -> Group:
    """Return the group ``parent/path``, made or brought to this description and visibility.

    Its name and its other settings are only set when it is made: people may change them.
    """
    full_path = f"{parent}/{path}".strip("/")
    wanted = {"description": description, "visibility": values.LEVEL_OF_VISIBILITY[visibility]}
    try:
        found = find_group(session, full_path)
    except NotFound:
        body: dict[str, object] = {"name": name, "path": path, **wanted, **GROUP_SETTINGS}
        if parent:
            body["parent_id"] = find_group(session, parent).id
        try:
            return session.post("/groups", body, values.group)
        except Conflict as error:
            found = _made_meanwhile(error, partial(find_group, session, full_path))
    if (found.description, found.visibility) == (description, visibility):
        return found
    return session.put(f"/groups/{encoded(found.id)}", wanted, values.group)


def ensure_project(
    session: Session, group: Group, path: str, *, description: str, visibility: Visibility, issues: bool
) -> Project:
    """Return the project, made with a first commit and with every feature off but git (and issues)."""
    full_path = f"{group.full_path}/{path}"
    wanted: dict[str, object] = {
        "description": description,
        "visibility": values.LEVEL_OF_VISIBILITY[visibility],
        "issues_access_level": "private" if issues else "disabled",
        **FEATURES_OFF,
    }
    try:
        raw = _raw_project(session, full_path)
    except NotFound:
        # In an empty repository the first branch that is pushed would become the default branch.
        body = {"name": path, "path": path, "namespace_id": group.id, "initialize_with_readme": True, **wanted}
        try:
            return session.post("/projects", body, values.project)
        except Conflict as error:
            raw = _made_meanwhile(error, partial(_raw_project, session, full_path))
    different = {key: value for key, value in wanted.items() if key in raw and (raw[key] or "") != (value or "")}
    if not different:
        return values.project(raw)
    return session.put(f"/projects/{encoded(raw['id'])}", different, values.project)


def _made_meanwhile(error: Conflict, find: Any) -> Any:
    """Return what another program made between our look and our request. Raise the conflict if it cannot be seen."""
    try:
        return find()
    except NotFound:
        raise Conflict(
            error.message, hint="The name is taken by something that this account cannot see, or that is being deleted."
        ) from error


def _raw_project(session: Session, full_path: str) -> dict[str, Any]:
    def checked(raw: dict[str, Any]) -> dict[str, Any]:
        values.project(raw)
        return raw

    try:
        return session.get(f"/projects/{encoded(full_path)}", checked)
    except NotFound as error:
        raise NotFound(f"There is no project {full_path!r} on {session.url} that this account can see.") from error


def _with_id(raw: dict[str, Any]) -> dict[str, Any]:
    number(raw["id"])
    return raw
