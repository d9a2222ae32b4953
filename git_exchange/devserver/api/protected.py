"""Protected branches and tags, as the Free tier has them.

https://docs.gitlab.com/api/protected_branches/ and https://docs.gitlab.com/api/protected_tags/
"""

from __future__ import annotations

from git_exchange.devserver import access
from git_exchange.devserver.api import entities
from git_exchange.devserver.api.answers import Answer, Call, forbidden, message, not_found
from git_exchange.devserver.api.defaults import JSON
from git_exchange.devserver.api.routes import Routes
from git_exchange.devserver.values import ProtectedBranch, ProtectedTag

routes = Routes()


def branch_rule(rule: ProtectedBranch) -> JSON:
    """Return a branch rule as JSON."""
    return {
        "id": rule.id,
        "name": rule.name,
        "push_access_levels": entities.access_levels(rule.push_level, rule.id),
        "merge_access_levels": entities.access_levels(rule.merge_level, rule.id),
        "allow_force_push": rule.allow_force_push,
    }


def tag_rule(rule: ProtectedTag) -> JSON:
    """Return a tag rule as JSON."""
    return {"name": rule.name, "create_access_levels": entities.access_levels(rule.create_level, 1)}


@routes.add("GET", "/projects/:id/protected_branches")
def branch_rules(call: Call) -> Answer:
    """List branch rules."""
    project = call.project(access.MAINTAINER)
    rules = call.site.store.protection.branches(project.id)
    if search := call.parameters.text("search"):
        rules = [rule for rule in rules if search.lower() in rule.name.lower()]
    part, headers = call.page(rules)
    return Answer([branch_rule(rule) for rule in part], headers=headers)


@routes.add("GET", "/projects/:id/protected_branches/:name")
def one_branch_rule(call: Call) -> Answer:
    """Answer the rule of exactly this name."""
    return Answer(branch_rule(_branch_rule(call)))


@routes.add("POST", "/projects/:id/protected_branches")
def protect_branch(call: Call) -> Answer:
    """Protect a branch or wildcard."""
    project, given = call.project(access.MAINTAINER), call.parameters
    name = given.required("name")
    push = given.level("push_access_level", access.RULE_LEVELS)
    merge = given.level("merge_access_level", access.RULE_LEVELS)
    unprotect = given.level("unprotect_access_level", access.RULE_LEVELS[1:])
    if call.site.store.protection.branch(project.id, name):
        raise message(409, f"Protected branch '{name}' already exists")
    rule = call.site.store.protection.set_branch(
        project.id,
        name,
        push=access.MAINTAINER if push is None else push,
        merge=access.MAINTAINER if merge is None else merge,
        unprotect=access.MAINTAINER if unprotect is None else unprotect,
        allow_force_push=given.boolean("allow_force_push"),
    )
    return Answer(branch_rule(rule), 201)


@routes.add("PATCH", "/projects/:id/protected_branches/:name")
def change_branch_rule(call: Call) -> Answer:
    """Change whether a push may be forced; levels cannot be changed on the Free tier."""
    rule = _branch_rule(call)
    changed = call.site.store.protection.set_branch(
        rule.project_id,
        rule.name,
        push=rule.push_level,
        merge=rule.merge_level,
        unprotect=rule.unprotect_level,
        allow_force_push=call.parameters.boolean("allow_force_push", rule.allow_force_push),
    )
    return Answer(branch_rule(changed))


@routes.add("DELETE", "/projects/:id/protected_branches/:name")
def unprotect_branch(call: Call) -> Answer:
    """Remove a rule."""
    rule = _branch_rule(call)
    level = call.viewer.project_level(call.project())
    if not call.viewer.is_admin and not access.allows(rule.unprotect_level, level, is_admin=False):
        raise forbidden()
    call.site.store.protection.remove_branch(rule.project_id, rule.name)
    return Answer(None, 204)


@routes.add("GET", "/projects/:id/protected_tags")
def tag_rules(call: Call) -> Answer:
    """List tag rules."""
    project = call.project(access.MAINTAINER)
    part, headers = call.page(call.site.store.protection.tags(project.id))
    return Answer([tag_rule(rule) for rule in part], headers=headers)


@routes.add("GET", "/projects/:id/protected_tags/:name")
def one_tag_rule(call: Call) -> Answer:
    """Answer the tag rule of exactly this name."""
    return Answer(tag_rule(_tag_rule(call)))


@routes.add("POST", "/projects/:id/protected_tags")
def protect_tag(call: Call) -> Answer:
    """Protect a tag or wildcard. GitLab answers 422, not 409, if it is protected already."""
    project, given = call.project(access.MAINTAINER), call.parameters
    name = given.required("name")
    level = given.level("create_access_level", access.RULE_LEVELS)
    if any(rule.name == name for rule in call.site.store.protection.tags(project.id)):
        raise message(422, ["Name has already been taken"])
    rule = call.site.store.protection.add_tag(project.id, name, access.MAINTAINER if level is None else level)
    return Answer(tag_rule(rule), 201)


@routes.add("DELETE", "/projects/:id/protected_tags/:name")
def unprotect_tag(call: Call) -> Answer:
    """Remove a tag rule."""
    rule = _tag_rule(call)
    call.site.store.protection.remove_tag(rule.project_id, rule.name)
    return Answer(None, 204)


def _branch_rule(call: Call) -> ProtectedBranch:
    rule = call.site.store.protection.branch(call.project(access.MAINTAINER).id, call.arguments["name"])
    if rule is None:
        raise not_found()
    return rule


def _tag_rule(call: Call) -> ProtectedTag:
    for rule in call.site.store.protection.tags(call.project(access.MAINTAINER).id):
        if rule.name == call.arguments["name"]:
            return rule
    raise not_found()
