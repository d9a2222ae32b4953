"""Branches and tags: https://docs.gitlab.com/api/branches/, https://docs.gitlab.com/api/tags/."""

from __future__ import annotations

import re
from collections.abc import Sequence

from git_exchange.devserver import access
from git_exchange.devserver.access import Change
from git_exchange.devserver.api import entities
from git_exchange.devserver.api.answers import Answer, Call, forbidden, invalid, message, not_found
from git_exchange.devserver.api.commits import commit
from git_exchange.devserver.api.defaults import JSON
from git_exchange.devserver.api.routes import Routes
from git_exchange.devserver.history import Commit, Ref
from git_exchange.devserver.pushes import RefUpdate, record
from git_exchange.devserver.repositories import GitFailedError
from git_exchange.devserver.values import Project

ZERO = "0" * 40

routes = Routes()


@routes.add("GET", "/projects/:id/repository/branches", "read_repository")
async def branches(call: Call) -> Answer:
    """List branches by name, with their commits."""
    project = call.project_with_code()
    refs = _searched(call, await call.site.history(project).refs(access.BRANCHES))
    if pattern := call.parameters.text("regex"):
        try:
            expression = re.compile(pattern)
        except re.error:
            raise invalid("regex is an invalid regexp") from None
        refs = [ref for ref in refs if expression.search(ref.name)]
    part, headers = call.page(refs)
    return Answer(await _branches(call, project, part), headers=headers)


@routes.add("GET", "/projects/:id/repository/branches/:branch", "read_repository")
async def one_branch(call: Call) -> Answer:
    """Answer a branch."""
    project, ref = _branch(call)
    return Answer((await _branches(call, project, [ref]))[0])


@routes.add("POST", "/projects/:id/repository/branches")
async def create_branch(call: Call) -> Answer:
    """Create a branch at a commit that is there already."""
    project = call.project_with_code()
    name, start = call.parameters.required("branch"), call.parameters.required("ref")
    _check_pushable(call, project)
    refusal = call.viewer.push_table(project).refusal(Change(ZERO, "1" * 40, access.BRANCHES + name))
    if refusal == access.CREATE_NOT_BY_WEB:
        refusal = None  # this is the web's way
    if refusal:
        raise message(400, refusal)
    repositories = call.site.repositories
    if repositories.head(project.storage, access.BRANCHES + name):
        raise message(400, "Branch already exists")
    target = await repositories.commit(project.storage, start)
    if target is None:
        raise message(400, f"Invalid reference name: {start}")
    try:
        await repositories.run(project.storage, "check-ref-format", "--branch", name)
        await repositories.run(project.storage, "update-ref", access.BRANCHES + name, target, "")
    except GitFailedError:
        raise message(400, "Branch name is invalid") from None
    await record(call.site, project, call.user, [RefUpdate(ZERO, target, access.BRANCHES + name)])
    return Answer((await _branches(call, project, [Ref(name, target)]))[0], 201)


@routes.add("DELETE", "/projects/:id/repository/branches/:branch")
async def delete_branch(call: Call) -> Answer:
    """Delete a branch; a protected one needs a Maintainer, the default one stays."""
    project, ref = _branch(call)
    _check_pushable(call, project)
    refusal = call.viewer.push_table(project).refusal(Change(ref.commit, ZERO, access.BRANCHES + ref.name))
    if refusal == access.DELETE_NOT_BY_WEB:
        refusal = None  # this is the web's way
    if refusal:
        raise message(400, refusal)
    await call.site.repositories.run(project.storage, "update-ref", "-d", access.BRANCHES + ref.name, ref.commit)
    await record(call.site, project, call.user, [RefUpdate(ref.commit, ZERO, access.BRANCHES + ref.name)])
    return Answer(None, 204)


@routes.add("GET", "/projects/:id/repository/tags", "read_repository")
async def tags(call: Call) -> Answer:
    """List tags."""
    project = call.project_with_code()
    refs = _searched(call, await call.site.history(project).refs(access.TAGS))
    refs.sort(key=lambda ref: ref.name, reverse=call.parameters.choice("sort", ("asc", "desc"), "desc") == "desc")
    part, headers = call.page(refs)
    return Answer(await _tags(call, project, part), headers=headers)


@routes.add("GET", "/projects/:id/repository/tags/:tag", "read_repository")
async def one_tag(call: Call) -> Answer:
    """Answer a tag."""
    project = call.project_with_code()
    return Answer((await _tags(call, project, [await _tag(call, project)]))[0])


