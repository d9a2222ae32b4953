"""Which LMS, and which course in it: a TOML file that the course's staff keep, without a secret in it.

For grades it also names ``line_items_url`` (LTI), or the assignments in ``[columns]`` (Canvas; ``ps1 = "1234"``).

::

    kind = "lti"                                   # or "canvas", "moodle"
    issuer = "https://moodle.example.edu"
    client_id = "aBcD1234"
    token_url = "https://moodle.example.edu/mod/lti/token.php"
    memberships_url = "https://moodle.example.edu/mod/lti/services.php/CourseSection/2/bindings/1/memberships"
    context_id = "2"
    private_key_file = "lti-key.pem"

    [roles]                                        # LMS user id = role, where the LMS cannot say it
    "5" = "grader"

    [sign_in]                                      # how the same people sign in to the forge
    provider = "saml"                              # GitLab: the provider's name; Gitea, Forgejo: the source's number
    identity = "sourced_id"                        # or "login", "email", "lms_user_id": the id there
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from git_exchange.errors import ConfigurationError
from git_exchange.files.toml import read_toml
from git_exchange.provisioning.lms.keys import read_key
from git_exchange.provisioning.lms.lti_token import Platform, TokenSource
from git_exchange.provisioning.lms.session import LmsSession
from git_exchange.provisioning.people import IDENTITIES, ROLES, Roster, SignIn
from git_exchange.provisioning.sources.canvas import CanvasCourse, read_canvas
from git_exchange.provisioning.sources.lti import Members, read_lti
from git_exchange.provisioning.sources.moodle import MoodleCourse, read_moodle
from git_exchange.secret import Token

TOKEN_VARIABLE = "GIT_EXCHANGE_LMS_TOKEN"  # noqa: S105 - the variable's name
_COMMON = {"kind", "ca_bundle", "roles", "sign_in"}
_REST = _COMMON | {"url", "course", "token_file"}
KEYS = {
    "lti": _COMMON
    | {"issuer", "client_id", "token_url", "audience", "memberships_url", "context_id", "private_key_file", "key_id"}
    | {"line_items_url"},
    "canvas": _REST | {"columns"},
    "moodle": _REST,
}
NEEDED = {
    "lti": {"issuer", "client_id", "token_url", "memberships_url", "private_key_file"},
    "canvas": {"url", "course"},
    "moodle": {"url", "course"},
}


@dataclass(frozen=True)
class LmsFile:
    """What the file says: ``said`` has the texts, ``roles`` the overrides (LMS user id -> role).

    ``sign_in`` is how the same people sign in to the forge, None if the file does not say.
    ``columns`` is assignment -> number of the assignment in Canvas.
    """

    path: Path
    kind: str
    said: Mapping[str, str]
    roles: Mapping[str, str] = field(default_factory=dict)
    sign_in: SignIn | None = None
    columns: Mapping[str, str] = field(default_factory=dict)

    def beside(self, name: str) -> Path | None:
        """Return the file that a key names, relative to this one; None if it names none."""
        value = self.said.get(name)
        return self.path.parent / Path(value).expanduser() if value else None

    def session(self, url: str) -> LmsSession:
        """Return a connection to the origin of ``url``."""
        return LmsSession(url, ca_bundle=self.beside("ca_bundle"))

    def platform_key(self) -> TokenSource:
        """Return where LTI access tokens come from."""
        said = self.said
        platform = Platform(said["issuer"], said["client_id"], said["token_url"], said.get("audience", ""))
        key_file = self.beside("private_key_file")
        assert key_file is not None  # noqa: S101 - read_lms_file demands it
        return TokenSource(platform, read_key(key_file, said.get("key_id", "")), self.session(platform.token_url))

    def token(self) -> Token:
        """Return the token of Canvas or Moodle, from the environment or the token file. Raise ConfigurationError."""
        value, source = os.environ.get(TOKEN_VARIABLE, "").strip(), TOKEN_VARIABLE
        file = self.beside("token_file")
        if not value and file is not None:
            value, source = _private_text(file), f"token file {file.name}"
        if not value:
            raise ConfigurationError(
                f"There is no token for {self.said['url']}.",
                hint=f"Set {TOKEN_VARIABLE}, or name a file that only you can read: token_file in {self.path.name}.",
            )
        try:
            return Token(value, source)
        except ValueError as error:
            raise ConfigurationError(f"{error}.".capitalize(), hint="Copy the token again, as one line.") from error


def read_lms_file(path: Path) -> LmsFile:
    """Return what the file says. Raise ConfigurationError naming what is wrong in it."""
    said = read_toml(path)
    kind = said.get("kind")
    if kind not in KEYS:
        raise ConfigurationError(f"{path} says kind = {kind!r}.", hint=f"Use one of: {', '.join(sorted(KEYS))}.")
    if {"token", "private_key", "password"} & said.keys():
        raise ConfigurationError(
            f"{path} holds a secret, which others may read there.",
            hint="Take it out, and name a file that only you can read (token_file, private_key_file).",
        )
    if unknown := sorted(said.keys() - KEYS[kind]):
        raise ConfigurationError(
            f"{path} has unknown keys: {', '.join(unknown)}.", hint=f"Known: {', '.join(sorted(KEYS[kind]))}."
        )
    if missing := sorted(name for name in NEEDED[kind] if not said.get(name)):
        raise ConfigurationError(f"{path} lacks: {', '.join(missing)}.", hint="The LMS shows these values.")
    roles = _roles(path, said.get("roles", {}))
    sign_in = _sign_in(path, said["sign_in"]) if "sign_in" in said else None
    columns = _columns(path, said.get("columns", {}))
    texts = {name: str(value) for name, value in said.items() if name not in ("roles", "sign_in", "columns")}
    return LmsFile(path, kind, texts, roles, sign_in, columns)


def read_lms(file: LmsFile) -> Roster:
    """Return the roster of the course that the file names. Raise LmsError, ConfigurationError."""
    return replace(_read(file), sign_in=file.sign_in)


def _read(file: LmsFile) -> Roster:
    said = file.said
    if file.kind == "lti":
        members = Members(said["memberships_url"], said["issuer"], said.get("context_id", ""), file.roles)
        return read_lti(members, file.platform_key(), file.session(members.url))
    if file.kind == "canvas":
        return read_canvas(
            CanvasCourse(said["url"], said["course"], file.roles), file.token(), file.session(said["url"])
        )
    return read_moodle(MoodleCourse(said["url"], said["course"], file.roles), file.token(), file.session(said["url"]))


def _roles(path: Path, said: Any) -> dict[str, str]:
    if not isinstance(said, dict) or set(said.values()) - set(ROLES):
        raise ConfigurationError(
            f"{path}: [roles] must give LMS user ids one of the roles {', '.join(ROLES)}.",
            hint='For example:  "5" = "grader"',
        )
    return {str(identity): role for identity, role in said.items()}


def _sign_in(path: Path, said: Any) -> SignIn:
    if (
        not isinstance(said, dict)
        or said.keys() != {"provider", "identity"}
        or not str(said["provider"])
        or said["identity"] not in IDENTITIES
    ):
        raise ConfigurationError(
            f"{path}: [sign_in] must name a provider, and as identity one of {', '.join(IDENTITIES)}.",
            hint='For example:  provider = "saml"  and  identity = "login"',
        )
    return SignIn(str(said["provider"]), said["identity"])


def _columns(path: Path, said: Any) -> dict[str, str]:
    if not isinstance(said, dict) or not all(str(number).isdecimal() for number in said.values()):
        raise ConfigurationError(
            f"{path}: [columns] must give assignments the number of an assignment in Canvas.",
            hint='For example:  ps1 = "1234", the number in its address in Canvas',
        )
    return {str(assignment_id): str(number) for assignment_id, number in said.items()}


def _private_text(file: Path) -> str:
    try:
        if os.name == "posix" and file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise ConfigurationError(
                f"Other users of this machine can read the token file {file.name!r}.", hint=f"Run: chmod 600 {file}"
            )
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"The token file {file} cannot be read.") from error
