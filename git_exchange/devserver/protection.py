"""The protection that a default branch gets by itself.

https://docs.gitlab.com/user/project/repository/branches/default/#protect-initial-default-branches
"""

from __future__ import annotations

from typing import Any

from git_exchange.devserver import access
from git_exchange.devserver.store import Store
from git_exchange.devserver.values import Project

# default_branch_protection: 0 none, 1 developers push, 2 full, 3 developers merge, 4 as 2 after the first push.
PRESETS = {0: None, 1: (30, 30), 2: (40, 40), 3: (40, 30), 4: (40, 40)}


def protect_default_branch(store: Store, project: Project, branch: str) -> None:
    """Make the default branch's rule, as the group wants it: Maintainers push and merge if it says nothing."""
    settings = store.namespaces.get(project.namespace_id).settings
    chosen = PRESETS.get(int(settings.get("default_branch_protection") or 2), (40, 40))
    if settings.get("default_branch_protection") == 0:
        chosen = None
    force = False
    defaults = settings.get("default_branch_protection_defaults")
    if isinstance(defaults, dict) and defaults:
        chosen = (_level(defaults, "allowed_to_push"), _level(defaults, "allowed_to_merge"))
        force = bool(defaults.get("allow_force_push", False))
    if chosen is None or store.protection.branch(project.id, branch) is not None:
        return
    push, merge = chosen
    store.protection.set_branch(
        project.id, branch, push=push, merge=merge, unprotect=access.MAINTAINER, allow_force_push=force
    )


def _level(defaults: dict[str, Any], name: str) -> int:
    levels = [int(one.get("access_level", 40)) for one in defaults.get(name, []) if isinstance(one, dict)]
    # Of several levels the lowest admits most people; "no one" counts only alone.
    return min([level for level in levels if level] or levels or [access.MAINTAINER])
