"""Filters and order of project lists, common to /projects and /groups/:id/projects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from git_exchange.devserver import access
from git_exchange.devserver.api import entities
from git_exchange.devserver.api.answers import Call
from git_exchange.devserver.api.defaults import JSON
from git_exchange.devserver.values import Project

ORDERS: dict[str, Callable[[Project], Any]] = {
    "id": lambda project: project.id,
    "name": lambda project: project.name.lower(),
    "path": lambda project: project.path.lower(),
    "created_at": lambda project: project.created_at,
    "updated_at": lambda project: project.last_activity_at,
    "last_activity_at": lambda project: project.last_activity_at,
    "similarity": lambda project: project.name.lower(),
    "star_count": lambda project: 0,
}


def select_projects(call: Call, projects: Sequence[Project]) -> list[Project]:
    """Return those of ``projects`` that are seen and asked for, in the order asked for."""
    given, viewer = call.parameters, call.viewer
    found = [project for project in projects if viewer.sees_project(project)]
    if given.text("archived"):
        archived = given.boolean("archived")
        found = [project for project in found if project.archived == archived]
    if given.has("visibility"):
        visibility = given.choice("visibility", tuple(access.VISIBILITY_LEVELS), "private")
        found = [project for project in found if project.visibility == visibility]
    if search := given.text("search"):
        found = [project for project in found if _matches(project, search, given.boolean("search_namespaces"))]
    if (level := given.level("min_access_level", access.MEMBER_LEVELS)) is not None:
        found = [project for project in found if viewer.project_level(project) >= level]
    if given.boolean("owned"):
        found = [project for project in found if viewer.project_level(project) >= access.OWNER]
    order = given.choice("order_by", tuple(ORDERS), "created_at")
    key = ORDERS[order]
    found.sort(key=lambda project: (key(project), project.id), reverse=is_descending(call))
    return found


def is_descending(call: Call) -> bool:
    """Return whether the newest or last comes first, which is the default."""
    return call.parameters.choice("sort", ("asc", "desc"), "desc") == "desc"


def present_projects(call: Call, projects: Sequence[Project], *, simple: bool) -> list[JSON]:
    """Return the JSON of projects."""
    homes = {number: call.site.store.namespaces.get(number) for number in {one.namespace_id for one in projects}}
    if simple:
        return [
            entities.project_simple(call.site, one, homes[one.namespace_id], code=call.viewer.reads_code(one))
            for one in projects
        ]
    return [entities.project(call.site, one, homes[one.namespace_id], call.viewer) for one in projects]


def _matches(project: Project, search: str, with_namespaces: bool) -> bool:
    texts = [project.name, project.path, project.description or ""]
    if with_namespaces:
        texts.append(project.full_path)
    return all(any(word in text.lower() for text in texts) for word in search.lower().split())
