"""GitLab's JSON for each value; the names of the fields are those of lib/api/entities."""

from __future__ import annotations

from urllib.parse import quote

from git_exchange.devserver.api.defaults import (
    BRANCH_DEFAULTS,
    GROUP_DEFAULTS,
    HOOK_FLAGS,
    JSON,
    LEVEL_NAMES,
    PROJECT_DEFAULTS,
)
from git_exchange.devserver.clock import Clock, written
from git_exchange.devserver.site import Site
from git_exchange.devserver.store.invitations import Invitation
from git_exchange.devserver.values import (
    AccessToken,
    Alert,
    Delivery,
    Hook,
    Member,
    Namespace,
    Project,
    PushEvent,
    User,
)
from git_exchange.devserver.viewer import Viewer


def user_basic(site: Site, user: User) -> JSON:
    """Return a user as part of another answer."""
    return {
        "id": user.id,
        "username": user.username,
        "public_email": None,
        "name": user.name,
        "state": user.state,
        "locked": False,
        "avatar_url": None,
        "web_url": f"{site.url}/{user.username}",
    }


def user_public(site: Site, user: User) -> JSON:
    """Return a user as anybody signed in sees them."""
    return user_basic(site, user) | {
        "created_at": written(user.created_at),
        "bio": "",
        "location": "",
        "linkedin": "",
        "twitter": "",
        "website_url": "",
        "organization": "",
        "job_title": "",
        "bot": False,
        "followers": 0,
        "following": 0,
    }


def user_full(site: Site, user: User) -> JSON:
    """Return a user as they themselves or an administrator sees them."""
    shown = user_public(site, user) | {
        "confirmed_at": written(user.created_at),
        "last_sign_in_at": None,
        "current_sign_in_at": None,
        "last_activity_on": None,
        "email": user.email,
        "commit_email": user.email,
        "theme_id": 3,
        "color_scheme_id": 1,
        "projects_limit": 100000,
        "identities": [
            {"provider": provider, "extern_uid": extern_uid, "saml_provider_id": None}
            for provider, extern_uid in site.store.accounts.identities(user.id)
        ],
        "can_create_group": True,
        "can_create_project": True,
        "two_factor_enabled": False,
        "external": False,
        "private_profile": False,
        "namespace_id": site.store.namespaces.personal(user.id).id,
    }
    return shown | {"is_admin": True} if user.is_admin else shown


def token(value: AccessToken, clock: Clock, secret: str | None = None) -> JSON:
    """Return a token; its ``secret`` only when it was just made."""
    expired = value.expires_at is not None and value.expires_at <= clock.now().date()
    shown: JSON = {
        "id": value.id,
        "name": value.name,
        "revoked": value.revoked,
        "created_at": written(value.created_at),
        "description": None,
        "scopes": list(value.scopes),
        "user_id": value.user_id,
        "last_used_at": written(value.last_used_at) if value.last_used_at else None,
        "active": not value.revoked and not expired,
        "expires_at": value.expires_at.isoformat() if value.expires_at else None,
    }
    if value.impersonation:
        shown["impersonation"] = True
    if secret is not None:
        shown["token"] = secret
    return shown


def group(site: Site, value: Namespace) -> JSON:
    """Return a group."""
    settings = GROUP_DEFAULTS | {name: value.settings[name] for name in GROUP_DEFAULTS if name in value.settings}
    return settings | {
        "id": value.id,
        "web_url": f"{site.url}/groups/{value.full_path}",
        "name": value.name,
        "path": value.path,
        "description": value.description,
        "visibility": value.visibility,
        "emails_disabled": not settings["emails_enabled"],
        "archived": False,
        "default_branch_protection_defaults": BRANCH_DEFAULTS
        | value.settings.get("default_branch_protection_defaults", {}),
        "avatar_url": None,
        "full_name": value.full_name,
        "full_path": value.full_path,
        "created_at": written(value.created_at),
        "parent_id": value.parent_id,
        "organization_id": 1,
        "marked_for_deletion_on": None,
    }


def namespace(site: Site, value: Namespace) -> JSON:
    """Return a namespace as part of a project."""
    place = f"groups/{value.full_path}" if value.kind == "group" else value.full_path
    return {
        "id": value.id,
        "name": value.name,
        "path": value.path,
        "kind": value.kind,
        "full_path": value.full_path,
        "parent_id": value.parent_id,
        "avatar_url": None,
        "web_url": f"{site.url}/{place}",
    }


def project_simple(site: Site, value: Project, home: Namespace, *, code: bool) -> JSON:
    """Return a project as lists with ``simple=true`` have it; ``code`` is whether the asker may read it."""
    topics = list(value.settings.get("topics", []))
    host = site.url.split("//", 1)[1].split(":", 1)[0]
    shown: JSON = {
        "id": value.id,
        "description": value.description,
        "name": value.name,
        "name_with_namespace": f"{home.full_name} / {value.name}",
        "path": value.path,
        "path_with_namespace": value.full_path,
        "created_at": written(value.created_at),
        "tag_list": topics,
        "topics": topics,
        "ssh_url_to_repo": f"git@{host}:{value.full_path}.git",
        "http_url_to_repo": f"{site.url}/{value.full_path}.git",
        "web_url": f"{site.url}/{value.full_path}",
        "avatar_url": None,
        "star_count": 0,
        "last_activity_at": written(value.last_activity_at),
        "visibility": value.visibility,
        "namespace": namespace(site, home),
    }
    if code:
        shown |= {
            "default_branch": value.default_branch,
            "readme_url": f"{site.url}/{value.full_path}/-/blob/{value.default_branch}/README.md"
            if value.default_branch
            else None,
            "forks_count": 0,
        }
    return shown


