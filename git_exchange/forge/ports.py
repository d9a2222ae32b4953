"""What a forge is to the rest of the package: values and protocols, without a vendor's word in them.

Lists are complete (paging is the adapter's), ``ensure_*`` is idempotent, ``find_*`` and ``list`` never create.
Every method may raise ``TokenRefused``, ``ForgeUnreachable``, ``Throttled`` and ``UnexpectedAnswer``; further errors
stand at the method. Refs are always full ("refs/heads/submit/ps1"), times are aware UTC datetimes of the forge's clock.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum, IntEnum
from typing import Protocol

from git_exchange.rules.hook_secrets import HookSecret
from git_exchange.secret import Token

# The name of the status by which students see at a commit of theirs that it was received.
RECEIVED = "git-exchange/received"


class Role(IntEnum):
    """What an account may do in a project; the numbers only order them."""

    NONE = 0
    READER = 20
    STUDENT = 30
    GRADER = 31
    INSTRUCTOR = 40


class Visibility(Enum):
    """Who sees a group or project besides its members."""

    PRIVATE = "private"
    SIGNED_IN = "signed-in"
    PUBLIC = "public"


@dataclass(frozen=True)
class Account:
    """A person or bot on the forge. ``id`` never changes, ``username`` may."""

    id: int
    username: str
    name: str = ""
    is_admin: bool = False


@dataclass(frozen=True)
class SignInAs:
    """How somebody signs in to the forge by the institution: ``identity`` is the person's id there, exactly.

    ``provider`` is the forge's own word for the institution's sign-in. GitLab: the provider's name ("saml"); Gitea and
    Forgejo: the number of the authentication source ("1").
    """

    provider: str
    identity: str


@dataclass(frozen=True)
class ServerInfo:
    """The server's ``version`` as it says it, and the difference of its clock to ours.

    ``clock_ahead`` is in seconds, positive if the forge's clock is ahead of this machine's; it comes from the HTTP
    ``Date`` header and is exact to about a second.
    """

    kind: str
    version: str
    date: datetime
    clock_ahead: float


@dataclass(frozen=True)
class Group:
    """A group (Gitea: organisation). ``full_path`` is what URLs use."""

    id: int
    full_path: str
    name: str
    description: str
    visibility: Visibility
    web_url: str


@dataclass(frozen=True)
class Project:
    """A project (repository). ``id`` is its identity; ``path`` is its last path component."""

    id: int
    group_path: str
    path: str
    description: str
    visibility: Visibility
    archived: bool
    web_url: str
    last_activity: datetime | None = None


@dataclass(frozen=True)
class Push:
    """A push as the forge recorded it: evidence of time.

    ``ref`` is full; None for a bulk event, which names no ref. ``before`` is None if the push created the ref,
    ``after`` None if it removed it.
    """

    id: int
    project_id: int
    ref: str | None
    before: str | None
    after: str | None
    at: datetime
    account: Account


@dataclass(frozen=True)
class Member:
    """An account's role; ``direct`` is False if it comes from the group."""

    account: Account
    role: Role
    direct: bool


@dataclass(frozen=True)
class BranchRule:
    """Who may push to the branches that ``pattern`` matches; force pushes and deletion are always refused."""

    pattern: str
    push: Role


@dataclass(frozen=True)
class Branch:
    """A branch and its head. ``ref`` is full; ``message`` is the head commit's, complete with trailers."""

    ref: str
    commit: str
    message: str


@dataclass(frozen=True)
class HeadsAt:
    """Heads of many projects, and the forge's clock when it answered (already one second on the safe side).

    ``heads`` maps (project id, full ref) to the commit; a ref that does not exist is absent. ``unreadable`` names
    projects whose refs could not be read, with the reason.
    """

    heads: Mapping[tuple[int, str], str]
    at: datetime
    unreadable: Mapping[int, str]


@dataclass(frozen=True)
class Concern:
    """What about the server, or the account on it, should not serve a course. ``state`` is "failed" or "warning"."""

    state: str
    detail: str
    hint: str


@dataclass(frozen=True)
class Forgetting:
    """What becomes of objects that no branch holds any more: whether the forge was ``asked`` to drop them now.

    ``detail`` says when it really does, and what has to be done by whom for it.
    """

    asked: bool
    detail: str


