"""What Gitea and Forgejo still have of a project after its branches have moved on.

The server keeps a reflog of every branch (90 days; 30 for what a branch no longer holds), which ``git gc`` honours;
then git's own two weeks pass. No request of the API collects one project; the task for all of them (``git_gc_repos``)
is off unless the operator turns it on. (modules/setting/git.go, services/cron/tasks_extended.go)
"""

from __future__ import annotations

from git_exchange.errors import UnexpectedAnswer
from git_exchange.forge.gitea.session import Session
from git_exchange.forge.ports import Forgetting


def answers(session: Session, project: str, what: str) -> bool:
    """Return whether there is something at ``what`` in the git data of ``project`` (a path of the API)."""
    try:
        if session.exists(f"{project}/git/{what}"):
            return True
    except UnexpectedAnswer as error:
        if "does not exist" not in error.message:  # what a file that is not there is answered with, status 400
            raise
    session.answer("get", project)  # raises NotFound if it is the project that is missing
    return False


def forget() -> Forgetting:
    """Return what is true of every server of this kind."""
    return Forgetting(
        False,
        "Gitea and Forgejo drop objects only when the server collects garbage (the task git_gc_repos, off by default),"
        " and then 30 days after they became unreachable at the earliest. The server's operator can do it at once, in"
        " the project's folder: git reflog expire --expire=now --expire-unreachable=now --all && git gc --prune=now",
    )
