"""A roster by LTI 1.3 Names and Role Provisioning Services 2 (1EdTech), with the differences of the platforms.

The server is never asked to filter by role or to cut into pages: Moodle forgets the filter on the next page, and a drop
between two pages would hide somebody else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import requests

from git_exchange.errors import ConfigurationError, LmsError, LmsRefused, LmsUnreachable
from git_exchange.provisioning.lms import roles
from git_exchange.provisioning.lms.lti_token import ROSTER_SCOPE, TokenSource
from git_exchange.provisioning.lms.session import LmsSession, json_of, next_page
from git_exchange.provisioning.people import LeftOut, Person, Roster

# Moodle takes exactly one of its media types, with no list, no ";q=".
MEDIA_TYPE = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"
LOGIN_CLAIM = "https://www.instructure.com/canvas_user_login_id"


@dataclass(frozen=True)
class Members:
    """Where a course's members are listed, and what the course's staff decided about them.

    ``context_id`` is the course's id in the LMS: a site-wide tool could read every course by its number. ``roles``
    overrides the role of single people (LMS user id -> role), for what platforms cannot say.
    """

    url: str
    issuer: str
    context_id: str = ""
    roles: Mapping[str, str] = field(default_factory=dict)


def read_lti(members: Members, tokens: TokenSource, session: LmsSession) -> Roster:
    """Return the roster. Raise LmsRefused, LmsUnreachable, LmsError, ConfigurationError; nothing is guessed."""
    people: dict[str, Person] = {}
    said_roles: dict[str, set[str]] = {}
    left_out: dict[str, LeftOut] = {}
    for member in _members(members, tokens, session):
        identity = _text(member, "user_id")
        if not identity:
            raise LmsError(f"{session.host} names a member without a user_id.", hint="Nothing was changed.")
        if member.get("status", "Active") == "Deleted":
            continue
        person = _person(member, members.issuer, identity)
        said_roles.setdefault(identity, set()).update(_roles(member, session.host))
        people[identity] = _merged(people.get(identity), person)
    found = []
    for identity, person in people.items():
        role = members.roles.get(identity) or roles.course_role(said_roles[identity])
        if roles.is_test_user(said_roles[identity]):
            left_out[identity] = LeftOut(person.shown, "the LMS's own test student")
        elif role is None:
            left_out[identity] = LeftOut(person.shown, f"no part in the course as {_short(said_roles[identity])}")
        else:
            found.append(replace(person, role=role))
    return Roster(tuple(found), f"of {session.host}", tuple(left_out.values()))


def _members(members: Members, tokens: TokenSource, session: LmsSession) -> Iterator[Mapping[str, Any]]:
    url: str | None = members.url
    seen: set[str] = set()
    while url is not None:
        answer = _get(url, tokens, session)
        container = json_of(answer, "the roster")
        listed = container.get("members") if isinstance(container, dict) else None
        if not isinstance(listed, list) or not all(isinstance(member, dict) for member in listed):
            raise LmsError(
                f"{session.host} answered without a list of members.",
                hint="Nothing was changed: this is not taken for an empty class.",
            )
        _check_context(members, container, session.host)
        yield from listed
        url = next_page(answer, seen)


def _get(url: str, tokens: TokenSource, session: LmsSession) -> requests.Response:
    answer = None
    for renew in (False, True):
        token = tokens.token([ROSTER_SCOPE], renew=renew)
        headers = {"Authorization": f"Bearer {token.value}", "Accept": MEDIA_TYPE}
        answer = session.send("GET", url, headers=headers)
        if answer.status_code == 200:
            return answer
        if answer.status_code not in (401, 403):
            break
    assert answer is not None  # noqa: S101 - the loop ran
    raise _refusal(answer, session.host)


def _refusal(answer: requests.Response, host: str) -> LmsError:
    if answer.status_code in (401, 403):
        if b"above_response_limit" in answer.content:
            return LmsRefused(
                f"{host} lists no class of this size.", hint="Have its limit for the roster service raised."
            )
        return LmsRefused(
            f"{host} does not let this tool read the roster of this course.",
            hint="Switch the roster service (names and roles) on for the tool, in this course.",
        )
    if answer.status_code == 404:
        return LmsError(
            f"{host} has no roster at this address.", hint="Copy memberships_url again from a launch or the LMS."
        )
    if answer.status_code >= 500:
        return LmsUnreachable(f"{host} failed (HTTP {answer.status_code}).")
    return LmsError(f"{host} answered the request for the roster with HTTP {answer.status_code}.")


def _check_context(members: Members, container: Mapping[str, Any], host: str) -> None:
    context = container.get("context")
    there = _text(context, "id") if isinstance(context, dict) else ""
    if members.context_id and there != members.context_id:
        raise ConfigurationError(
            f"{host} sent the roster of the course {there!r}, but context_id is {members.context_id!r}.",
            hint="Nothing was changed. Correct memberships_url or context_id.",
        )


def _person(member: Mapping[str, Any], issuer: str, identity: str) -> Person:
    first, last = _text(member, "given_name"), _text(member, "family_name")
    if not first and not last:
        last = _text(member, "name")  # where a name has no parts, nobody guesses which is which
    return Person(
        first_name=first,
        last_name=last,
        email=_text(member, "email"),
        platform=issuer,
        lms_user_id=identity,
        login=_login(member),
        sourced_id=_text(member, "lis_person_sourcedid"),
        active=member.get("status", "Active") == "Active",
    )


def _login(member: Mapping[str, Any]) -> str:
    if said := _text(member, "ext_user_username"):  # Moodle
        return said
    messages = member.get("message")
    for message in messages if isinstance(messages, list) else []:  # Canvas, when asked for a resource link
        if isinstance(message, dict) and (said := _text(message, LOGIN_CLAIM)):
            return said
    return ""


def _roles(member: Mapping[str, Any], host: str) -> list[str]:
    said = member.get("roles")
    if not isinstance(said, list) or not all(isinstance(role, str) for role in said):
        raise LmsError(f"{host} names a member without a list of roles.", hint="Nothing was changed.")
    return said


def _merged(before: Person | None, person: Person) -> Person:
    """Return one person of two entries with the same id; paging by offset repeats people, sections do too."""
    if before is None or not before.active:
        return person
    return before


def _short(said: set[str]) -> str:
    return ", ".join(sorted(role.rpartition("#")[2] or role for role in said)) or "somebody without a role"


def _text(holder: Mapping[str, Any], name: str) -> str:
    """Return a member's text; numbers as text (ids are numbers on some platforms), everything else as ""."""
    value = holder.get(name)
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return ""
    # Moodle escapes the ampersand, and only that, in names.
    return str(value).strip().replace("&amp;", "&")
