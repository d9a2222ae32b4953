"""GraphQL: the small part of GitLab's schema that lists the heads of a group's projects in few requests.

https://docs.gitlab.com/api/graphql/reference/. Authorisation is that of REST: what is hidden is null.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from graphql import (
    ExecutionResult,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    build_schema,
    parse,
    validate,
)
from graphql import (
    execute as run,
)

from git_exchange.devserver.clock import written
from git_exchange.devserver.site import REVISION, VERSION, Site
from git_exchange.devserver.values import Namespace, Project
from git_exchange.devserver.viewer import Viewer

Info: TypeAlias = "GraphQLResolveInfo[Any]"

MOST_NODES = 100
LIMIT_SIGNED_IN = 250
LIMIT_ANONYMOUS = 200
LONGEST_QUERY = 10_000
REMEMBERED_COMMITS = 50_000

# What a field costs by itself: estimated so that queries whose cost in GitLab is known come out alike.
COSTS = {"repository": 11, "tree": 5, "lastCommit": 8, "commit": 13, "rootRef": 2}
CONNECTION_FACTOR = 2

SCHEMA = """
scalar Time
type Query {
  currentUser: CurrentUser
  group(fullPath: ID!): Group
  project(fullPath: ID!): Project
  metadata: Metadata
  queryComplexity: QueryComplexity
}
type Metadata { version: String! revision: String! }
type QueryComplexity { score: Int limit: Int }
type CurrentUser { id: ID! username: String! name: String! }
type PageInfo { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }
type ProjectConnection { pageInfo: PageInfo! nodes: [Project] count: Int! }
type Group {
  id: ID! name: String! path: String! fullPath: ID! fullName: String! visibility: String description: String
  projects(
    first: Int, after: String, includeSubgroups: Boolean = false, search: String, ids: [ID!]
  ): ProjectConnection!
}
type Project {
  id: ID! name: String! path: String! fullPath: ID! description: String visibility: String archived: Boolean
  createdAt: Time lastActivityAt: Time webUrl: String repository: Repository
}
type Repository {
  rootRef: String empty: Boolean! exists: Boolean!
  commit(ref: String!): Commit
  tree(path: String = "", ref: String): Tree
}
type Tree { lastCommit: Commit }
type Commit { id: ID! sha: String! shortId: String! }
"""


@dataclass(frozen=True)
class Context:
    """What resolvers need: who asks, and what the query costs."""

    site: Site
    viewer: Viewer
    score: int
    limit: int


_last_commits: dict[tuple[str, str], str | None] = {}


async def execute(
    site: Site, viewer: Viewer, query: str, variables: dict[str, Any] | None, operation: str | None
) -> dict[str, Any]:
    """Run a query and return GraphQL's answer as JSON."""
    if len(query) > LONGEST_QUERY:
        return _failed("Query too large")
    try:
        document = parse(query)
    except GraphQLError as error:
        return {"errors": [error.formatted]}
    if problems := validate(_SCHEMA, document):
        return {"errors": [problem.formatted for problem in problems]}
    limit = LIMIT_ANONYMOUS if viewer.user is None else LIMIT_SIGNED_IN
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    score = sum(
        _cost(node.selection_set, fragments)
        for node in document.definitions
        if isinstance(node, OperationDefinitionNode)
    )
    if score > limit:
        return _failed(f"Query has complexity of {score}, which exceeds max complexity of {limit}")
    answer = run(
        _SCHEMA,
        document,
        context_value=Context(site, viewer, score, limit),
        variable_values=variables,
        operation_name=operation,
    )
    result = answer if isinstance(answer, ExecutionResult) else await answer
    shown: dict[str, Any] = {"data": result.data}
    if result.errors:
        shown["errors"] = [error.formatted for error in result.errors]
    return shown


def _failed(text: str) -> dict[str, Any]:
    return {"errors": [{"message": text}]}


def _cost(selected: SelectionSetNode | None, fragments: Mapping[str, FragmentDefinitionNode]) -> int:
    total = 0
    for node in selected.selections if selected else ():
        if isinstance(node, FieldNode):
            below = _cost(node.selection_set, fragments)
            name = node.name.value
            total += COSTS.get(name, 1) + below * (CONNECTION_FACTOR if name == "projects" else 1)
        elif isinstance(node, InlineFragmentNode):
            total += _cost(node.selection_set, fragments)
        elif isinstance(node, FragmentSpreadNode):
            total += _cost(fragments[node.name.value].selection_set, fragments)
    return total


def _current_user(_: None, info: Info) -> dict[str, str] | None:
    user = info.context.viewer.user
    return None if user is None else {"id": _gid("User", user.id), "username": user.username, "name": user.name}


# The arguments have the names of the schema.
def _group(_: None, info: Info, fullPath: str) -> Namespace | None:  # noqa: N803
    context: Context = info.context
    group = None if fullPath.isdecimal() else context.site.store.namespaces.find(fullPath)
    return group if group is not None and group.kind == "group" and context.viewer.sees_group(group) else None


