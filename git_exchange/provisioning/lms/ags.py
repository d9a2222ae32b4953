"""Grades by LTI 1.3 Assignment and Grade Services 2 (1EdTech): a line item is a column of the LMS's gradebook.

Line items are only ever read and made: changing one rescales grades in Moodle, deleting one can delete the activity's.
No page size is asked for: Moodle's links to the next page are not readable, its results then an error.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import requests

from git_exchange.errors import ConfigurationError, LmsError, LmsRefused, LmsUnreachable
from git_exchange.files.paths import display
from git_exchange.provisioning.grades import Mark
from git_exchange.provisioning.lms.lti_token import LINE_ITEM_SCOPE, RESULT_SCOPE, SCORE_SCOPE, TokenSource
from git_exchange.provisioning.lms.session import LmsSession, json_of, next_page

SCOPES = (LINE_ITEM_SCOPE, RESULT_SCOPE, SCORE_SCOPE)
CONTAINER = "application/vnd.ims.lis.v2.lineitemcontainer+json"
LINE_ITEM = "application/vnd.ims.lis.v2.lineitem+json"
SCORE = "application/vnd.ims.lis.v1.score+json"
RESULTS = "application/vnd.ims.lis.v2.resultcontainer+json"
TAG = "nbgrader"
MOODLE = "/mod/lti/services.php/"
# Moodle fails on longer ones, and leaves a column behind each time.
LONGEST_LABEL, LONGEST_ID = 255, 512
# So many lost connections in a row are no longer about one person's grade.
LOST_IN_A_ROW = 3


@dataclass(frozen=True)
class Access:
    """Requests with the tool's token, which is renewed once if it is refused."""

    tokens: TokenSource
    session: LmsSession

    def get(self, url: str, media_type: str, what: str) -> list[Mapping[str, Any]]:
        """Return all entries of a list. Raise LmsRefused, LmsUnreachable, LmsError naming ``what`` was asked for."""
        found: list[Mapping[str, Any]] = []
        page: str | None = url
        seen: set[str] = set()
        while page is not None:
            answer = self.send("GET", page, {"Accept": media_type})
            if answer.status_code != 200:
                raise refusal(answer, self.session.host, what)
            rows = json_of(answer, what)
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise LmsError(f"{self.session.host} answered the request for {what} without a list.")
            found.extend(rows)
            page = next_page(answer, seen)
        return found

    def post(self, url: str, media_type: str, said: Mapping[str, Any]) -> requests.Response:
        """Return the answer, whatever it is. Never repeated when the connection is lost."""
        # Compact: with line breaks in the request Moodle reports a refusal as success.
        body = json.dumps(said, separators=(",", ":")).encode()
        return self.send("POST", url, {"Content-Type": media_type}, body)

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> requests.Response:
        """Return the answer; 401 and 403 are final only for a new token."""
        for renew in (False, True):
            token = self.tokens.token(SCOPES, renew=renew)
            authorized = {"Authorization": f"Bearer {token.value}", **headers}
            answer = self.session.send(method, url, headers=authorized, body=body, repeat=method == "GET")
            if answer.status_code not in (401, 403):
                break
        return answer


@dataclass(frozen=True)
class LineItem:
    """One line item, by its id, which is its address."""

    access: Access
    id: str
    maximum: float

    def read(self) -> dict[str, float]:
        """Return LMS user id -> points on this item's scale. Raise LmsError."""
        rows = self.access.get(below(self.id, "results"), RESULTS, "the grades")
        found = {}
        for row in rows:
            score, scale = _number(row.get("resultScore")), _number(row.get("resultMaximum"))
            if score is not None:  # Moodle lists those without a grade, too
                found[str(row.get("userId"))] = score * self.maximum / scale if scale else score
        return found

    def send(self, marks: Iterable[Mark]) -> dict[str, str]:
        """Send each score; return LMS user id -> why, of those that were refused. Raise LmsRefused without access."""
        refused: dict[str, str] = {}
        lost = 0
        for mark in marks:
            if lost >= LOST_IN_A_ROW:
                refused[mark.lms_user_id] = "not sent: the LMS does not answer"
                continue
            try:
                answer = self.access.post(below(self.id, "scores"), SCORE, _score(mark, self.maximum))
            except LmsUnreachable as error:
                lost += 1
                refused[mark.lms_user_id] = error.message.rstrip(".")
                continue
            lost = 0
            if answer.status_code in (401, 403):
                raise refusal(answer, self.access.session.host, "grades")
            # Moodle's success has no body: whatever it says with 200 is a refusal. Others may say what they stored.
            if not answer.ok or (MOODLE in self.id and answer.content.strip()):
                refused[mark.lms_user_id] = _reason(answer)
        return refused


