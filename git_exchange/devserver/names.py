"""Which paths and names GitLab takes for groups, projects and users. Pure.

https://docs.gitlab.com/user/reserved_names/
"""

from __future__ import annotations

import re

PATH = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.-]*", re.ASCII)
MAX_LENGTH = 255

RESERVED_PROJECTS = frozenset(
    (
        *("-", "badges", "blame", "blob", "builds", "commits", "create", "create_dir", "edit", "environments/folders"),
        *("files", "find_file", "gitlab-lfs/objects", "info/lfs/objects", "new", "preview", "raw", "refs", "tree"),
        *("update", "wikis"),
    )
)
RESERVED_TOP = frozenset(
    (
        *("-", ".well-known", "404.html", "422.html", "500.html", "502.html", "503.html", "admin", "api", "assets"),
        *("apple-touch-icon.png", "dashboard", "deploy.html", "explore", "favicon.ico", "favicon.png", "files"),
        *("groups", "health_check", "help", "import", "invites", "jwt", "login", "oauth", "profile", "projects"),
        *("public", "robots.txt", "s", "search", "sitemap", "sitemap.xml", "sitemap.xml.gz", "snippets"),
        *("slash-command-logo.png", "unsubscribes", "uploads", "users", "v2"),
    )
)

PATH_PROBLEM = (
    "can contain only letters, digits, '_', '-' and '.'. Cannot start with '-', end in '.git' or end in '.atom'"
)
GROUP_PATH_PROBLEM = (
    "can only include non-accented letters, digits, '_', '-' and '.'. It must not start with '-', '_', or '.', nor end"
    " with '-', '_', '.', '.git', or '.atom'."
)
SPECIAL_PROBLEM = (
    "must start with a letter (a-z, A-Z) or digit (0-9). Must not contain consecutive special characters, or end with"
    " '.git', '.atom' or a special character."
)
RESERVED_PROBLEM = "is a reserved name"
NAME_PROBLEM = (
    "can contain only letters, digits, emoji, '_', '.', '+', dashes, or spaces. It must start with a letter, digit,"
    " emoji, or '_'."
)
BLANK_PROBLEM = "can't be blank"
LONG_PROBLEM = "is too long (maximum is 255 characters)"


def path_problems(path: str, *, kind: str, is_top: bool = False) -> list[str]:
    """Return what GitLab has against a path; ``kind`` is "project", "group" or "user"."""
    if not path:
        return [BLANK_PROBLEM]
    problems = []
    if not PATH.fullmatch(path) or path.lower().endswith((".git", ".atom")):
        problems.append(PATH_PROBLEM if kind == "project" else GROUP_PATH_PROBLEM)
    elif not path[0].isalnum() or not path[-1].isalnum() or re.search(r"[_.-]{2}", path):
        problems.append(SPECIAL_PROBLEM if kind == "project" else GROUP_PATH_PROBLEM)
    if len(path) > MAX_LENGTH:
        problems.append(LONG_PROBLEM)
    reserved = RESERVED_TOP if is_top else RESERVED_PROJECTS
    if path.lower() in reserved:
        problems.append(RESERVED_PROBLEM)
    return problems


def name_problems(name: str) -> list[str]:
    """Return what GitLab has against the name of a project or group."""
    if not name.strip():
        return [BLANK_PROBLEM]
    problems = []
    if not all(_in_name(character) for character in name) or name[0] in ".+- ":
        problems.append(NAME_PROBLEM)
    if len(name) > MAX_LENGTH:
        problems.append(LONG_PROBLEM)
    return problems


def path_from(name: str) -> str:
    """Return the path that GitLab makes out of a name when none is given."""
    return re.sub(r"-+", "-", re.sub(r"[^A-Za-z0-9_.-]", "-", name)).strip("-_.").lower()


def _in_name(character: str) -> bool:
    return character.isalnum() or character in "_.+- ()" or ord(character) > 0x2000
