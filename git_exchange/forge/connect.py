"""Which adapter serves which kind of forge.

Connecting asks nothing where the kind is said: the first call shows whether it works. With the kind "auto" the
server is asked what it is, once per process.
"""

from __future__ import annotations

from git_exchange.errors import ConfigurationError
from git_exchange.forge.detect import detect
from git_exchange.forge.gitea.adapter import Gitea
from git_exchange.forge.gitlab.adapter import GitLab
from git_exchange.forge.ports import Forge, ForgeAccounts, ForgeAdmin, ForgeHooks
from git_exchange.secret import Token
from git_exchange.settings import Settings

# What a server is does not change while a process lives.
_detected: dict[str, str] = {}


def connect(settings: Settings, token: Token) -> Forge:
    """Return the forge as the token's account."""
    return _adapter(settings, token)


def connect_admin(settings: Settings, token: Token) -> ForgeAdmin:
    """Return the same with what opening and changing a course needs; the forge decides who may."""
    return _adapter(settings, token)


def connect_accounts(settings: Settings, token: Token) -> ForgeAccounts:
    """Return what a site administrator can do on the forge."""
    return _adapter(settings, token)


def hooks_by(forge: Forge) -> ForgeHooks:
    """Return what looks after webhooks on the same connection, which knows the course's projects already."""
    if not isinstance(forge, (GitLab, Gitea)):
        raise ConfigurationError("This connection knows nothing of webhooks.")
    return forge


def _adapter(settings: Settings, token: Token) -> GitLab | Gitea:
    kind = settings.kind
    if kind == "auto":
        if settings.url not in _detected:
            _detected[settings.url] = detect(settings)
        kind = _detected[settings.url]
    if kind == GitLab.kind:
        return GitLab(settings, token)
    if kind == Gitea.kind:
        return Gitea(settings, token)
    raise ConfigurationError(f"There is no adapter for the kind of forge {kind!r}.")