@routes.add("POST", "/projects/:id/repository/tags")
async def create_tag(call: Call) -> Answer:
    """Create a tag, annotated if a message is given."""
    project = call.project_with_code()
    name, start = call.parameters.required("tag_name"), call.parameters.required("ref")
    _check_pushable(call, project)
    if refusal := call.viewer.push_table(project).refusal(Change(ZERO, "1" * 40, access.TAGS + name)):
        raise message(403 if refusal == access.TAG_PROTECTED else 400, refusal)
    repositories, user = call.site.repositories, call.user
    target = await repositories.commit(project.storage, start)
    if target is None:
        raise message(400, f"Target {start} is invalid")
    text = call.parameters.text("message")
    identity = ("-c", f"user.name={user.name}", "-c", f"user.email={user.email}")
    annotated = ("-a", "-m", text) if text else ("--no-sign",)
    try:
        await repositories.run(project.storage, *identity, "tag", *annotated, "--end-of-options", name, target)
    except GitFailedError as error:
        if "already exists" in str(error):
            raise message(400, f"Tag {name} already exists") from None
        raise message(400, "Tag name invalid") from None
    tag = await _tag(call, project, name)
    await record(call.site, project, user, [RefUpdate(ZERO, tag.annotated or target, access.TAGS + name)])
    return Answer((await _tags(call, project, [tag]))[0], 201)


@routes.add("DELETE", "/projects/:id/repository/tags/:tag")
async def delete_tag(call: Call) -> Answer:
    """Delete a tag; a protected one needs a Maintainer."""
    project = call.project_with_code()
    _check_pushable(call, project)
    tag = await _tag(call, project)
    old = tag.annotated or tag.commit
    refusal = call.viewer.push_table(project).refusal(Change(old, ZERO, access.TAGS + tag.name))
    if refusal and refusal != access.TAG_DELETE_NOT_BY_WEB:
        raise message(403, refusal)
    await call.site.repositories.run(project.storage, "update-ref", "-d", access.TAGS + tag.name, old)
    await record(call.site, project, call.user, [RefUpdate(old, ZERO, access.TAGS + tag.name)])
    return Answer(None, 204)


def _check_pushable(call: Call, project: Project) -> None:
    if project.archived or not call.viewer.can(project, access.DEVELOPER):
        raise forbidden()


def _branch(call: Call) -> tuple[Project, Ref]:
    project = call.project_with_code()
    name = call.arguments["branch"]
    head = None if ".." in name else call.site.repositories.head(project.storage, access.BRANCHES + name)
    if head is None:
        raise not_found("Branch")
    return project, Ref(name, head)


async def _tag(call: Call, project: Project, name: str | None = None) -> Ref:
    wanted = name or call.arguments["tag"]
    for ref in await call.site.history(project).refs(access.TAGS):
        if ref.name == wanted:
            return ref
    raise not_found("Tag")


def _searched(call: Call, refs: list[Ref]) -> list[Ref]:
    """Filter as GitLab does: ``^`` means the start, ``$`` the end, case is ignored."""
    search = (call.parameters.text("search") or "").lower()
    if not search:
        return refs
    if search.startswith("^") and search.endswith("$"):
        return [ref for ref in refs if ref.name.lower() == search[1:-1]]
    if search.startswith("^"):
        return [ref for ref in refs if ref.name.lower().startswith(search[1:])]
    if search.endswith("$"):
        return [ref for ref in refs if ref.name.lower().endswith(search[:-1])]
    return [ref for ref in refs if search in ref.name.lower()]


async def _branches(call: Call, project: Project, refs: Sequence[Ref]) -> list[JSON]:
    found = await call.site.history(project).commits([ref.commit for ref in refs])
    rules = call.site.store.protection.branch_rules(project.id)
    return [_shown(call, project, ref, found[ref.commit], rules) for ref in refs if ref.commit in found]


def _shown(call: Call, project: Project, ref: Ref, head: Commit, rules: tuple[access.BranchRule, ...]) -> JSON:
    matching = access.branch_rules_for(ref.name, rules)
    level = call.viewer.project_level(project)
    return {
        "name": ref.name,
        "commit": commit(call.site, project, head),
        "merged": False,
        "protected": bool(matching),
        "developers_can_push": any(rule.push == access.DEVELOPER for rule in matching),
        "developers_can_merge": any(rule.merge == access.DEVELOPER for rule in matching),
        "can_push": access.can_push(ref.name, rules, level, is_admin=call.viewer.is_admin) and not project.archived,
        "default": ref.name == project.default_branch,
        "web_url": f"{call.site.url}/{project.full_path}/-/tree/{entities.quoted(ref.name)}",
    }


async def _tags(call: Call, project: Project, refs: Sequence[Ref]) -> list[JSON]:
    found = await call.site.history(project).commits([ref.commit for ref in refs])
    rules = call.site.store.protection.tag_rules(project.id)
    return [
        {
            "name": ref.name,
            "message": ref.message,
            "target": ref.annotated or ref.commit,
            "commit": commit(call.site, project, found[ref.commit]),
            "release": None,
            "protected": any(access.matches(rule.pattern, ref.name) for rule in rules),
            "created_at": None,
        }
        for ref in refs
        if ref.commit in found
    ]
