"""Projects: https://docs.gitlab.com/api/projects/."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from git_exchange.devserver import access, names
from git_exchange.devserver.api import entities
from git_exchange.devserver.api.answers import Answer, Call, invalid, message, not_found, visibility_of
from git_exchange.devserver.api.defaults import JSON, PROJECT_DEFAULTS
from git_exchange.devserver.api.groups import CREATION_LEVELS
from git_exchange.devserver.api.listing import is_descending, present_projects, select_projects
from git_exchange.devserver.api.routes import Routes
from git_exchange.devserver.protection import protect_default_branch
from git_exchange.devserver.values import Namespace, Project

# What became unreachable more lately is left, as a push under way could need it.
PRUNED_AFTER = timedelta(minutes=30)

routes = Routes()


@routes.add("GET", "/projects")
def projects(call: Call) -> Answer:
    """List projects anywhere, by offset or, in order of id, by keyset."""
    given, viewer = call.parameters, call.viewer
    found = select_projects(call, call.site.store.projects.all())
    if given.boolean("membership"):
        found = [project for project in found if viewer.is_member(project)]
    if (after := given.moment("last_activity_after")) is not None:
        found = [project for project in found if project.last_activity_at > after]
    if (before := given.moment("last_activity_before")) is not None:
        found = [project for project in found if project.last_activity_at < before]
    if (above := given.integer("id_after")) is not None:
        found = [project for project in found if project.id > above]
    if (below := given.integer("id_before")) is not None:
        found = [project for project in found if project.id < below]
    if given.text("pagination") == "keyset":
        if given.text("order_by") != "id":
            raise message(405, "Keyset pagination is not yet available for this type of request")
        part, headers = call.keyset_page(found, descending=is_descending(call))
    else:
        part, headers = call.page(found)
    simple = given.boolean("simple") or viewer.user is None
    return Answer(present_projects(call, part, simple=simple), headers=headers)


@routes.add("POST", "/projects")
async def create_project(call: Call) -> Answer:
    """Create a project, with a first commit if it is asked for."""
    user, given, store = call.user, call.parameters, call.site.store
    name, path = given.text("name"), given.text("path")
    if not name and not path:
        raise invalid("name, path are missing, at least one parameter must be provided")
    path = path or names.path_from(name or "")
    name = name or path
    home = _home(call)
    visibility = visibility_of(given, "private")
    settings = _settings(call)
    with_readme = given.boolean("initialize_with_readme")
    branch = (given.text("default_branch") if with_readme else None) or "main"
    _check(call, None, home, path=path, name=name, visibility=visibility)
    storage = f"{home.full_path}/{path}.git"
    if store.projects.storage_taken(storage) or call.site.repositories.path(storage).exists():
        storage = f"{home.full_path}/{path}@{call.site.clock.now().timestamp():.3f}.git"
    with store.database.transaction():
        project = store.projects.create(
            home,
            path=path,
            name=name,
            description=given.text("description"),
            visibility=visibility,
            creator_id=user.id,
            storage=storage,
            settings=settings,
        )
        if call.viewer.namespace_level(home.id) < access.MAINTAINER:
            store.members.set("project", project.id, user.id, access.MAINTAINER, by=user.id, expires_at=None)
        elif home.kind == "user":
            store.members.set("project", project.id, user.id, access.OWNER, by=user.id, expires_at=None)
    try:
        await call.site.repositories.create(storage, branch)
        if with_readme:
            await call.site.repositories.write_first_commit(
                storage, branch, title=name, name=user.name, email=user.email
            )
            store.projects.set_default_branch(project.id, branch)
            protect_default_branch(store, project, branch)
    except BaseException:
        store.projects.delete(project)
        call.site.repositories.delete(storage)
        raise
    # The level that was just given is not in what this request has read before.
    viewer = type(call.viewer)(store, user, call.viewer.token)
    return Answer(entities.project(call.site, store.projects.get(project.id), home, viewer), 201)


@routes.add("GET", "/projects/:id")
def one_project(call: Call) -> Answer:
    """Answer a project."""
    project = call.project()
    shown = _shown(call, project)
    if call.parameters.boolean("statistics") and call.viewer.can(project, access.REPORTER):
        directory = call.site.repositories.path(project.storage)
        size = sum(path.stat().st_size for path in (directory / "objects").rglob("*") if path.is_file())
        shown["statistics"] = {"commit_count": 0, "storage_size": size, "repository_size": size, "lfs_objects_size": 0}
    return Answer(shown)


@routes.add("PUT", "/projects/:id")
async def change_project(call: Call) -> Answer:
    """Change a project's attributes."""
    project, given, store = call.project(access.MAINTAINER), call.parameters, call.site.store
    home = store.namespaces.get(project.namespace_id)
    name, path = given.text("name") or project.name, given.text("path") or project.path
    visibility = visibility_of(given, project.visibility)
    _check(call, project, home, path=path, name=name, visibility=visibility)
    branch = given.text("default_branch")
    if branch is not None and branch != project.default_branch:
        if call.site.repositories.head(project.storage, f"refs/heads/{branch}") is None:
            raise message(400, {"base": [f"Could not change HEAD: branch '{branch}' does not exist"]})
        await call.site.repositories.run(project.storage, "symbolic-ref", "HEAD", f"refs/heads/{branch}")
        store.projects.set_default_branch(project.id, branch)
    changed = store.projects.change(
        project,
        path=path,
        name=name,
        description=given.text("description") if "description" in given.values else project.description,
        visibility=visibility,
        settings={**project.settings, **_settings(call)},
    )
    return Answer(_shown(call, changed))


