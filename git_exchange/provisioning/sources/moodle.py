"""A roster from Moodle's web services: ``core_enrol_get_enrolled_users``, asked for the active and for the suspended.

Errors come with HTTP 200. The answer says nothing about the state of an enrolment, and an unknown option is ignored,
so that whom the two lists share is an error, never a guess. Source: Moodle 4.5's web service API.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from git_exchange.errors import LmsError, LmsRefused, LmsUnreachable
from git_exchange.provisioning.lms.session import LmsSession, json_of
from git_exchange.provisioning.people import LeftOut, Person, Roster
from git_exchange.secret import Token

FUNCTION = "core_enrol_get_enrolled_users"
FIELDS = "id,username,firstname,lastname,fullname,email,idnumber,roles"
PAGE = 500
ROLE_OF = {"student": "student", "teacher": "grader", "editingteacher": "instructor", "manager": "instructor"}
RANK = ("student", "grader", "instructor")
LATER = {"sitemaintenance", "upgraderunning", "dbconnectionfailed"}


@dataclass(frozen=True)
class MoodleCourse:
    """A course: Moodle's address and the course's number. ``roles`` overrides (Moodle user id -> role)."""

    url: str
    course: str
    roles: Mapping[str, str] = field(default_factory=dict)


def read_moodle(course: MoodleCourse, token: Token, session: LmsSession) -> Roster:
    """Return the roster; suspended enrolments give inactive people. Raise LmsRefused, LmsUnreachable, LmsError."""
    ask = _asker(course, token, session)
    active, suspended = _all(ask, "onlyactive", session.host), _all(ask, "onlysuspended", session.host)
    both = active.keys() & suspended.keys()
    if both:
        raise LmsError(
            f"{session.host} lists the same people as active and as suspended ({len(both)}).",
            hint="Nothing was changed: it may not know the option onlysuspended.",
        )
    people: list[Person] = []
    left_out: list[LeftOut] = []
    for users, is_active in ((active, True), (suspended, False)):
        for identity, user in users.items():
            roles = {ROLE_OF[name] for name in _roles(user) if name in ROLE_OF}
            role = course.roles.get(identity) or max(roles, key=RANK.index, default="")
            person = _person(course, identity, user, role, active=is_active)
            if role:
                people.append(person)
            else:
                left_out.append(LeftOut(person.shown, f"no part in the course as {_named(user)}"))
    return Roster(tuple(people), f"of {session.host}", tuple(left_out))


def _asker(course: MoodleCourse, token: Token, session: LmsSession) -> Callable[[Mapping[str, str]], list[Any]]:
    address = f"{course.url.rstrip('/')}/webservice/rest/server.php"

    def ask(options: Mapping[str, str]) -> list[Any]:
        form = {
            "wstoken": token.value,
            "wsfunction": FUNCTION,
            "moodlewsrestformat": "json",
            "courseid": course.course,
        }
        for number, (name, value) in enumerate(options.items()):
            form |= {f"options[{number}][name]": name, f"options[{number}][value]": value}
        answer = session.send("POST", address, form=form)
        if answer.status_code == 403:
            raise LmsRefused(
                f"{session.host} has its web services or their REST protocol switched off.",
                hint="A site administrator switches both on (Site administration, Server, Web services).",
            )
        if answer.status_code != 200:
            raise LmsUnreachable(f"{session.host} failed (HTTP {answer.status_code}).")
        said = json_of(answer, "the roster")
        if isinstance(said, dict) and "exception" in said:
            raise _refusal(str(said.get("errorcode")), session.host, token)
        if not isinstance(said, list) or not all(isinstance(user, dict) for user in said):
            raise LmsError(f"{session.host} answered without a list of people.", hint="Nothing was changed.")
        return said

    return ask


def _all(ask: Callable[[Mapping[str, str]], list[Any]], which: str, host: str) -> dict[str, Mapping[str, Any]]:
    """Return everybody by id. A page may be shorter than asked for, so the last one is the empty one."""
    found: dict[str, Mapping[str, Any]] = {}
    for page in range(1_000):
        options = {which: "1", "userfields": FIELDS, "limitfrom": str(page * PAGE), "limitnumber": str(PAGE)}
        users = ask({**options, "sortby": "id", "sortdirection": "ASC"})
        if not users:
            return found
        for user in users:
            identity = user.get("id")
            if isinstance(identity, bool) or not isinstance(identity, (int, str)):
                raise LmsError(f"{host} sent somebody without an id.", hint="Nothing was changed.")
            found[str(identity)] = user
    raise LmsError(f"{host} sends pages without end.", hint="Nothing was changed.")


def _person(course: MoodleCourse, identity: str, user: Mapping[str, Any], role: str, *, active: bool) -> Person:
    first, last = str(user.get("firstname") or ""), str(user.get("lastname") or "")
    return Person(
        first_name=first,
        last_name=last if first or last else str(user.get("fullname") or ""),
        email=str(user.get("email") or ""),
        role=role or "student",
        platform=course.url.rstrip("/"),
        lms_user_id=identity,
        login=str(user.get("username") or ""),
        sourced_id=str(user.get("idnumber") or ""),
        active=active,
    )


def _roles(user: Mapping[str, Any]) -> set[str]:
    said = user.get("roles")
    return {str(role.get("shortname")) for role in said if isinstance(role, dict)} if isinstance(said, list) else set()


def _named(user: Mapping[str, Any]) -> str:
    return ", ".join(sorted(_roles(user))) or "somebody without a role"


def _refusal(code: str, host: str, token: Token) -> LmsError:
    if code in LATER:
        return LmsUnreachable(f"{host} is being maintained or upgraded ({code}).")
    for codes, message, hint in _REASONS:
        if code in codes:
            return LmsRefused(f"{host}: {message.format(token=token)} ({code}).", hint=hint)
    return LmsError(f"{host} refused the request for the roster ({code[:60]}).", hint="Nothing was changed.")


_TEACHER = "Its owner needs the right to review enrolments and to access all groups: an editing teacher has both."
_REASONS = (
    ({"invalidtoken"}, "the {token} is not accepted", "Make a new token in Moodle (Preferences, Security keys)."),
    ({"accessexception"}, "the {token} is for a service without this function", f"Add {FUNCTION} to the service."),
    ({"nopermissions", "requireloginerror"}, "the owner of the {token} may not read the whole roster", _TEACHER),
    ({"errorcoursecontextnotvalid"}, "the owner of the {token} is not in this course", _TEACHER),
    ({"invalidrecord"}, "there is no such course, or the web service lacks the function", "Check the course's number."),
)
