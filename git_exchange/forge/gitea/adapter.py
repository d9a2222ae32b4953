"""Gitea and Forgejo as a ``Forge``, ``ForgeAdmin``, ``ForgeHooks`` and ``ForgeAccounts``, by their REST API v1.

Every method is one thought: which path, what becomes of the answer. A group is an organisation with a joint name
(``names``), staff is in teams (``teams``), a student a collaborator of one project.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timezone

from git_exchange.errors import Forbidden, NotFound, UnexpectedAnswer
from git_exchange.forge.answers import text
from git_exchange.forge.gitea import (
    accounts,
    collaborators,
    heads,
    hooks,
    leftovers,
    organisations,
    protection,
    pushes,
    repositories,
    scopes,
    statuses,
    teams,
    values,
    versions,
)
from git_exchange.forge.gitea.names import Names
from git_exchange.forge.gitea.session import Session
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


class Gitea:
    """One Gitea or Forgejo server as one account. Constructing it asks nothing."""

    kind = "gitea"
    # Namespaces are no objects: they have number 0, no members and nothing to inherit.
    nested_groups = False
    first_rule_counts = True
    keeps_deliveries = False
    invites = False
    # A token is valid until somebody deletes it.
    tokens_expire = False

    def __init__(self, settings: Settings, token: Token) -> None:
        self.url = settings.url
        self._pool = settings.limits.pool
        self._session = Session(settings, token)
        self._names = Names(settings.namespace)
        self._directory = repositories.Directory(self._session, self._names)
        self._accounts = accounts.Accounts(self._session)
        self._lock = threading.Lock()
        self._account: Account | None = None

    def account(self) -> Account:
        """Return who the token belongs to."""
        found = self._session.get("/user", values.account)
        with self._lock:
            self._account = found
        return found

    def scopes(self) -> frozenset[str] | None:
        """Return what the token's scopes amount to, in the callers' words; None where the server does not tell.

        Gitea tells since 1.27, Forgejo does not.
        """
        try:
            return self._session.get("/token", lambda raw: scopes.words(list(map(text, raw["scopes"]))))
        except (Forbidden, NotFound, UnexpectedAnswer):
            return None

    def token_expires(self) -> date | None:
        """Return None: tokens do not expire."""
        return None

    def server(self) -> ServerInfo:
        """Return version and clock; ``versions.parse`` tells Forgejo and Gitea apart."""
        before = datetime.now(timezone.utc)
        answer = self._session.answer("get", "/version")
        after = datetime.now(timezone.utc)
        said = answer.document.get("version") if isinstance(answer.document, dict) else None
        if not isinstance(said, str):
            raise UnexpectedAnswer(f"{self.url} does not tell its version as Gitea and Forgejo do.")
        return ServerInfo(self.kind, said, answer.moment(), clock_ahead(before, answer.moment(), after))

    def sees_hidden_pushes(self) -> bool:
        """Return whether pushes of people who hide their activity are shown to this account."""
        return self._me().is_admin

    def may_create_groups(self) -> bool:
        """Return whether this account may make organisations: where everybody may, names can be taken in advance."""
        return organisations.may_create(self._session)

    def concerns(self) -> list[Concern]:
        """Return known holes of the version, and what the settings of the server mean for a course."""
        found = [known] if (known := versions.concern(self.server().version)) is not None else []
        if not self.sees_hidden_pushes():
            found.append(
                Concern(
                    "warning",
                    "Pushes of students who hide their activity are not shown to this account: their times come from"
                    " our own reading of the branch, and are later than the push.",
                    "Collect soon after the due date, or with a site administrator's account on a machine that runs no"
                    " students' code.",
                )
            )
        elif self._me().is_admin:
            found.append(
                Concern(
                    "warning",
                    "This is a site administrator's token.",
                    "Never let it lie where students' code runs (autograding).",
                )
            )
        if not self._me().is_admin and self.may_create_groups():
            found.append(
                Concern(
                    "warning",
                    "This account may create organisations. Where everybody may, a student can take a future course's"
                    " name in advance.",
                    "Set DEFAULT_ALLOW_CREATE_ORGANIZATION = false, and allow it to those who open courses.",
                )
            )
        return found

    def find_group(self, full_path: str) -> Group:
        """Return the group. Raise NotFound."""
        return organisations.find(self._session, self._names, full_path, lambda: self._me().id)

    def find_project(self, full_path: str) -> Project:
        """Return the project. Raise NotFound."""
        return self._directory.project(repositories.find(self._session, self._names, full_path))

    def projects(self, group: Group) -> list[Project]:
        """Return the projects in the organisation; none for a namespace."""
        if self._names.is_namespace(group.full_path):
            return []
        found = repositories.search(self._session, uid=group.id, exclusive=True)
        return [self._directory.project(raw) for raw in found]

    def my_projects(self, search: str) -> list[Project]:
        """Return the projects that this account may push to by its own or a team's right, by a part of their name."""
        found = repositories.search(self._session, uid=self._me().id, q=search)
        mine = [self._directory.project(raw) for raw in found if (raw.get("permissions") or {}).get("push") is True]
        return [project for project in mine if search.lower() in project.path.lower()]

    def role_in(self, project: Project, account: Account) -> Role:
        """Return the effective role."""
        path, organisation = self._directory.path_of(project), self._names.organisation(project.group_path)
        return collaborators.role_in(self._session, path, organisation, account)

    def branches(self, project_id: int, prefix: str) -> list[Branch]:
        """Return the branches whose name starts with ``prefix``. Raise NotFound."""
        found = self._session.all(f"{self._directory.path(project_id)}/branches", values.branch)
        return [branch for branch in found if branch.ref.startswith(values.HEADS + prefix)]

    def heads(self, group: Group, projects: Collection[Project], refs: Collection[str]) -> HeadsAt:
        """Return the heads of ``refs`` in all ``projects``."""
        return heads.read(self._session, self._directory.path_of, projects, refs, pool=self._pool)

    def pushes(self, project_id: int, *, since_id: int = 0, after: date | None = None) -> list[Push]:
        """Return the pushes of branches that this account may see, oldest first. Raise NotFound."""
        path = self._directory.path(project_id)
        return pushes.read(self._session, path, project_id, since_id=since_id, after=after)

    def has_commit(self, project_id: int, commit: str) -> bool:
        """Return whether the API answers with the commit. Raise NotFound for the project."""
        return leftovers.answers(self._session, self._directory.path(project_id), f"commits/{encoded(commit)}")

    def has_file(self, project_id: int, blob: str) -> bool:
        """Return whether the API answers with the file. Raise NotFound for the project."""
        return leftovers.answers(self._session, self._directory.path(project_id), f"blobs/{encoded(blob)}")

    def git_url(self, project: Project) -> str:
        """Return the URL for git, on the configured origin whatever name the server gives itself."""
        return f"{self._page(project)}.git"

    def commit_url(self, project: Project, commit: str) -> str:
        """Return the page of a commit."""
        return f"{self._page(project)}/commit/{commit}"

    def note_received(self, project_id: int, commit: str, description: str, url: str) -> bool:
        """Show at the commit that it was received. Raise Forbidden, NotFound."""
        return statuses.note_received(self._session, self._directory.path(project_id), commit, description, url)

    def ensure_group(self, parent: str, path: str, *, name: str, description: str, visibility: Visibility) -> Group:
        """Return the group ``parent/path`` with its teams; a namespace needs no making. Raise Forbidden, Conflict."""
        return organisations.ensure(
            self._session, self._names, parent, path, name=name, description=description, visibility=visibility
        )

    def ensure_project(
        self, group: Group, path: str, *, description: str, visibility: Visibility, issues: bool
    ) -> Project:
        """Return the project, made or brought to this. Raise Forbidden."""
        made = repositories.ensure(
            self._session, self._names, group, path, description=description, visibility=visibility, issues=issues
        )
        return self._directory.project(made)

    def rules(self, project_id: int) -> list[BranchRule]:
        """Return the branch rules, the first that counts first; one that is none of ours as NONE."""
        return protection.read(self._session, self._directory.path(project_id))

    def ensure_rules(self, project_id: int, rules: Iterable[BranchRule]) -> bool:
        """Make the branch rules exactly these, and let only instructors tag."""
        return protection.ensure(self._session, self._directory.path(project_id), rules)

    def let_rewrite(self, project_id: int, ref: str) -> None:
        """Let instructors force-push this one branch until the rules are ensured again. Raise Forbidden."""
        protection.let_rewrite(self._session, self._directory.path(project_id), ref.removeprefix(values.HEADS))

    def forget(self, project_id: int) -> Forgetting:
        """Tell what has to be done on the server: there is no request for it."""
        return leftovers.forget()

    def rename_branch(self, project_id: int, ref: str, new: str) -> None:
        """Rename it, with a rule of its own for a moment: see ``protection.rename``."""
        protection.rename(self._session, self._directory.path(project_id), ref, new)

    def members(self, project_id: int) -> list[Member]:
        """Return collaborators and the members of the organisation's teams."""
        path = self._directory.path(project_id)
        return collaborators.read(self._session, path, _organisation(path))

    def group_members(self, group: Group) -> list[Member]:
        """Return the members of the organisation's teams; nothing is inherited."""
        if self._names.is_namespace(group.full_path):
            return []
        return teams.members(self._session, self._names.organisation(group.full_path))

    def set_access(self, project_id: int, account: Account, role: Role) -> bool:
        """Give the account this role in the project; who has more by a team keeps it."""
        path = self._directory.path(project_id)
        return collaborators.ensure(self._session, path, _organisation(path), account, role)

    def set_group_access(self, group: Group, account: Account, role: Role) -> bool:
        """Give the account this role, by a team, in all projects of the organisation. Raise Forbidden."""
        if self._names.is_namespace(group.full_path):
            raise Forbidden(
                f"{group.full_path} is only a part of names on {self.url} and has no members.",
                hint="Give the role in each course.",
            )
        return teams.set_role(self._session, self._names.organisation(group.full_path), account, role)

    def invitations(self, project_id: int) -> dict[str, datetime]:
        """Return nothing: there are none."""
        return {}

    def invite(self, project_id: int, emails: Sequence[str]) -> dict[str, str]:
        """Raise Forbidden: only the pages of teams can invite, and into a team."""
        raise Forbidden(f"{self.url} cannot invite people by its API.", hint="Make accounts for them.")

    def find_account(self, username: str) -> Account | None:
        """Return the account of this user name, None if there is none."""
        return accounts.find(self._session, username)

    def account_by_id(self, number: int) -> Account | None:
        """Return the account of this number, None if there is none that this one can see."""
        return accounts.by_id(self._session, number)

    def archive(self, project_id: int) -> None:
        """Make the project read-only."""
        self._session.change("patch", self._directory.path(project_id), {"archived": True})

    def unarchive(self, project_id: int) -> None:
        """Undo ``archive``."""
        self._session.change("patch", self._directory.path(project_id), {"archived": False})

    def hooks(self, project_id: int) -> list[Hook]:
        """Return the project's own webhooks. Raise NotFound, Forbidden."""
        return hooks.read(self._session, self._directory.path(project_id))

    def ensure_hook(self, project_id: int, url: str, secret: HookSecret, *, instead_of: Collection[int] = ()) -> Hook:
        """Make pushes of submissions known at ``url``. Raise NotFound, Forbidden, UnexpectedAnswer."""
        return hooks.ensure(self._session, self._directory.path(project_id), url, secret, instead_of)

    def remove_hook(self, project_id: int, hook_id: int) -> None:
        """Remove the hook. Raise Forbidden."""
        hooks.remove(self._session, self._directory.path(project_id), hook_id)

    def deliveries(self, project_id: int, hook_id: int) -> list[Delivery]:
        """Return nothing: the server shows its record of deliveries on its pages only."""
        return []

    def create_account(self, username: str, *, name: str, email: str) -> Account:
        """Create a confirmed account with a random password. Raise Conflict, Forbidden."""
        return self._accounts.create(username, name=name, email=email)

    def open_account(self, username: str, *, name: str, email: str, sign_in: SignInAs | None) -> Account:
        """Create an account for a person, who gets in by the institution or by a message. Raise Conflict."""
        return accounts.open_for(self._session, username, name=name, email=email, sign_in=sign_in)

    def find_signed_in(self, sign_in: SignInAs) -> Account | None:
        """Return the account that signs in exactly so. Raise Forbidden."""
        return accounts.signed_in(self._session, sign_in)

    def create_token(self, account: Account, *, name: str, scopes: Collection[str], expires: date) -> Token:
        """Create a token of an account that this object made; it does not expire. Raise Forbidden."""
        if expires < datetime.now(timezone.utc).date():
            raise UnexpectedAnswer(f"{self.url} makes no tokens that expire: one until {expires} would stay valid.")
        return self._accounts.create_token(account, name=name, words=scopes)

    def _me(self) -> Account:
        with self._lock:
            known = self._account
        return known or self.account()

    def _page(self, project: Project) -> str:
        return f"{self.url}/{self._names.organisation(project.group_path)}/{project.path}"


def _organisation(path: str) -> str:
    return path.split("/")[2]
