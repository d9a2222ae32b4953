"""The secrets of webhooks: made from one key and the project's number, so that no list of them lies anywhere.

Who learns the secret of one project (its student cannot: only maintainers see hooks) knows nothing of the others'.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass, field

from git_exchange.rules import layout

KEY_BYTES = 32
_TOKEN = "git-exchange hook token"  # noqa: S105 - labels of what is made of the key, no secrets
_SIGNING_TOKEN = "git-exchange hook signing token"  # noqa: S105
_FINGERPRINT = "git-exchange hook key"


@dataclass(frozen=True)
class HookSecret:
    """One project's secret in the two forms that forges take.

    ``token`` is plain text: GitLab's X-Gitlab-Token, and the key of Gitea's and Forgejo's HMAC. ``signing_token`` is
    GitLab's since 19.0 ("whsec_" and the Base64 of 32 bytes, https://www.standardwebhooks.com).
    """

    token: str = field(repr=False)
    signing_token: str = field(repr=False)


def derive(key: bytes, project_id: int) -> HookSecret:
    """Return the secret of the project's hook. Raise ValueError for a key that is not 32 bytes."""
    return HookSecret(
        token=_made(key, _TOKEN, project_id).hex(),
        signing_token="whsec_" + base64.b64encode(_made(key, _SIGNING_TOKEN, project_id)).decode("ascii"),
    )


def fingerprint(key: bytes) -> str:
    """Return eight hex digits that name the key and tell nothing of it. Raise ValueError as ``derive`` does."""
    return _made(key, _FINGERPRINT).hex()[:8]


def hook_url(public_url: str, course_id: str, project_id: int) -> str:
    """Return where the project's hook sends to, on the collector's ``public_url``."""
    return f"{public_url.rstrip('/')}/hooks/{layout.course_slug(course_id)}/{project_id}"


def _made(key: bytes, *about: object) -> bytes:
    if len(key) != KEY_BYTES:
        raise ValueError(f"a key of hooks is {KEY_BYTES} bytes, not {len(key)}")
    return hmac.digest(key, "\0".join(map(str, about)).encode(), hashlib.sha256)
