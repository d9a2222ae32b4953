"""A roster from Canvas' REST API: enrolments say who and in which role, users add the e-mail addresses.

Source: Canvas' documentation of "Enrollments" and "Users" (courses).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import requests

from git_exchange.errors import LmsError, LmsRefused
from git_exchange.provisioning.lms.session import LmsSession, json_of, next_page
from git_exchange.provisioning.people import LeftOut, Person, Roster
from git_exchange.secret import Token

ROLE_OF = {"StudentEnrollment": "student", "TaEnrollment": "grader", "TeacherEnrollment": "instructor"}
# Of several enrolments of one person the one with the most rights counts.
RANK = ("student", "grader", "instructor")
TAKES_PART = {"active", "invited", "creation_pending"}


@dataclass(frozen=True)
class CanvasCourse:
    """A course: Canvas' address and the course's number there. ``roles`` overrides (Canvas user id -> role)."""

    url: str
    course: str
    roles: Mapping[str, str] = field(default_factory=dict)


def read_canvas(course: CanvasCourse, token: Token, session: LmsSession) -> Roster:
    """Return the roster; inactive enrolments give inactive people. Raise LmsRefused, LmsUnreachable, LmsError."""
    base = f"{course.url.rstrip('/')}/api/v1/courses/{quote(course.course, safe='')}"
    rows: dict[str, list[Mapping[str, Any]]] = {}
    states = [("state[]", state) for state in (*sorted(TAKES_PART), "inactive")]
    for row in _pages(f"{base}/enrollments?{urlencode([('per_page', '100'), *states])}", token, session):
        rows.setdefault(_number(row, "user_id", session.host), []).append(row)
    query = urlencode([("per_page", "100"), ("include[]", "email")])
    addresses = {
        _number(user, "id", session.host): str(user.get("email") or "")
        for user in _pages(f"{base}/users?{query}", token, session)
    }
    people, left_out = [], []
    for identity, enrolments in rows.items():
        person = _person(session.origin, identity, enrolments, addresses.get(identity, ""), course.roles)
        if isinstance(person, LeftOut):
            left_out.append(person)
        else:
            people.append(person)
    return Roster(tuple(people), f"of {session.host}", tuple(left_out))


def _person(
    platform: str, identity: str, enrolments: list[Mapping[str, Any]], email: str, overrides: Mapping[str, str]
) -> Person | LeftOut:
    user: Mapping[str, Any] = next((row["user"] for row in enrolments if isinstance(row.get("user"), dict)), {})
    last, comma, first = str(user.get("sortable_name") or "").partition(", ")
    if not comma:
        first, last = "", str(user.get("name") or last)
    live = [row for row in enrolments if row.get("enrollment_state") in TAKES_PART]
    roles = {ROLE_OF[kind] for row in live or enrolments if (kind := str(row.get("type"))) in ROLE_OF}
    role = overrides.get(identity) or max(roles, key=RANK.index, default="")
    person = Person(
        first_name=first.strip(),
        last_name=last.strip(),
        email=email,
        role=role or "student",
        platform=platform,
        lms_user_id=identity,
        login=str(user.get("login_id") or ""),
        sourced_id=str(user.get("sis_user_id") or ""),
        active=bool(live),
    )
    if not role:
        kinds = ", ".join(sorted({str(row.get("type")).removesuffix("Enrollment") for row in enrolments}))
        return LeftOut(person.shown, f"no part in the course as {kinds}")
    return person


def _pages(url: str | None, token: Token, session: LmsSession) -> Iterator[Mapping[str, Any]]:
    seen: set[str] = set()
    while url is not None:
        answer = session.send("GET", url, headers={"Authorization": f"Bearer {token.value}"})
        if answer.status_code != 200:
            raise _refusal(answer, token, session.host)
        rows = json_of(answer, "the roster")
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise LmsError(f"{session.host} answered without a list.", hint="Nothing was changed.")
        yield from rows
        url = next_page(answer, seen)


def _refusal(answer: requests.Response, token: Token, host: str) -> LmsError:
    if answer.status_code == 401 and "WWW-Authenticate" in answer.headers:
        return LmsRefused(f"{host} does not accept the {token}.", hint="Make a new access token in Canvas.")
    if answer.status_code in (401, 403):
        return LmsRefused(
            f"The {token} may not read this course's roster on {host}.",
            hint="It has to belong to a teacher of the course, or somebody who may see its list of users.",
        )
    if answer.status_code == 404:
        return LmsError(f"{host} has no such course.", hint="Take the number from the course's address in Canvas.")
    return LmsError(f"{host} answered the request for the roster with HTTP {answer.status_code}.")


def _number(row: Mapping[str, Any], name: str, host: str) -> str:
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, str)) or value == "":
        raise LmsError(f"{host} sent an entry without {name}.", hint="Nothing was changed.")
    return str(value)
