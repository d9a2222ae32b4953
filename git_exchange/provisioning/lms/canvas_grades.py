"""Grades by Canvas' REST API, into an assignment that a teacher made there.

Source: Canvas' documentation of "Submissions" (Grade or comment on multiple submissions), "Assignments" and "Progress".
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import requests

from git_exchange.errors import ConfigurationError, LmsError, LmsRefused, LmsUnreachable
from git_exchange.provisioning.grades import Mark
from git_exchange.provisioning.lms.session import LmsSession, json_of, next_page
from git_exchange.secret import Token

# Grades that count in points; the others (pass_fail, not_graded) cannot hold nbgrader's.
IN_POINTS = {"points", "percent", "letter_grade", "gpa_scale"}
AT_ONCE = 200
PATIENCE, PAUSE = 300, 1.0  # looks at a Progress, and seconds between two of them


@dataclass(frozen=True)
class CanvasColumn:
    """An assignment in Canvas. ``wait`` sleeps; tests give another one."""

    url: str
    maximum: float
    token: Token
    session: LmsSession
    api: str
    wait: Callable[[float], None] = time.sleep

    def read(self) -> dict[str, float]:
        """Return Canvas user id -> points. Raise LmsError."""
        found: dict[str, float] = {}
        page: str | None = f"{self.url}/submissions?per_page=100"
        seen: set[str] = set()
        while page is not None:
            answer = _send(self.session, self.token, "GET", page)
            rows = json_of(answer, "the grades")
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise LmsError(f"{self.session.host} answered without a list of grades.")
            for row in rows:
                if isinstance(score := row.get("score"), (int, float)):
                    found[str(row.get("user_id"))] = float(score)
            page = next_page(answer, seen)
        return found

    def send(self, marks: Iterable[Mark]) -> dict[str, str]:
        """Send all, a few hundred at once; return user id -> why, of those that were refused. Raise LmsError."""
        refused, numbered = {}, []
        for mark in marks:
            if mark.lms_user_id.isdecimal():
                numbered.append(mark)
            else:
                refused[mark.lms_user_id] = "not a number of Canvas: apply the roster from Canvas, not by LTI"
        for start in range(0, len(numbered), AT_ONCE):
            some = numbered[start : start + AT_ONCE]
            form = {f"grade_data[{mark.lms_user_id}][posted_grade]": repr(mark.points) for mark in some}
            answer = _send(self.session, self.token, "POST", f"{self.url}/submissions/update_grades", form)
            if failure := self._finished(json_of(answer, "the grades' progress")):
                refused.update({mark.lms_user_id: failure for mark in some})
        return refused

    def _finished(self, progress: Any) -> str:
        """Wait until Canvas has done it; return "" or why it failed."""
        for _ in range(PATIENCE):
            state = progress.get("workflow_state") if isinstance(progress, dict) else None
            if state == "completed":
                return ""
            if state == "failed":
                return "Canvas says that it failed"
            if state not in ("queued", "running") or not str(progress.get("id", "")).isdecimal():
                raise LmsError(f"{self.session.host} answered without the progress of the grades.")
            self.wait(PAUSE)
            # Its own address is not followed: it may name another host.
            progress = json_of(
                _send(self.session, self.token, "GET", f"{self.api}/progress/{progress['id']}"), "the grades' progress"
            )
        return "Canvas has not done it yet: look again later"


def open_assignment(url: str, course: str, number: str, token: Token, session: LmsSession) -> CanvasColumn:
    """Return the assignment as a column. Raise LmsError, ConfigurationError if it does not count in points."""
    api = f"{url.rstrip('/')}/api/v1"
    address = f"{api}/courses/{quote(course, safe='')}/assignments/{quote(number, safe='')}"
    said = json_of(_send(session, token, "GET", address), "the assignment")
    maximum = said.get("points_possible") if isinstance(said, Mapping) else None
    if not isinstance(maximum, (int, float)) or maximum <= 0 or said.get("grading_type", "points") not in IN_POINTS:
        raise ConfigurationError(
            f"The assignment {number} on {session.host} does not count in points.",
            hint="Give it points in Canvas, as many as nbgrader's maximum.",
        )
    return CanvasColumn(address, float(maximum), token, session, api)


def _send(
    session: LmsSession, token: Token, method: str, url: str, form: Mapping[str, str] | None = None
) -> requests.Response:
    # The same grades sent twice are the same grades: repeating does no harm.
    answer = session.send(method, url, headers={"Authorization": f"Bearer {token.value}"}, form=form)
    if answer.status_code in (200, 201, 202):
        return answer
    if answer.status_code == 401 and "WWW-Authenticate" in answer.headers:
        raise LmsRefused(f"{session.host} does not accept the {token}.", hint="Make a new access token in Canvas.")
    if answer.status_code in (401, 403):
        raise LmsRefused(
            f"The {token} may not grade in this course on {session.host}.",
            hint="It has to belong to a teacher of the course.",
        )
    if answer.status_code == 404:
        raise LmsError(
            f"{session.host} has no such course or assignment.",
            hint="Take course and the number in [columns] from the assignment's address in Canvas.",
        )
    if answer.status_code >= 500:
        raise LmsUnreachable(f"{session.host} failed (HTTP {answer.status_code}).")
    raise LmsError(f"{session.host} answered with HTTP {answer.status_code}.")