def project(site: Site, value: Project, home: Namespace, viewer: Viewer) -> JSON:
    """Return a project in full, with what the asker may do in it."""
    code = viewer.reads_code(value)
    settings = PROJECT_DEFAULTS | {n: value.settings[n] for n in PROJECT_DEFAULTS if n in value.settings}
    direct = None if viewer.user is None else site.store.members.find("project", value.id, viewer.user.id)
    inherited = viewer.namespace_level(home.id)
    api = f"{site.url}/api/v4/projects/{value.id}"
    links = {"self": api, "issues": f"{api}/issues", "repo_branches": f"{api}/repository/branches"}
    deprecated = {
        f"{old}_enabled": settings[f"{new}_access_level"] != "disabled"
        for old, new in {
            "issues": "issues",
            "merge_requests": "merge_requests",
            "wiki": "wiki",
            "jobs": "builds",
            "snippets": "snippets",
            "container_registry": "container_registry",
        }.items()
    }
    shown = project_simple(site, value, home, code=code) | settings | deprecated
    return shown | {
        "container_registry_image_prefix": f"registry/{value.full_path}",
        "_links": links | {"events": f"{api}/events", "members": f"{api}/members"},
        "empty_repo": value.default_branch is None,
        "archived": value.archived,
        "creator_id": value.creator_id,
        "updated_at": written(value.last_activity_at),
        "import_status": "none",
        "open_issues_count": 0,
        "repository_object_format": "sha1",
        "emails_disabled": not settings["emails_enabled"],
        "can_create_merge_request_in": viewer.user is not None and code,
        "shared_with_groups": [],
        "marked_for_deletion_on": None,
        "marked_for_deletion_at": None,
        "permissions": {
            "project_access": {"access_level": direct.level, "notification_level": 3} if direct else None,
            "group_access": {"access_level": inherited, "notification_level": 3}
            if home.kind == "group" and inherited
            else None,
        },
    }


def member(site: Site, value: Member, user: User) -> JSON:
    """Return a member."""
    shown = user_basic(site, user) | {
        "access_level": value.level,
        "created_at": written(value.created_at),
        "expires_at": value.expires_at.isoformat() if value.expires_at else None,
        "membership_state": "active",
    }
    creator = None if value.created_by is None else site.store.accounts.find(value.created_by)
    return shown | {"created_by": user_basic(site, creator)} if creator else shown


def invitation(site: Site, value: Invitation) -> JSON:
    """Return an invitation that nobody has accepted yet; its secret token is not told."""
    return {
        "access_level": value.level,
        "created_at": written(value.created_at),
        "expires_at": value.expires_at.isoformat() if value.expires_at else None,
        "invite_email": value.email,
        "user_name": None,
        "created_by_name": site.store.accounts.get(value.created_by).name,
    }


def access_levels(level: int, number: int) -> list[JSON]:
    """Return the one level of a rule as GitLab lists levels."""
    return [
        {
            "id": number,
            "access_level": level,
            "access_level_description": LEVEL_NAMES[level],
            "deploy_key_id": None,
            "user_id": None,
            "group_id": None,
        }
    ]


def event(site: Site, value: PushEvent) -> JSON:
    """Return a push event."""
    author = site.store.accounts.get(value.author_id)
    names = {"created": "pushed new", "pushed": "pushed to", "removed": "deleted"}
    return {
        "id": value.id,
        "project_id": value.project_id,
        "action_name": names[value.action],
        "target_id": None,
        "target_iid": None,
        "target_type": None,
        "author_id": value.author_id,
        "target_title": None,
        "created_at": written(value.created_at),
        "author": user_basic(site, author),
        "imported": False,
        "imported_from": "none",
        "push_data": {
            "commit_count": value.commit_count,
            "action": value.action,
            "ref_type": value.ref_type,
            "commit_from": value.commit_from,
            "commit_to": value.commit_to,
            "ref": value.ref,
            "commit_title": value.commit_title,
            "ref_count": value.ref_count,
        },
        "author_username": author.username,
    }


def hook(value: Hook, alert: Alert) -> JSON:
    """Return a webhook, without its secrets."""
    return (
        HOOK_FLAGS
        | dict(value.settings)
        | {
            "id": value.id,
            "url": value.url,
            "created_at": written(value.created_at),
            "alert_status": alert.status,
            "disabled_until": None if alert.until is None else written(alert.until),
            "url_variables": [],
            "custom_headers": [{"key": key} for key, _ in value.custom_headers],
            "token_present": bool(value.token),
            "signing_token_present": bool(value.signing_token),
            "project_id": value.project_id,
        }
    )


def delivery(value: Delivery) -> JSON:
    """Return one attempt to deliver a webhook."""
    return {
        "id": value.id,
        "url": value.url,
        "trigger": value.trigger,
        "request_headers": dict(value.request_headers),
        "request_data": value.request_data,
        "response_headers": dict(value.response_headers),
        "response_body": value.response_body,
        "execution_duration": value.duration,
        "response_status": value.status,
    }


def quoted(ref: str) -> str:
    """Return a ref for use in a page's address."""
    return quote(ref, safe="/")