@dataclass(frozen=True)
class Hook:
    """A webhook of a project. ``active``: whether the forge sends to it.

    ``disabled_until`` is when it does again by itself; None for an active one, and for one that is off for good.
    ``signs``: whether what it sends carries a signature of the body; a plain secret alone does not. ``narrow``:
    whether it is set up as ``ensure_hook`` does: JSON for pushes to submissions' branches only, the receiver's
    certificate verified.
    """

    id: int
    url: str
    active: bool
    disabled_until: datetime | None
    signs: bool
    narrow: bool


@dataclass(frozen=True)
class Delivery:
    """That the forge sent to a hook. ``status`` is the receiver's HTTP status, or in words why there was none.

    ``at`` is None where the record does not tell.
    """

    at: datetime | None
    status: str
    ok: bool


class Forge(Protocol):
    """What any account can do."""

    kind: str
    url: str
    # Of several branch rules that match: the first one counts (Gitea), or the most permissive one (GitLab).
    first_rule_counts: bool

    def account(self) -> Account:
        """Return who the token belongs to."""

    def scopes(self) -> frozenset[str] | None:
        """Return what the token may be used for, None if the forge does not tell."""

    def token_expires(self) -> date | None:
        """Return the day on which the token expires, None if never or not known."""

    def server(self) -> ServerInfo:
        """Return version and clock of the server."""

    def find_group(self, full_path: str) -> Group:
        """Return the group. Raise NotFound if it is absent or hidden."""

    def find_project(self, full_path: str) -> Project:
        """Return the project at "group/sub/project". Raise NotFound if it is absent or hidden."""

    def projects(self, group: Group) -> list[Project]:
        """Return all projects directly in the group that this account can see, archived ones too."""

    def my_projects(self, search: str) -> list[Project]:
        """Return the projects anywhere of which this account is a member who may push something, by name part."""

    def role_in(self, project: Project, account: Account) -> Role:
        """Return the effective role, inherited ones included; NONE if not a member."""

    def branches(self, project_id: int, prefix: str) -> list[Branch]:
        """Return the branches whose name (without refs/heads/) starts with ``prefix``, with their heads' messages.

        Raise NotFound if the project is absent or hidden.
        """

    def heads(self, group: Group, projects: Collection[Project], refs: Collection[str]) -> HeadsAt:
        """Return the heads of ``refs`` in all ``projects`` of the group, in few requests."""

    def pushes(self, project_id: int, *, since_id: int = 0, after: date | None = None) -> list[Push]:
        """Return the push events of branches and bulk pushes, oldest first, with an id above ``since_id``.

        ``after`` excludes that day and what came before, to spare requests. Raise NotFound.
        """

    def has_commit(self, project_id: int, commit: str) -> bool:
        """Return whether the API still answers with this commit, on a branch or not. Raise NotFound for the project."""

    def has_file(self, project_id: int, blob: str) -> bool:
        """Return whether the API still answers with the file of this object id. Raise NotFound for the project."""

    def git_url(self, project: Project) -> str:
        """Return the URL for git over HTTP(S), without credentials, on the configured origin."""

    def commit_url(self, project: Project, commit: str) -> str:
        """Return the page of a commit, for people."""

    def note_received(self, project_id: int, commit: str, description: str, url: str) -> bool:
        """Show at the commit that it was received (status ``RECEIVED``), a courtesy; False if it was shown already.

        Raise Forbidden (also where the forge has switched statuses off), NotFound.
        """


