"""Commits, their comparison and statuses: https://docs.gitlab.com/api/commits/."""

from __future__ import annotations

import re

from git_exchange.devserver import access
from git_exchange.devserver.api import entities
from git_exchange.devserver.api.answers import Answer, Call, invalid, message, not_found
from git_exchange.devserver.api.defaults import JSON
from git_exchange.devserver.api.routes import Routes
from git_exchange.devserver.clock import written
from git_exchange.devserver.history import Commit
from git_exchange.devserver.repositories import GitFailedError
from git_exchange.devserver.site import Site
from git_exchange.devserver.store.statuses import STATES, Status
from git_exchange.devserver.values import Project

FULL_ID = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")

routes = Routes()


def commit(site: Site, project: Project, value: Commit) -> JSON:
    """Return a commit as JSON. Its times are the client's."""
    trailers: dict[str, list[str]] = {}
    for key, text in value.trailers:
        trailers.setdefault(key, []).append(text)
    committed = written(value.committed_at).replace("Z", "+00:00")
    return {
        "id": value.id,
        "short_id": value.id[:8],
        "created_at": committed,
        "parent_ids": list(value.parents),
        "title": value.title,
        "message": value.message,
        "author_name": value.author_name,
        "author_email": value.author_email,
        "authored_date": written(value.authored_at).replace("Z", "+00:00"),
        "committer_name": value.committer_name,
        "committer_email": value.committer_email,
        "committed_date": committed,
        "trailers": {key: texts[-1] for key, texts in trailers.items()},
        "extended_trailers": trailers,
        "web_url": f"{site.url}/{project.full_path}/-/commit/{value.id}",
    }


@routes.add("GET", "/projects/:id/repository/commits", "read_repository")
async def commits(call: Call) -> Answer:
    """List the commits of a branch, of a path, of a time, or of everything."""
    project, given = call.project_with_code(), call.parameters
    arguments = []
    if since := given.moment("since"):
        arguments.append(f"--since={since.isoformat()}")
    if until := given.moment("until"):
        arguments.append(f"--until={until.isoformat()}")
    if given.boolean("first_parent"):
        arguments.append("--first-parent")
    if author := given.text("author"):
        arguments.append(f"--author={author}")
    if given.choice("order", ("default", "topo"), "default") == "topo":
        arguments.append("--topo-order")
    if given.boolean("all"):
        arguments.append("--all")
    else:
        name = given.text("ref_name") or project.default_branch
        head = None if name is None else await call.site.repositories.commit(project.storage, name)
        if head is None:
            if name is None:
                return Answer([], headers=call.page([])[1])
            raise not_found("Branch") if given.has("ref_name") else not_found("Repository")
        arguments.append(head)
    if path := given.text("path"):
        arguments += ["--", path]
    part, headers = call.page(await call.site.history(project).log(*arguments))
    # GitLab does not count commits.
    counted = {name: value for name, value in headers.items() if name not in ("X-Total", "X-Total-Pages")}
    return Answer([commit(call.site, project, value) for value in part], headers=counted)


@routes.add("GET", "/projects/:id/repository/commits/:sha", "read_repository")
async def one_commit(call: Call) -> Answer:
    """Answer a commit by its id, or that of a branch or tag."""
    project = call.project_with_code()
    value = await _commit(call, project)
    return Answer(commit(call.site, project, value) | {"status": None, "project_id": project.id, "last_pipeline": None})


@routes.add("GET", "/projects/:id/repository/compare", "read_repository")
async def compare(call: Call) -> Answer:
    """Compare two commits: what the second one has that the first has not."""
    project, given = call.project_with_code(), call.parameters
    old = await call.site.repositories.commit(project.storage, given.required("from"))
    new = await call.site.repositories.commit(project.storage, given.required("to"))
    if old is None or new is None:
        raise not_found("Ref")
    history = call.site.history(project)
    found = await history.log("--reverse", f"{old}..{new}")
    base = old
    if not given.boolean("straight"):
        try:
            base = (await call.site.repositories.run(project.storage, "merge-base", old, new)).decode().strip()
        except GitFailedError:
            raise not_found("Merge Base") from None
    patch = await call.site.repositories.run(project.storage, "diff", "--no-color", "--no-ext-diff", base, new)
    return Answer(
        {
            "commit": commit(call.site, project, found[-1]) if found else None,
            "commits": [commit(call.site, project, value) for value in found],
            "diffs": _diffs(patch.decode(errors="replace")),
            "compare_timeout": False,
            "compare_same_ref": old == new,
            "web_url": f"{call.site.url}/{project.full_path}/-/compare/{old}...{new}",
        }
    )


@routes.add("POST", "/projects/:id/statuses/:sha")
async def set_status(call: Call) -> Answer:
    """Say something about a commit."""
    project, given = call.project(access.DEVELOPER), call.parameters
    given.required("state")
    state = given.choice("state", STATES, STATES[0])
    value = await _commit(call, project)
    coverage = given.text("coverage")
    try:
        number = None if coverage is None else float(coverage)
    except ValueError:
        raise invalid("coverage is invalid") from None
    status = call.site.store.statuses.add(
        project.id,
        call.user.id,
        value.id,
        ref=given.text("ref") or project.default_branch,
        state=state,
        name=given.text("name") or given.text("context") or "default",
        target_url=given.text("target_url"),
        description=given.text("description"),
        coverage=number,
    )
    return Answer(_status(call, status), 201)


@routes.add("GET", "/projects/:id/repository/commits/:sha/statuses")
async def statuses(call: Call) -> Answer:
    """List what was said about a commit."""
    project = call.project_with_code()
    value = await _commit(call, project)
    found = call.site.store.statuses.of(project.id, value.id)
    if name := call.parameters.text("name"):
        found = [status for status in found if status.name == name]
    part, headers = call.page(found)
    return Answer([_status(call, status) for status in part], headers=headers)


async def _commit(call: Call, project: Project) -> Commit:
    value = await call.site.history(project).find(call.arguments["sha"])
    if value is None:
        raise message(404, "404 Commit Not Found")
    return value


def _status(call: Call, status: Status) -> JSON:
    finished = status.state not in ("pending", "running")
    at = written(status.created_at)
    return {
        "id": status.id,
        "sha": status.sha,
        "ref": status.ref,
        "status": status.state,
        "name": status.name,
        "target_url": status.target_url,
        "description": status.description,
        "created_at": at,
        "started_at": None if status.state == "pending" else at,
        "finished_at": at if finished else None,
        "allow_failure": False,
        "coverage": status.coverage,
        "pipeline_id": status.id,
        "author": entities.user_basic(call.site, call.site.store.accounts.get(status.author_id)),
    }


def _diffs(patch: str) -> list[JSON]:
    """Return one object for each file of a patch; a line of content never starts as the header of a file does."""
    found = []
    for part in re.split(r"^diff --git ", patch, flags=re.MULTILINE)[1:]:
        head, at, body = part.partition("\n@@")
        names = head.split("\n", 1)[0]
        old, _, new = names.partition(" b/")
        found.append(
            {
                "old_path": old.removeprefix("a/"),
                "new_path": new,
                "new_file": "\nnew file mode" in head,
                "deleted_file": "\ndeleted file mode" in head,
                "renamed_file": "\nrename from" in head,
                "diff": (at + body).lstrip("\n"),
            }
        )
    return found
