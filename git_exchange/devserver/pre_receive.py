"""The pre-receive hook of every repository: a plain script, started without the package and without site-packages.

The server hands over the table of decisions in the environment; what is refused is said in GitLab's words.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType


def load_access() -> ModuleType:
    """Return the module beside this file that decides."""
    spec = importlib.util.spec_from_file_location("access", Path(__file__).with_name("access.py"))
    if spec is None or spec.loader is None:
        raise ImportError("access.py is missing")
    module = importlib.util.module_from_spec(spec)
    sys.modules["access"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def is_ancestor(old: str, new: str) -> bool:
    """Return whether ``old`` is reachable from ``new``; the pushed objects are in git's quarantine, set by git."""
    command = ["git", "merge-base", "--is-ancestor", old, new]
    return subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode == 0


def main() -> int:
    """Read the changes and return 1, with the reason on standard error, if one is refused."""
    table_text = os.environ.get("GIT_DEVSERVER_PUSH_TABLE")
    if table_text is None:
        print("GitLab: pushes go through the server.", file=sys.stderr)  # noqa: T201 - how a hook speaks
        return 1
    access = load_access()
    table = access.PushTable.load(table_text)
    for line in sys.stdin.buffer.read().decode("utf-8", "surrogateescape").splitlines():
        old, new, ref = line.split(" ", 2)
        change = access.Change(old, new, ref)
        if not change.creates and not change.deletes and table.needs_ancestry(ref):
            change = access.Change(old, new, ref, forced=not is_ancestor(old, new))
        refusal = table.refusal(change)
        if refusal:
            print(f"GitLab: {refusal}", file=sys.stderr)  # noqa: T201 - how a hook speaks
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
