"""One call for ``nbgrader_config.py``: ``configure(c, "https://gitlab.example.edu", namespace="teaching")``."""

from __future__ import annotations

from typing import Any

from git_exchange.course.credentials import keep_from_environment

CLASSES = {
    "exchange": "git_exchange.plugin.exchange.Exchange",
    "fetch_assignment": "git_exchange.plugin.fetch_assignment.ExchangeFetchAssignment",
    "fetch_feedback": "git_exchange.plugin.fetch_feedback.ExchangeFetchFeedback",
    "release_assignment": "git_exchange.plugin.release_assignment.ExchangeReleaseAssignment",
    "release_feedback": "git_exchange.plugin.release_feedback.ExchangeReleaseFeedback",
    "list": "git_exchange.plugin.list.ExchangeList",
    "submit": "git_exchange.plugin.submit.ExchangeSubmit",
    "collect": "git_exchange.plugin.collect.ExchangeCollect",
}
AUTH_PLUGIN = "git_exchange.plugin.auth.GitExchangeAuthPlugin"


def configure(c: Any, url: str, *, namespace: str, kind: str = "auto", several_courses: bool = False) -> None:
    """Make nbgrader exchange assignments through the forge at ``url``.

    ``c`` is the configuration object of ``get_config()``. ``namespace`` is the full path of the group below which the
    courses lie. ``kind`` is "gitlab" or "gitea" (Forgejo too); "auto" asks the server. ``several_courses`` puts each
    course's assignments into a folder of its own (``path_includes_course``), which students of more than one course
    need. nbgrader's commands for students get our auth plugin; to have another one, set it after this call. A token in
    ``GIT_EXCHANGE_TOKEN`` is taken out of the environment, so that notebooks do not inherit it.
    """
    for trait, name in CLASSES.items():
        setattr(c.ExchangeFactory, trait, name)
    c.Authenticator.plugin_class = AUTH_PLUGIN
    c.GitExchange.url = url
    c.GitExchange.namespace = namespace
    c.GitExchange.kind = kind
    if several_courses:
        c.GitExchange.path_includes_course = True
    keep_from_environment()