@routes.add("DELETE", "/projects/:id")
def delete_project(call: Call) -> Answer:
    """Delete a project, at once."""
    project = call.project(access.OWNER)
    call.site.store.projects.delete(project)
    call.site.repositories.delete(project.storage)
    return Answer({"message": "202 Accepted"}, 202)


@routes.add("POST", "/projects/:id/archive")
def archive(call: Call) -> Answer:
    """Make a project read-only."""
    return _archive(call, archived=True)


@routes.add("POST", "/projects/:id/unarchive")
def unarchive(call: Call) -> Answer:
    """Undo ``archive``."""
    return _archive(call, archived=False)


@routes.add("POST", "/projects/:id/housekeeping")
async def housekeeping(call: Call) -> Answer:
    """Prune what has been unreachable for half an hour (``task`` prune), or do nothing much (eager).

    GitLab does it in the background; here it is done when the answer comes.
    """
    project = call.project(access.OWNER)
    if call.parameters.choice("task", ("eager", "prune"), "eager") == "prune":
        before = call.site.clock.now() - PRUNED_AFTER
        await call.site.repositories.prune(project.storage, before)
    return Answer(None, 201)


def _archive(call: Call, *, archived: bool) -> Answer:
    project = call.project(access.OWNER)
    call.site.store.projects.set_archived(project.id, archived)
    return Answer(_shown(call, call.site.store.projects.get(project.id)), 201)


def _shown(call: Call, project: Project) -> JSON:
    home = call.site.store.namespaces.get(project.namespace_id)
    return entities.project(call.site, project, home, call.viewer)


def _home(call: Call) -> Namespace:
    store, given = call.site.store, call.parameters
    if not given.has("namespace_id"):
        return store.namespaces.personal(call.user.id)
    home = store.namespaces.find(given.required("namespace_id"))
    if home is None or (home.kind == "group" and not call.viewer.sees_group(home)):
        raise not_found("Namespace")
    if home.kind == "user":
        allowed = home.owner_id == call.user.id or call.user.is_admin
    else:
        needed = CREATION_LEVELS[str(home.settings.get("project_creation_level", "developer"))]
        level = call.viewer.namespace_level(home.id)
        allowed = call.user.is_admin or (access.NO_ACCESS < needed <= level)
    if not allowed:
        raise message(400, {"namespace": ["is not valid"]})
    return home


def _settings(call: Call) -> dict[str, Any]:
    given = call.parameters
    found: dict[str, Any] = {}
    for name, default in PROJECT_DEFAULTS.items():
        if name not in given.values:
            continue
        if name == "topics":
            found[name] = given.texts(name)
        elif name.endswith("_access_level"):
            allowed = ("disabled", "private", "enabled", "public")
            found[name] = given.choice(name, allowed if name == "pages_access_level" else allowed[:3], "enabled")
        elif isinstance(default, bool):
            found[name] = given.boolean(name)
        else:
            found[name] = given.text(name)
    return found


def _check(call: Call, project: Project | None, home: Namespace, *, path: str, name: str, visibility: str) -> None:
    """Refuse what GitLab refuses, all problems at once."""
    problems: dict[str, list[str]] = {}
    if project is None or name != project.name:
        problems["name"] = names.name_problems(name)
    if project is None or path != project.path:
        problems["path"] = names.path_problems(path, kind="project")
    taken = call.site.store.projects.taken(home, path=path, name=name, but=project.id if project else 0)
    for what in taken:
        problems.setdefault(what, []).append("has already been taken")
    if "path" not in taken and call.site.store.namespaces.path_taken(f"{home.full_path}/{path}"):
        problems.setdefault("path", []).append("has already been taken")
    if access.VISIBILITY_LEVELS[visibility] > access.VISIBILITY_LEVELS[home.visibility]:
        problems["visibility_level"] = [f"{visibility} is not allowed in a {home.visibility} group."]
    problems = {what: each for what, each in problems.items() if each}
    if problems:
        raise message(400, problems)
