"""What GitLab says of groups, projects and webhooks about which nothing else was asked."""

from __future__ import annotations

from typing import Any

JSON = dict[str, Any]

FEATURES = (
    *("issues", "repository", "merge_requests", "forking", "wiki", "builds", "snippets", "pages", "analytics"),
    *("container_registry", "security_and_compliance", "releases", "environments", "feature_flags", "infrastructure"),
    *("monitor", "model_experiments", "model_registry", "requirements"),
)
PRIVATE_FEATURES = ("pages", "security_and_compliance", "requirements")

PROJECT_DEFAULTS: JSON = {
    **{f"{feature}_access_level": "private" if feature in PRIVATE_FEATURES else "enabled" for feature in FEATURES},
    "request_access_enabled": True,
    "lfs_enabled": True,
    "packages_enabled": True,
    "shared_runners_enabled": True,
    "group_runners_enabled": True,
    "auto_devops_enabled": False,
    "emails_enabled": True,
    "service_desk_enabled": False,
    "public_jobs": True,
    "only_allow_merge_if_pipeline_succeeds": False,
    "only_allow_merge_if_all_discussions_are_resolved": False,
    "remove_source_branch_after_merge": True,
    "printing_merge_request_link_enabled": True,
    "merge_method": "merge",
    "squash_option": "default_off",
    "autoclose_referenced_issues": True,
    "build_timeout": 3600,
    "ci_config_path": None,
    "keep_latest_artifact": True,
    "resolve_outdated_diff_discussions": False,
    "topics": [],
}

GROUP_DEFAULTS: JSON = {
    "share_with_group_lock": False,
    "require_two_factor_authentication": False,
    "two_factor_grace_period": 48,
    "project_creation_level": "developer",
    "auto_devops_enabled": None,
    "subgroup_creation_level": "maintainer",
    "emails_enabled": True,
    "show_diff_preview_in_email": True,
    "mentions_disabled": None,
    "lfs_enabled": True,
    "math_rendering_limits_enabled": True,
    "lock_math_rendering_limits_enabled": False,
    "default_branch": None,
    "default_branch_protection": 2,
    "request_access_enabled": True,
    "shared_runners_setting": "enabled",
    "max_artifacts_size": None,
}

BRANCH_DEFAULTS: JSON = {
    "allowed_to_push": [{"access_level": 40}],
    "allow_force_push": False,
    "allowed_to_merge": [{"access_level": 40}],
    "developer_can_initial_push": False,
}

LEVEL_NAMES = {0: "No one", 30: "Developers + Maintainers", 40: "Maintainers", 60: "Instance admins"}

HOOK_FLAGS: JSON = {
    "name": None,
    "description": None,
    "push_events": True,
    "tag_push_events": False,
    "merge_requests_events": False,
    "repository_update_events": False,
    "enable_ssl_verification": True,
    "issues_events": False,
    "confidential_issues_events": False,
    "note_events": False,
    "confidential_note_events": None,
    "pipeline_events": False,
    "wiki_page_events": False,
    "deployment_events": False,
    "feature_flag_events": False,
    "job_events": False,
    "releases_events": False,
    "emoji_events": False,
    "resource_access_token_events": False,
    "push_events_branch_filter": None,
    "branch_filter_strategy": "wildcard",
    "custom_webhook_template": None,
}
