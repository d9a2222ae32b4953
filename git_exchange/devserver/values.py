"""What the server knows about: frozen values as they come out of the store. Times are aware UTC datetimes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any


@dataclass(frozen=True)
class User:
    """An account. ``state`` is "active" or "blocked"."""

    id: int
    username: str
    name: str
    email: str
    state: str
    is_admin: bool
    created_at: datetime


@dataclass(frozen=True)
class AccessToken:
    """What is known about a token; its secret is stored only as a digest."""

    id: int
    user_id: int
    name: str
    scopes: tuple[str, ...]
    expires_at: date | None
    revoked: bool
    impersonation: bool
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True)
class Namespace:
    """A group, or the personal namespace of the user ``owner_id``. ``settings`` are those given, without defaults."""

    id: int
    kind: str
    parent_id: int | None
    path: str
    name: str
    full_path: str
    full_name: str
    owner_id: int | None
    visibility: str
    description: str
    created_at: datetime
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class Project:
    """A project; ``storage`` is its repository's place below the folder of repositories."""

    id: int
    namespace_id: int
    path: str
    name: str
    full_path: str
    description: str | None
    visibility: str
    default_branch: str | None
    archived: bool
    creator_id: int
    created_at: datetime
    last_activity_at: datetime
    storage: str
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class Member:
    """A direct membership in the project or group (``source``, ``source_id``)."""

    source: str
    source_id: int
    user_id: int
    level: int
    created_at: datetime
    created_by: int | None
    expires_at: date | None


@dataclass(frozen=True)
class ProtectedBranch:
    """A rule of a project."""

    id: int
    project_id: int
    name: str
    push_level: int
    merge_level: int
    unprotect_level: int
    allow_force_push: bool


@dataclass(frozen=True)
class ProtectedTag:
    """A tag rule of a project."""

    project_id: int
    name: str
    create_level: int


@dataclass(frozen=True)
class PushEvent:
    """A push as it stands in the activity feed; a bulk event has a ``ref_count`` and neither ref nor commits."""

    id: int
    project_id: int
    author_id: int
    created_at: datetime
    action: str
    ref_type: str
    ref: str | None
    commit_from: str | None
    commit_to: str | None
    commit_title: str | None
    commit_count: int
    ref_count: int | None


@dataclass(frozen=True)
class Hook:
    """A project's webhook. ``settings`` are the flags that the API shows; the secrets are never shown."""

    id: int
    project_id: int
    url: str
    token: str
    signing_token: str
    custom_headers: tuple[tuple[str, str], ...]
    settings: Mapping[str, Any]
    created_at: datetime


@dataclass(frozen=True)
class Alert:
    """Whether a webhook is sent to: "executable", "temporarily_disabled" with ``until``, or "disabled"."""

    status: str
    until: datetime | None


@dataclass(frozen=True)
class Delivery:
    """One attempt to deliver a webhook; ``status`` is the HTTP status or why there was none."""

    id: int
    hook_id: int
    url: str
    trigger: str
    status: str
    duration: float
    request_headers: Mapping[str, str]
    request_data: str
    response_headers: Mapping[str, str]
    response_body: str
    created_at: datetime
