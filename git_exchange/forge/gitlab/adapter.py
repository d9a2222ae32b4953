"""GitLab as a ``Forge``, ``ForgeAdmin``, ``ForgeHooks`` and ``ForgeAccounts``: REST v4 and, for heads, GraphQL.

Every method is one thought: which path, what becomes of the answer. GitLab 17.10 or later is meant; older ones work
slower (``heads``).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timezone

from git_exchange.errors import Conflict, Forbidden, NotFound, UnexpectedAnswer
from git_exchange.forge.answers import number
from git_exchange.forge.gitlab import (
    accounts,
    heads,
    hooks,
    invitations,
    leftovers,
    membership,
    projects,
    protection,
    statuses,
    values,
)
from git_exchange.forge.gitlab.session import Session
from git_exchange.forge.http import clock_ahead, encoded
from git_exchange.forge.ports import (
    Account,
    Branch,
    BranchRule,
    Concern,
    Delivery,
    Forgetting,
    Group,
    HeadsAt,
    Hook,
    Member,
    Project,
    Push,
    Role,
    ServerInfo,
    SignInAs,
    Visibility,
)
from git_exchange.rules.hook_secrets import HookSecret
from git_exchange.secret import Token
from git_exchange.settings import Settings

# Since when GraphQL tells the commit of a branch exactly (``repository.commit(ref:)``).
HEADS_BY_GRAPHQL = (17, 10)


class GitLab:
    """One GitLab server as one account. Constructing it asks nothing."""

    kind = "gitlab"
    first_rule_counts = False
    keeps_deliveries = True
    invites = True

    def __init__(self, settings: Settings, token: Token) -> None:
        self.url = settings.url
        self._pool = settings.limits.pool
        self._session = Session(settings, token)

    def account(self) -> Account:
        """Return who the token belongs to."""
        return self._session.get("/user", values.account)

    def scopes(self) -> frozenset[str] | None:
        """Return the token's scopes; None for an OAuth token, of which this endpoint tells nothing."""
        try:
            return self._session.get("/personal_access_tokens/self", lambda raw: frozenset(map(str, raw["scopes"])))
        except (Forbidden, NotFound, UnexpectedAnswer):
            return None

    def token_expires(self) -> date | None:
        """Return the day at whose beginning (UTC) GitLab ends the token; None for an OAuth token."""

        def expires(raw: dict[str, str | None]) -> date | None:
            day = raw["expires_at"]
            return None if day is None else date.fromisoformat(day)

        try:
            return self._session.get("/personal_access_tokens/self", expires)
        except (Forbidden, NotFound, UnexpectedAnswer):
            return None

    def server(self) -> ServerInfo:
        """Return version and clock."""
        before = datetime.now(timezone.utc)
        answer = self._session.answer("get", "/version")
        there, after = answer.moment(), datetime.now(timezone.utc)
        version = answer.document.get("version") if isinstance(answer.document, dict) else None
        if not isinstance(version, str):
            raise UnexpectedAnswer(f"{self.url} does not tell its version as GitLab does.")
        return ServerInfo(self.kind, version, there, clock_ahead(before, there, after))

    def concerns(self) -> list[Concern]:
        """Return what an old version costs."""
        found = re.match(r"(\d+)\.(\d+)", said := self.server().version)
        if found is None or (int(found[1]), int(found[2])) >= HEADS_BY_GRAPHQL:
            return []
        return [
            Concern(
                "warning",
                f"GitLab {said} cannot tell the heads of many projects at once: collecting asks for each student.",
                "GitLab 17.10 or later needs one request for a hundred students.",
            )
        ]

    def find_group(self, full_path: str) -> Group:
        """Return the group. Raise NotFound."""
        return projects.find_group(self._session, full_path)

    def find_project(self, full_path: str) -> Project:
        """Return the project. Raise NotFound."""
        return projects.find_project(self._session, full_path)

    def projects(self, group: Group) -> list[Project]:
        """Return the projects directly in the group."""
        path = f"/groups/{encoded(group.id)}/projects"
        return projects.list_projects(self._session, path, include_subgroups=False, with_shared=False)

    def my_projects(self, search: str) -> list[Project]:
        """Return the projects that this account is a member of, as Developer or more, by a part of their path."""
        found = projects.list_projects(
            self._session, "/projects", membership=True, min_access_level=values.DEVELOPER, search=search
        )
        return [project for project in found if search.lower() in project.path.lower()]

    def role_in(self, project: Project, account: Account) -> Role:
        """Return the effective role."""
        return membership.role_in(self._session, _project(project.id), account.id)

    def branches(self, project_id: int, prefix: str) -> list[Branch]:
        """Return the branches whose name starts with ``prefix``. Raise NotFound."""
        path = f"{_project(project_id)}/repository/branches"
        found = self._session.all(path, values.branch, search=f"^{prefix}" if prefix else None)
        # GitLab's search ignores case.
        return [branch for branch in found if branch.ref.startswith(values.HEADS + prefix)]

    def heads(self, group: Group, projects: Collection[Project], refs: Collection[str]) -> HeadsAt:
        """Return the heads of ``refs`` in all ``projects``. Raise NotFound if the group is hidden."""
        return heads.read(self._session, group, projects, refs, pool=self._pool)

    def pushes(self, project_id: int, *, since_id: int = 0, after: date | None = None) -> list[Push]:
        """Return the push events, oldest first. Raise NotFound."""
        found: dict[int, Push] = {}
        query = {"action": "pushed", "after": after.isoformat() if after else None}
        for page in self._session.pages(f"{_project(project_id)}/events", _numbered_push, **query):
            for event, push in page.items:
                if push is not None and event > since_id:
                    found[event] = push
            # The newest come first; a page may be empty without being the last.
            if any(event <= since_id for event, _ in page.items):
                break
        return sorted(found.values(), key=lambda push: push.id)

    def has_commit(self, project_id: int, commit: str) -> bool:
        """Return whether the API answers with the commit. Raise NotFound for the project."""
        return leftovers.answers(self._session, _project(project_id), f"commits/{encoded(commit)}")

    def has_file(self, project_id: int, blob: str) -> bool:
        """Return whether the API answers with the file. Raise NotFound for the project."""
        return leftovers.answers(self._session, _project(project_id), f"blobs/{encoded(blob)}")

    def git_url(self, project: Project) -> str:
        """Return the URL for git, on the configured origin whatever name the server gives itself."""
        return f"{self.url}/{project.group_path}/{project.path}.git"

    def commit_url(self, project: Project, commit: str) -> str:
        """Return the page of a commit."""
        return f"{self.url}/{project.group_path}/{project.path}/-/commit/{commit}"

    def note_received(self, project_id: int, commit: str, description: str, url: str) -> bool:
        """Show at the commit that it was received. Raise Forbidden, NotFound."""
        return statuses.note_received(self._session, _project(project_id), commit, description, url)

    def ensure_group(self, parent: str, path: str, *, name: str, description: str, visibility: Visibility) -> Group:
        """Return the group ``parent/path``, made or brought to this. Raise Forbidden."""
        return projects.ensure_group(
            self._session, parent, path, name=name, description=description, visibility=visibility
        )

    def ensure_project(
        self, group: Group, path: str, *, description: str, visibility: Visibility, issues: bool
    ) -> Project:
        """Return the project, made or brought to this. Raise Forbidden."""
        return projects.ensure_project(
            self._session, group, path, description=description, visibility=visibility, issues=issues
        )

    def rules(self, project_id: int) -> list[BranchRule]:
        """Return the branch rules; one that is none of ours (it allows force pushes, or names people) as NONE."""
        return protection.read(self._session, project_id)

    def ensure_rules(self, project_id: int, rules: Iterable[BranchRule]) -> bool:
        """Make the branch rules exactly these, and let only instructors tag."""
        return protection.ensure(self._session, project_id, rules)

    def let_rewrite(self, project_id: int, ref: str) -> None:
        """Let instructors force-push this one branch until the rules are ensured again. Raise Forbidden."""
        protection.let_rewrite(self._session, project_id, ref.removeprefix(values.HEADS))

    def forget(self, project_id: int) -> Forgetting:
        """Ask GitLab to prune."""
        return leftovers.prune(self._session, _project(project_id))

    def rename_branch(self, project_id: int, ref: str, new: str) -> None:
        """Make ``new`` at the commit of ``ref``, then delete ``ref``, as GitLab lets Maintainers do by its API."""
        path, old = f"{_project(project_id)}/repository/branches", ref.removeprefix(values.HEADS)
        head = self._session.get(f"{path}/{encoded(old)}", values.branch).commit
        try:
            self._session.change("post", path, {"branch": new.removeprefix(values.HEADS), "ref": head})
        except UnexpectedAnswer as error:  # GitLab says 400 for both
            kind = Conflict if "already exists" in error.message else Forbidden
            raise kind(error.message, hint=error.hint) from error
        self._session.change("delete", f"{path}/{encoded(old)}")

    def members(self, project_id: int) -> list[Member]:
        """Return direct and inherited members; Guests, who cannot read code, with the role NONE."""
        return membership.read(self._session, _project(project_id))

    def group_members(self, group: Group) -> list[Member]:
        """Return the group's members; Guests with the role NONE."""
        return membership.read(self._session, f"/groups/{encoded(group.id)}")

    def set_access(self, project_id: int, account: Account, role: Role) -> bool:
        """Give the account this role in the project; who has more by the group keeps it."""
        return membership.ensure(self._session, _project(project_id), account, role)

    def set_group_access(self, group: Group, account: Account, role: Role) -> bool:
        """Give the account this role in the group and all that lies in it."""
        return membership.ensure(self._session, f"/groups/{encoded(group.id)}", account, role)

    def invitations(self, project_id: int) -> dict[str, datetime]:
        """Return the addresses with an open invitation to the project, and since when. Raise Forbidden."""
        return invitations.read(self._session, _project(project_id))

    def invite(self, project_id: int, emails: Sequence[str]) -> dict[str, str]:
        """Invite addresses as guests; return what GitLab refuses, and why. Raise Forbidden."""
        return invitations.send(self._session, _project(project_id), emails)

    def find_account(self, username: str) -> Account | None:
        """Return the account of this user name, None if there is none."""
        return accounts.find(self._session, username)

    def account_by_id(self, number: int) -> Account | None:
        """Return the account of this number, None if there is none."""
        try:
            return self._session.get(f"/users/{number}", values.account)
        except NotFound:
            return None

    def archive(self, project_id: int) -> None:
        """Make the project read-only."""
        self._session.change("post", f"{_project(project_id)}/archive")

    def unarchive(self, project_id: int) -> None:
        """Undo ``archive``."""
        self._session.change("post", f"{_project(project_id)}/unarchive")

    def hooks(self, project_id: int) -> list[Hook]:
        """Return the project's webhooks. Raise NotFound, Forbidden."""
        return hooks.read(self._session, _project(project_id))

    def ensure_hook(self, project_id: int, url: str, secret: HookSecret, *, instead_of: Collection[int] = ()) -> Hook:
        """Make pushes of submissions known at ``url``. Raise NotFound, Forbidden, UnexpectedAnswer."""
        return hooks.ensure(self._session, _project(project_id), url, secret, instead_of)

    def remove_hook(self, project_id: int, hook_id: int) -> None:
        """Remove the hook. Raise Forbidden."""
        hooks.remove(self._session, _project(project_id), hook_id)

    def deliveries(self, project_id: int, hook_id: int) -> list[Delivery]:
        """Return what was sent in the last days, the newest first. Raise NotFound, Forbidden."""
        return hooks.deliveries(self._session, _project(project_id), hook_id)

    def create_account(self, username: str, *, name: str, email: str) -> Account:
        """Create a confirmed account with a random password. Raise Conflict, Forbidden."""
        return accounts.create(self._session, username, name=name, email=email)

    def open_account(self, username: str, *, name: str, email: str, sign_in: SignInAs | None) -> Account:
        """Create an account for a person, who gets in by the institution or by GitLab's message. Raise Conflict."""
        return accounts.open_for(self._session, username, name=name, email=email, sign_in=sign_in)

    def find_signed_in(self, sign_in: SignInAs) -> Account | None:
        """Return the account that signs in exactly so. Raise Forbidden."""
        return accounts.signed_in(self._session, sign_in)

    def create_token(self, account: Account, *, name: str, scopes: Collection[str], expires: date) -> Token:
        """Create an impersonation token, which works like a personal one. Raise Forbidden."""
        return accounts.create_token(self._session, account, name=name, scopes=scopes, expires=expires)


def _project(project_id: int) -> str:
    return f"/projects/{encoded(project_id)}"


def _numbered_push(raw: dict[str, object]) -> tuple[int, Push | None]:
    return number(raw["id"]), values.push(raw)