def _project(_: None, info: Info, fullPath: str) -> Project | None:  # noqa: N803
    context: Context = info.context
    project = context.site.store.projects.find(fullPath) if "/" in fullPath else None
    return project if project is not None and context.viewer.sees_project(project) else None


def _projects(
    group: Namespace,
    info: Info,
    first: int | None = None,
    after: str | None = None,
    includeSubgroups: bool = False,  # noqa: N803
    search: str | None = None,
    ids: list[str] | None = None,
) -> dict[str, Any]:
    context: Context = info.context
    within = [group.id]
    if includeSubgroups:
        within += [one.id for one in context.site.store.namespaces.descendants(group)]
    found = [one for one in context.site.store.projects.within(within) if context.viewer.sees_project(one)]
    if search:
        found = [one for one in found if search.lower() in one.name.lower() or search.lower() in one.path.lower()]
    if ids is not None:
        found = [one for one in found if _gid("Project", one.id) in ids]
    found.sort(key=lambda one: -one.id)
    count = len(found)
    if after:
        last = _uncursor(after)
        found = [one for one in found if one.id < last]
    size = MOST_NODES if first is None else max(0, min(first, MOST_NODES))
    part = found[:size]
    page = {
        "hasNextPage": len(found) > size,
        "hasPreviousPage": bool(after),
        "startCursor": _cursor(part[0].id) if part else None,
        "endCursor": _cursor(part[-1].id) if part else None,
    }
    return {"pageInfo": page, "nodes": part, "count": count}


def _repository(project: Project, info: Info) -> Project | None:
    return project if info.context.viewer.reads_code(project) else None


async def _commit(project: Project, info: Info, ref: str) -> dict[str, str] | None:
    found = await info.context.site.repositories.commit(project.storage, ref)
    return None if found is None else _shown(found)


async def _tree(project: Project, info: Info, path: str = "", ref: str | None = None) -> dict[str, str | None]:
    name = project.default_branch if ref in (None, "", "head", "HEAD") else ref
    head = None if name is None or path else await info.context.site.repositories.commit(project.storage, name)
    return {"storage": project.storage, "head": head}


async def _last_commit(tree: dict[str, str | None], info: Info) -> dict[str, str] | None:
    """Return the newest commit that changed the tree: not the head, if that changed nothing."""
    storage, head = tree["storage"], tree["head"]
    if storage is None or head is None:
        return None
    # The answer for a commit never changes.
    if (storage, head) not in _last_commits:
        if len(_last_commits) >= REMEMBERED_COMMITS:
            _last_commits.clear()
        site: Site = info.context.site
        _last_commits[storage, head] = await site.history_at(storage).last_commit(head)
    found = _last_commits[storage, head]
    return None if found is None else _shown(found)


def _shown(commit: str) -> dict[str, str]:
    return {"id": f"gid://gitlab/CommitPresenter/{commit}", "sha": commit, "shortId": commit[:8]}


def _gid(kind: str, number: int) -> str:
    return f"gid://gitlab/{kind}/{number}"


def _cursor(number: int) -> str:
    return base64.urlsafe_b64encode(json.dumps({"id": str(number)}).encode()).decode().rstrip("=")


def _uncursor(text: str) -> int:
    try:
        decoded = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        return int(decoded["id"])
    except (binascii.Error, ValueError, KeyError, TypeError):
        raise GraphQLError("Please provide a valid cursor") from None


def _build() -> GraphQLSchema:
    """Return the schema with its resolvers; where none is named, the value's attribute or key counts."""
    schema = build_schema(SCHEMA)
    resolvers: dict[str, dict[str, Any]] = {
        "Query": {
            "currentUser": _current_user,
            "group": _group,
            "project": _project,
            "metadata": lambda _, __: _metadata(),
            "queryComplexity": lambda _, info: {"score": info.context.score, "limit": info.context.limit},
        },
        "Group": {
            "id": lambda group, _: _gid("Group", group.id),
            "fullPath": lambda group, _: group.full_path,
            "fullName": lambda group, _: group.full_name,
            "projects": _projects,
        },
        "Project": {
            "id": lambda project, _: _gid("Project", project.id),
            "fullPath": lambda project, _: project.full_path,
            "createdAt": lambda project, _: written(project.created_at),
            "lastActivityAt": lambda project, _: written(project.last_activity_at),
            "webUrl": lambda project, info: f"{info.context.site.url}/{project.full_path}",
            "repository": _repository,
        },
        "Repository": {
            "rootRef": lambda project, _: project.default_branch,
            "empty": lambda project, _: project.default_branch is None,
            "exists": lambda project, _: True,
            "commit": _commit,
            "tree": _tree,
        },
        "Tree": {"lastCommit": _last_commit},
    }
    for name, fields in resolvers.items():
        kind = schema.type_map[name]
        if isinstance(kind, GraphQLObjectType):
            for field, resolver in fields.items():
                kind.fields[field].resolve = resolver
    return schema


def _metadata() -> dict[str, str]:
    return {"version": VERSION, "revision": REVISION}


_SCHEMA = _build()
