"""Trees and files: https://docs.gitlab.com/api/repositories/, https://docs.gitlab.com/api/repository_files/."""

from __future__ import annotations

import base64
import hashlib
import re

from git_exchange.devserver.api.answers import Answer, Call, not_found
from git_exchange.devserver.api.routes import Routes
from git_exchange.devserver.history import Entry
from git_exchange.devserver.repositories import GitFailedError
from git_exchange.devserver.values import Project

OBJECT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")

routes = Routes()


@routes.add("GET", "/projects/:id/repository/tree", "read_repository")
async def tree(call: Call) -> Answer:
    """List the files and folders of a folder."""
    project, given = call.project_with_code(), call.parameters
    head = await _head(call, project)
    entries = None
    if head is not None:
        path = given.text("path") or ""
        entries = await call.site.history(project).tree(head, path, recursive=given.boolean("recursive"))
    if entries is None:
        raise not_found("Tree")
    part, headers = call.page(entries)
    return Answer(
        [
            {
                "id": entry.id,
                "name": entry.path.rsplit("/", 1)[-1],
                "type": entry.kind,
                "path": entry.path,
                "mode": entry.mode,
            }
            for entry in part
        ],
        headers=headers,
    )


@routes.add("GET", "/projects/:id/repository/files/:file_path", "read_repository")
async def one_file(call: Call) -> Answer:
    """Answer a file with its content in Base64."""
    project = call.project_with_code()
    head, entry, content = await _file(call, project)
    last = await call.site.history(project).log(head, "--", entry.path, limit=1)
    about = {
        "file_name": entry.path.rsplit("/", 1)[-1],
        "file_path": entry.path,
        "size": len(content),
        "encoding": "base64",
        "content_sha256": hashlib.sha256(content).hexdigest(),
        "ref": call.parameters.text("ref") or project.default_branch,
        "blob_id": entry.id,
        "commit_id": head,
        "last_commit_id": last[0].id if last else head,
        "execute_filemode": entry.mode == "100755",
    }
    headers = {
        "X-Gitlab-" + name.replace("_", "-").title(): str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in about.items()
    }
    return Answer(about | {"content": base64.b64encode(content).decode()}, headers=headers)


@routes.add("GET", "/projects/:id/repository/files/:file_path/raw", "read_repository")
async def raw_file(call: Call) -> Answer:
    """Answer a file's content as it is."""
    _, _, content = await _file(call, call.project_with_code())
    return Answer(raw=content, content_type="text/plain")


@routes.add("GET", "/projects/:id/repository/blobs/:sha", "read_repository")
async def one_blob(call: Call) -> Answer:
    """Answer the file of an object id, on a branch or not."""
    project, sha = call.project_with_code(), call.arguments["sha"]
    if not OBJECT.fullmatch(sha):
        raise not_found("Blob")
    try:
        content = await call.site.history(project).blob(sha)
    except GitFailedError:
        raise not_found("Blob") from None
    return Answer(
        {"size": len(content), "encoding": "base64", "content": base64.b64encode(content).decode(), "sha": sha}
    )


async def _head(call: Call, project: Project) -> str | None:
    name = call.parameters.text("ref") or project.default_branch
    if name == "HEAD":
        name = project.default_branch
    return None if name is None else await call.site.repositories.commit(project.storage, name)


async def _file(call: Call, project: Project) -> tuple[str, Entry, bytes]:
    head = await _head(call, project)
    if head is None:
        raise not_found("Commit")
    history = call.site.history(project)
    entry = await history.entry(head, call.arguments["file_path"])
    if entry is None or entry.kind != "blob":
        raise not_found("File")
    return head, entry, await history.blob(entry.id)
