"""What follows a push: events, webhooks, the first default branch.

Up to three refs of one kind and action in a push make an event and a webhook each; more make one bulk event and no
webhook (push_event_activities_limit, push_event_hooks_limit).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from git_exchange.devserver import access
from git_exchange.devserver.api.defaults import HOOK_FLAGS
from git_exchange.devserver.clock import written
from git_exchange.devserver.history import Commit, History
from git_exchange.devserver.protection import protect_default_branch
from git_exchange.devserver.site import Site
from git_exchange.devserver.store.events import PushData
from git_exchange.devserver.values import Hook, Project, User

LIMIT = 3
HOOK_COMMITS = 20
TITLE_LENGTH = 70


@dataclass(frozen=True)
class RefUpdate:
    """One ref that a push changed; zeros stand for "did not exist" and "is gone"."""

    old: str
    new: str
    ref: str

    @property
    def action(self) -> str:
        """The word of the event: created, pushed or removed."""
        if not self.old.strip("0"):
            return "created"
        return "pushed" if self.new.strip("0") else "removed"

    @property
    def kind(self) -> str:
        """Branch or tag."""
        return "branch" if self.ref.startswith(access.BRANCHES) else "tag"

    @property
    def name(self) -> str:
        """The ref without refs/heads/ or refs/tags/."""
        return self.ref.split("/", 2)[2]


@dataclass(frozen=True)
class Pushed:
    """The commits that an update brought: how many, and the newest of them, oldest first."""

    count: int
    newest: tuple[Commit, ...]


def parse_report(text: str) -> list[RefUpdate]:
    """Return the updates that the post-receive hook wrote down."""
    found = []
    for line in text.splitlines():
        old, new, ref = line.split(" ", 2)
        if ref.startswith((access.BRANCHES, access.TAGS)):
            found.append(RefUpdate(old, new, ref))
    return found


async def record(site: Site, project: Project, user: User, updates: Sequence[RefUpdate]) -> None:
    """Do all that follows a push."""
    default = project.default_branch
    await _settle_default_branch(site, project, updates)
    groups: dict[tuple[str, str], list[RefUpdate]] = {}
    for update in updates:
        groups.setdefault((update.kind, update.action), []).append(update)
    data = []
    deliveries = []
    for (kind, action), group in groups.items():
        if len(group) > LIMIT:
            data.append(PushData(project.id, user.id, action, kind, None, None, None, None, 0, len(group)))
            continue
        for update in group:
            pushed = await _commits(site.history(project), default, update)
            data.append(_event(project, user, update, pushed))
            deliveries.append((update, pushed))
    site.store.events.add(data)
    hooks = site.store.hooks.of(project.id)
    current = site.store.projects.find(str(project.id))
    if not hooks or current is None:
        return
    for update, pushed in deliveries:
        wanted = [hook for hook in hooks if _wants(hook, update) and site.webhooks.alert(hook).status == "executable"]
        if wanted:
            payload = await _payload(site, current, user, update, pushed)
            name, trigger = (
                ("Push Hook", "push_hooks") if update.kind == "branch" else ("Tag Push Hook", "tag_push_hooks")
            )
            for hook in wanted:
                site.webhooks.send(hook, name, payload, trigger)


async def test_payload(site: Site, project: Project, user: User, update: RefUpdate) -> dict[str, Any]:
    """Return a body as a push to this ref would make it, of the newest commits there are."""
    history = site.history(project)
    newest = tuple(reversed(await history.log(update.new, limit=LIMIT)))
    pushed = Pushed(await history.count(update.new), newest)
    return await _payload(site, project, user, update, pushed)


async def _settle_default_branch(site: Site, project: Project, updates: Sequence[RefUpdate]) -> None:
    """Make the first branch of an empty project its default branch, and protect it."""
    if project.default_branch is not None:
        return
    created = [update.name for update in updates if update.kind == "branch" and update.action == "created"]
    if not created:
        return
    branch = "main" if "main" in created else created[0]
    await site.repositories.run(project.storage, "symbolic-ref", "HEAD", access.BRANCHES + branch)
    site.store.projects.set_default_branch(project.id, branch)
    protect_default_branch(site.store, project, branch)


async def _commits(history: History, default: str | None, update: RefUpdate) -> Pushed:
    if update.action == "removed" or update.kind == "tag":
        return Pushed(0, ())
    revisions = [update.new]
    if update.action == "pushed":
        revisions.append(f"^{update.old}")
    elif default is not None and default != update.name:
        revisions.append(f"^{access.BRANCHES}{default}")
    count = await history.count(*revisions)
    newest = await history.log(*revisions, limit=HOOK_COMMITS) if count else []
    return Pushed(count, tuple(reversed(newest)))


def _event(project: Project, user: User, update: RefUpdate, pushed: Pushed) -> PushData:
    title = pushed.newest[-1].title[:TITLE_LENGTH] if pushed.newest else None
    return PushData(
        project.id,
        user.id,
        update.action,
        update.kind,
        update.name,
        None if update.action == "created" else update.old,
        None if update.action == "removed" else update.new,
        title,
        pushed.count,
        None,
    )


def _wants(hook: Hook, update: RefUpdate) -> bool:
    settings = HOOK_FLAGS | dict(hook.settings)
    if update.kind == "tag":
        return bool(settings["tag_push_events"])
    if not settings["push_events"]:
        return False
    pattern = settings["push_events_branch_filter"]
    if not pattern or settings["branch_filter_strategy"] == "all_branches":
        return True
    if settings["branch_filter_strategy"] == "regex":
        return re.search(pattern, update.name) is not None
    return access.matches(pattern, update.name)


async def _payload(site: Site, project: Project, user: User, update: RefUpdate, pushed: Pushed) -> dict[str, Any]:
    home = site.store.namespaces.get(project.namespace_id)
    name = "push" if update.kind == "branch" else "tag_push"
    web, git = f"{site.url}/{project.full_path}", f"{site.url}/{project.full_path}.git"
    ssh = f"git@{site.url.split('//', 1)[1].split(':', 1)[0]}:{project.full_path}.git"
    rules = site.store.protection.branch_rules(project.id)
    changes = [await site.history(project).changes(commit.id) for commit in pushed.newest]
    return {
        "object_kind": name,
        "event_name": name,
        "before": update.old,
        "after": update.new,
        "ref": update.ref,
        "ref_protected": update.kind == "branch" and bool(access.branch_rules_for(update.name, rules)),
        "checkout_sha": None if update.action == "removed" else update.new,
        "message": None,
        "user_id": user.id,
        "user_name": user.name,
        "user_username": user.username,
        "user_email": "",
        "user_avatar": None,
        "project_id": project.id,
        "project": {
            "id": project.id,
            "name": project.name,
            "description": project.description,
            "web_url": web,
            "avatar_url": None,
            "git_ssh_url": ssh,
            "git_http_url": git,
            "namespace": home.name,
            "visibility_level": access.VISIBILITY_LEVELS[project.visibility],
            "path_with_namespace": project.full_path,
            "default_branch": project.default_branch,
            "ci_config_path": None,
            "homepage": web,
            "url": ssh,
            "ssh_url": ssh,
            "http_url": git,
        },
        "commits": [
            {
                "id": commit.id,
                "message": commit.message,
                "title": commit.title,
                "timestamp": written(commit.committed_at),
                "url": f"{web}/-/commit/{commit.id}",
                "author": {"name": commit.author_name, "email": commit.author_email},
                "added": added,
                "modified": modified,
                "removed": removed,
            }
            for commit, (added, modified, removed) in zip(pushed.newest, changes, strict=True)
        ],
        "total_commits_count": pushed.count,
        "push_options": {},
        "repository": {
            "name": project.name,
            "url": ssh,
            "description": project.description,
            "homepage": web,
            "git_http_url": git,
            "git_ssh_url": ssh,
            "visibility_level": access.VISIBILITY_LEVELS[project.visibility],
        },
    }
