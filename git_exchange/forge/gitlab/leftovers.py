"""What GitLab still has of a project after its branches have moved on, and how it is told to drop it.

Objects that no ref holds are answered by their id until they are pruned. Pruning leaves what became unreachable in the
last half hour: a push that is under way could need it. https://docs.gitlab.com/api/projects/ (housekeeping) and
https://docs.gitlab.com/administration/housekeeping/
"""

from __future__ import annotations

from git_exchange.errors import Conflict, Forbidden, NotFound, Throttled
from git_exchange.forge.gitlab.session import Session
from git_exchange.forge.ports import Forgetting

_LATER = (
    "GitLab drops objects by a prune that comes at least 30 minutes after they became unreachable, and not at all while"
    " a comment, a pipeline or a merge request refers to their commit"
)


def answers(session: Session, project: str, what: str) -> bool:
    """Return whether there is something at ``what`` in the repository of ``project`` (a path of the API)."""
    try:
        session.answer("get", f"{project}/repository/{what}")
    except NotFound:
        session.answer("get", project)  # the object is missing, not the project
        return False
    return True


def prune(session: Session, project: str) -> Forgetting:
    """Start a prune of what no branch holds."""
    try:
        session.change("post", f"{project}/housekeeping", {"task": "prune"})
    except (Forbidden, NotFound):
        return Forgetting(
            False, f"{_LATER}. Only an Owner may start one (Settings > General > Advanced > Prune unreachable objects)."
        )
    except (Conflict, Throttled):
        return Forgetting(True, f"{_LATER}. One is under way already.")
    return Forgetting(True, f"{_LATER}. One was started now, for what is older.")