def ensure_line_item(access: Access, url: str, assignment_id: str, label: str, maximum: float) -> LineItem:
    """Return the course's line item of an assignment, made if there is none yet.

    It is known by its resource id and our tag, never by its label, which teachers change. Raise LmsError, also if
    there are several; ConfigurationError for names that LMSs do not take.
    """
    if len(label) > LONGEST_LABEL or len(assignment_id) > LONGEST_ID:
        raise ConfigurationError(
            "The name of the column is too long for an LMS.",
            hint=f"Give --column with at most {LONGEST_LABEL} characters.",
        )
    found = _find(access, url, assignment_id)
    if found is not None:
        return found
    said = {"scoreMaximum": maximum, "label": label, "resourceId": assignment_id, "tag": TAG}
    answer = access.post(url, LINE_ITEM, said)
    if answer.status_code not in (200, 201):
        raise refusal(answer, access.session.host, "a new column")
    found = _find(access, url, assignment_id)
    if found is None:
        raise LmsError(f"{access.session.host} made a column for {display(assignment_id)} and does not list it.")
    return found


def _find(access: Access, url: str, assignment_id: str) -> LineItem | None:
    query = urlencode({"resource_id": assignment_id, "tag": TAG})
    parts = urlsplit(url)
    asked = urlunsplit(parts._replace(query=f"{parts.query}&{query}" if parts.query else query))
    # Not every platform filters, and none has to.
    rows = [
        row
        for row in access.get(asked, CONTAINER, "the columns")
        if row.get("resourceId") == assignment_id and row.get("tag") == TAG
    ]
    if len(rows) > 1:
        raise LmsError(
            f"{access.session.host} has {len(rows)} columns for {display(assignment_id)}.",
            hint="Remove in the LMS's gradebook those that hold no grades, then run this again.",
        )
    if not rows:
        return None
    identity, maximum = rows[0].get("id"), _number(rows[0].get("scoreMaximum"))
    if not isinstance(identity, str) or not maximum or maximum < 0:
        raise LmsError(f"The column of {display(assignment_id)} on {access.session.host} has no address or no points.")
    return LineItem(access, identity, maximum)


def below(line_item: str, name: str) -> str:
    """Return the address of ``scores`` or ``results``: in the path, before the query that Moodle's ids have."""
    parts = urlsplit(line_item)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{name}"))


def refusal(answer: requests.Response, host: str, what: str) -> LmsError:
    """Return the error for an answer about the whole course."""
    if answer.status_code in (401, 403):
        return LmsRefused(
            f"{host} does not let this tool send grades to this course.",
            hint="Switch the grade service (assignment and grades, with columns) on for the tool, in this course.",
        )
    if answer.status_code == 404:
        return LmsError(
            f"{host} has nothing at this address ({what}).",
            hint="Copy line_items_url again from the LMS, or look whether the column was deleted.",
        )
    if answer.status_code >= 500:
        return LmsUnreachable(f"{host} failed (HTTP {answer.status_code}).")
    return LmsError(f"{host} answered the request for {what} with HTTP {answer.status_code}.")


def _score(mark: Mark, maximum: float) -> dict[str, Any]:
    return {
        "userId": mark.lms_user_id,
        "scoreGiven": mark.points,
        # The item's own maximum: Moodle rounds to five places before it rescales.
        "scoreMaximum": maximum,
        "timestamp": mark.time.isoformat(timespec="milliseconds"),
        "activityProgress": "Completed",
        "gradingProgress": "FullyGraded",
    }


def _reason(answer: requests.Response) -> str:
    """Return why a score was refused, in our words where the platform's are known (Moodle's are the reason phrase)."""
    said = f"{answer.reason or ''} {answer.text[:500]}"
    if answer.status_code == 409 or "already exists for the provided timestamp" in said:
        return "it was changed in the LMS later; --overwrite sends it anew"
    if "Incorrect score received" in said:
        return "no student of the course there"
    if answer.status_code == 500:
        return "HTTP 500: the grade or the column may be locked"
    return f"HTTP {answer.status_code}{' with a message, as for a refusal' if answer.ok else ''}"


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        return float(value)
    except ValueError:
        return None