class ForgeAdmin(Forge, Protocol):
    """What opening and changing a course needs on top."""

    # Whether the forge's API can invite people by e-mail who have no account yet.
    invites: bool

    def concerns(self) -> list[Concern]:
        """Return what the operator of a course should know about this server and account."""

    def ensure_group(self, parent: str, path: str, *, name: str, description: str, visibility: Visibility) -> Group:
        """Return the group ``parent/path``, made or brought to this description and visibility. Raise Forbidden."""

    def ensure_project(
        self, group: Group, path: str, *, description: str, visibility: Visibility, issues: bool
    ) -> Project:
        """Return the project, made with a first commit and every feature off but git (and issues). Raise Forbidden."""

    def rules(self, project_id: int) -> list[BranchRule]:
        """Return the branch rules in force."""

    def ensure_rules(self, project_id: int, rules: Iterable[BranchRule]) -> bool:
        """Make the branch rules exactly these, and let only instructors tag; True if something was changed."""

    def let_rewrite(self, project_id: int, ref: str) -> None:
        """Let instructors, and nobody else, force-push this one branch, until ``ensure_rules`` is called.

        Doing it again changes nothing. Raise Forbidden, also if this server has no such rule.
        """

    def forget(self, project_id: int) -> Forgetting:
        """Ask the forge to drop what no branch of the project holds, as far as this account may ask."""

    def rename_branch(self, project_id: int, ref: str, new: str) -> None:
        """Give a branch another name, protected or not: ``new`` holds the commit before ``ref`` goes. Both are full.

        Raise Forbidden, Conflict if there is a branch ``new``, NotFound if there is no ``ref``.
        """

    def members(self, project_id: int) -> list[Member]:
        """Return direct and inherited members."""

    def group_members(self, group: Group) -> list[Member]:
        """Return the group's own members (``direct``) and those that it inherits from its parents."""

    def set_access(self, project_id: int, account: Account, role: Role) -> bool:
        """Give the account this role in the project (NONE removes it); True if something was changed."""

    def set_group_access(self, group: Group, account: Account, role: Role) -> bool:
        """Give the account this role in the group and all that lies in it; True if something was changed."""

    def invitations(self, project_id: int) -> Mapping[str, datetime]:
        """Return which addresses (in lower case) have an open invitation to the project, and since when.

        Nothing on a forge that has none. Raise Forbidden.
        """

    def invite(self, project_id: int, emails: Sequence[str]) -> Mapping[str, str]:
        """Invite addresses to the project as guests, who read no code of it by that; return refused -> why.

        Whoever has the link that is sent can accept, as any account. Who is a member keeps the role. Raise Forbidden,
        also on a forge that has none.
        """

    def find_account(self, username: str) -> Account | None:
        """Return the account of exactly this user name (case ignored), None if there is none."""

    def account_by_id(self, number: int) -> Account | None:
        """Return the account of this number, whatever it is called now; None if there is none any more."""

    def archive(self, project_id: int) -> None:
        """Make the project read-only."""

    def unarchive(self, project_id: int) -> None:
        """Undo ``archive``; nothing happens to a project that is not archived."""


class ForgeHooks(Protocol):
    """Webhooks of projects, for who may change the project (GitLab: Maintainers)."""

    # Whether the forge tells what became of what it sent; where not, ``deliveries`` is always empty.
    keeps_deliveries: bool

    def hooks(self, project_id: int) -> list[Hook]:
        """Return the hooks of the project, other people's too. Raise NotFound, Forbidden."""

    def ensure_hook(self, project_id: int, url: str, secret: HookSecret, *, instead_of: Collection[int] = ()) -> Hook:
        """Make pushes of submissions known at ``url`` with this secret, by exactly one hook, and return it.

        Others with this ``url`` or a number of ``instead_of`` go, after the new one is there. Whether the hook had
        this secret already, no forge tells: it is set in any case. Raise NotFound, Forbidden, UnexpectedAnswer if the
        forge does not take such a hook.
        """

    def remove_hook(self, project_id: int, hook_id: int) -> None:
        """Remove the hook; one that is gone already is none to remove. Raise Forbidden."""

    def deliveries(self, project_id: int, hook_id: int) -> list[Delivery]:
        """Return what was sent last, at most twenty, the newest first. Raise NotFound, Forbidden."""


class ForgeAccounts(Protocol):
    """What a site administrator can do: used by the demo, by tests and where the operator asks for it."""

    def create_account(self, username: str, *, name: str, email: str) -> Account:
        """Create a confirmed account. Raise Conflict if the user name or address is taken, Forbidden."""

    def open_account(self, username: str, *, name: str, email: str, sign_in: SignInAs | None) -> Account:
        """Create an account for a person who has to get into it.

        With ``sign_in`` by the institution, without a password; else by a message of the forge's to ``email``. Raise
        Conflict if the user name, address or sign-in is taken, Forbidden, UnexpectedAnswer if the forge's rules do not
        allow it.
        """

    def find_signed_in(self, sign_in: SignInAs) -> Account | None:
        """Return the one account that signs in exactly so, None if there is none or more than one. Raise Forbidden."""

    def create_token(self, account: Account, *, name: str, scopes: Collection[str], expires: date) -> Token:
        """Create a token that acts as the account. Raise Forbidden."""
