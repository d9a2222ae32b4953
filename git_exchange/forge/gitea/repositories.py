"""Projects: how they are found, listed, and made or brought to what a course needs.

Gitea addresses a project by its owner's and its own name; what is known of numbers is kept in a ``Directory``.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from git_exchange.errors import Conflict, NotFound, UnexpectedAnswer
from git_exchange.forge.answers import number, text
from git_exchange.forge.gitea import values
from git_exchange.forge.gitea.names import Names
from git_exchange.forge.gitea.session import Session
from git_exchange.forge.http import encoded
from git_exchange.forge.ports import Group, Project, Visibility

# Everything that is not git is off. Pull requests are also a way past the branch rules: who may merge may change.
FEATURES_OFF = {
    "has_pull_requests": False,
    "has_wiki": False,
    "has_projects": False,
    "has_releases": False,
    "has_packages": False,
    "has_actions": False,
}


class Directory:
    """Where the projects are whose numbers are known, as paths of the API: "/repos/owner/name"."""

    def __init__(self, session: Session, names: Names) -> None:
        self._session = session
        self._names = names
        self._paths: dict[int, str] = {}

    def path(self, project_id: int) -> str:
        """Return the path of the project. Raise NotFound if it is absent or hidden."""
        known = self._paths.get(project_id)
        if known is None:
            self.project(self._session.get(f"/repositories/{encoded(project_id)}", dict))
            known = self._paths[project_id]
        return known

    def project(self, raw: dict[str, Any]) -> Project:
        """Return the project in an object, and keep where it is."""
        found = self._session.understood(
            partial(values.project, names=self._names, url=self._session.url), raw, "/repositories"
        )
        self._paths[found.id] = f"/repos/{encoded(raw['owner']['login'])}/{encoded(found.path)}"
        return found

    def path_of(self, project: Project) -> str:
        """Return the path of the project, without a request."""
        self._paths.setdefault(
            project.id, f"/repos/{encoded(self._names.organisation(project.group_path))}/{encoded(project.path)}"
        )
        return self._paths[project.id]


def find(session: Session, names: Names, full_path: str) -> dict[str, Any]:
    """Return the project at "group/sub/project" as the server gives it. Raise NotFound, also if it was renamed."""
    group_path, _, name = full_path.rpartition("/")
    missing = f"There is no project {full_path!r} on {session.url} that this account can see."
    owner = names.organisation(group_path)
    try:
        raw = session.get(f"/repos/{encoded(owner)}/{encoded(name)}", dict)
    except NotFound as error:
        raise NotFound(missing) from error
    now = session.understood(_full_name, raw, "/repos")
    if now.lower() != f"{owner}/{name}".lower():
        # The server leads from old names to new ones; whoever asks means what had this name when it was set up.
        raise NotFound(missing, hint=f"It was renamed to {now}.")
    return raw


def search(session: Session, **query: object) -> list[dict[str, Any]]:
    """Return projects by ``/repos/search``, which counts only what this account sees. Each once, by number."""
    found = session.all("/repos/search", dict, sort="id", order="asc", **query)
    return list({session.understood(_id, raw, "/repos/search"): raw for raw in found}.values())


def ensure(
    session: Session,
    names: Names,
    group: Group,
    path: str,
    *,
    description: str,
    visibility: Visibility,
    issues: bool,
) -> dict[str, Any]:
    """Return the project, made with a first commit and with every feature off but git (and issues)."""
    if visibility not in (Visibility.PRIVATE, group.visibility):
        raise UnexpectedAnswer(
            f"The project {path!r} cannot be {visibility.value} in the {group.visibility.value} group"
            f" {group.full_path!r}.",
            hint="On Gitea and Forgejo a project is private or as visible as its organisation.",
        )
    owner = encoded(names.organisation(group.full_path))
    private = visibility is Visibility.PRIVATE
    full_path = f"{group.full_path}/{path}"
    try:
        raw = find(session, names, full_path)
    except NotFound:
        # In an empty repository the first branch that is pushed would become the default branch.
        body: dict[str, object] = {
            "name": path,
            "description": description,
            "private": private,
            "auto_init": True,
            "default_branch": "main",
        }
        try:
            raw = session.post(f"/orgs/{owner}/repos", body, dict)
            # Whoever makes a project watches it, and would be sent every push.
            session.change("delete", f"/repos/{owner}/{encoded(path)}/subscription")
        except Conflict as error:
            raw = _made_meanwhile(session, names, full_path, error)
    wanted = {"description": description, "private": private, "has_issues": issues, **FEATURES_OFF}
    # A server that does not know a feature does not tell of it.
    different = {key: value for key, value in wanted.items() if key in raw and raw[key] != value}
    if not different:
        return raw
    raw = session.patch(f"/repos/{owner}/{encoded(path)}", different, dict)
    refused = sorted(key for key, value in different.items() if raw.get(key) != value)
    if refused:
        raise UnexpectedAnswer(f"{session.url} did not set {', '.join(refused)} of {full_path!r}.")
    return raw


def _made_meanwhile(session: Session, names: Names, full_path: str, error: Conflict) -> dict[str, Any]:
    """Return what another program made between our look and our request. Raise the conflict if it cannot be seen."""
    try:
        return find(session, names, full_path)
    except NotFound:
        raise Conflict(error.message, hint="The name is taken by something that this account cannot see.") from error


def _full_name(raw: dict[str, Any]) -> str:
    return f"{text(raw['owner']['login'])}/{text(raw['name'])}"


def _id(raw: dict[str, Any]) -> int:
    return number(raw["id"])
