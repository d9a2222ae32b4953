"""The activity of a project: https://docs.gitlab.com/api/events/. Pushes are all that is recorded here."""

from __future__ import annotations

from git_exchange.devserver.api import entities
from git_exchange.devserver.api.answers import Answer, Call, invalid
from git_exchange.devserver.api.routes import Routes

ACTIONS = (
    *("created", "updated", "closed", "reopened", "pushed", "commented", "merged", "joined", "left", "destroyed"),
    *("expired", "approved"),
)

routes = Routes()


@routes.add("GET", "/projects/:id/events", "read_user")
def events(call: Call) -> Answer:
    """List pushes, the newest first; ``after`` and ``before`` are days that do not count themselves."""
    project, given = call.project(), call.parameters
    action = given.text("action")
    if action is not None and action not in ACTIONS:
        raise invalid("action does not have a valid value")
    descending = given.choice("sort", ("asc", "desc"), "desc") == "desc"
    wanted = action in (None, "pushed") and not given.has("target_type") and call.viewer.reads_code(project)
    found = (
        call.site.store.events.of(
            project.id, after=given.day("after"), before=given.day("before"), newest_first=descending
        )
        if wanted
        else []
    )
    part, headers = call.page(found)
    return Answer([entities.event(call.site, event) for event in part], headers=headers)
