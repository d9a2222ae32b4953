"""Our LTI roster source against Open edX's own platform: what it grants, lists and refuses."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from git_exchange.errors import ConfigurationError, LmsError, LmsRefused
from git_exchange.provisioning.lms.keys import make_key
from git_exchange.provisioning.lms.lti_token import LINE_ITEM_SCOPE, ROSTER_SCOPE, Platform, TokenSource
from git_exchange.provisioning.lms.session import LmsSession
from git_exchange.provisioning.people import Roster
from git_exchange.provisioning.sources.lti import Members, read_lti
from git_exchange.secret import Token
from tests.exchange.classroom import COURSE, Classroom
from tests.lti_platform.conftest import LtiPlatform, Registered

PEOPLE = [
    ("external-1", "Ada Lovelace", "instructor"),
    ("external-2", "Tim Berners", "grader"),
    ("external-3", "Ann B. & Sons", "student"),
    ("external-4", "Ben Zimmermann", "student"),
    ("external-5", "Eve N.", "student"),
]


def platform(lti: LtiPlatform, at: Registered) -> Platform:
    return Platform(lti.url, at.client_id, at.token_url)


def tokens(lti: LtiPlatform, at: Registered | None = None, *, clock_ahead: float = 0.0) -> TokenSource:
    session = LmsSession(lti.url)
    return TokenSource(platform(lti, at or lti.course), lti.key, session, clock=lambda: time.time() + clock_ahead)


def read(lti: LtiPlatform, source: TokenSource, at: Registered | None = None, query: str = "") -> Roster:
    at = at or lti.course
    return read_lti(Members(at.memberships_url + query, lti.url, at.context_id), source, LmsSession(lti.url))


def people(roster: Roster) -> list[tuple[str, str, str]]:
    return [(person.lms_user_id, person.last_name, person.role) for person in roster.people]


def test_the_roster_comes_with_a_token_that_our_key_got(lti: LtiPlatform) -> None:
    roster = read(lti, tokens(lti))
    assert people(roster) == PEOPLE
    assert roster.people[0].email == "ada@uni.example"


def test_the_roster_is_read_to_its_last_page(lti: LtiPlatform) -> None:
    assert people(read(lti, tokens(lti), query="?limit=2")) == PEOPLE
    assert people(read(lti, tokens(lti), query="?limit=1")) == PEOPLE


def test_a_key_that_the_platform_does_not_know_gets_no_token(lti: LtiPlatform, tmp_path: Path) -> None:
    stranger = TokenSource(platform(lti, lti.course), make_key(tmp_path / "other.pem"), LmsSession(lti.url))
    with pytest.raises(LmsRefused, match="does not know the client id or the key"):
        read(lti, stranger)


def test_a_tool_that_is_not_registered_has_no_token_address(lti: LtiPlatform) -> None:
    unknown = lti.course.token_url.rpartition("/")[0] + "/00000000-0000-4000-8000-000000000000"
    with pytest.raises(LmsRefused, match="token_url is not where it gives tokens") as refused:
        read(lti, tokens(lti, replace(lti.course, token_url=unknown)))
    assert "Copy token_url again" in refused.value.hint


def test_a_request_of_a_clock_that_is_wrong_is_refused_with_a_word_about_the_clock(lti: LtiPlatform) -> None:
    for wrong in (-4000.0, 4000.0):  # expired, and from the future
        with pytest.raises(LmsRefused, match="clock right"):
            read(lti, tokens(lti, clock_ahead=wrong))


def test_a_class_above_the_platforms_limit_is_said_to_be_that(lti: LtiPlatform) -> None:
    with pytest.raises(LmsRefused, match="no class of this size"):
        read(lti, tokens(lti, lti.crowded), lti.crowded)


def test_scopes_that_are_not_granted_are_named(lti: LtiPlatform) -> None:
    for scopes in (["https://uni.example/scope"], [ROSTER_SCOPE, "https://uni.example/scope"]):
        with pytest.raises(LmsRefused, match=r"missing: https://uni\.example/scope"):
            tokens(lti).token(scopes)


def test_a_token_for_something_else_does_not_read_the_roster(lti: LtiPlatform) -> None:
    class ForGrades(TokenSource):
        def token(self, scopes: Iterable[str], *, renew: bool = False) -> Token:
            return super().token([LINE_ITEM_SCOPE], renew=renew)

    with pytest.raises(LmsRefused, match="does not let this tool read the roster"):
        read(lti, ForGrades(platform(lti, lti.course), lti.key, LmsSession(lti.url)))


def test_another_courses_tool_and_roster_are_refused(lti: LtiPlatform) -> None:
    with pytest.raises(LmsRefused, match="does not let this tool read the roster"):
        read(lti, tokens(lti), lti.crowded)
    with pytest.raises(ConfigurationError, match="sent the roster of the course"):
        read(lti, tokens(lti), replace(lti.course, context_id=lti.crowded.context_id))
    with pytest.raises(LmsError, match="no roster at this address"):
        read(lti, tokens(lti), replace(lti.course, memberships_url=f"{lti.url}/nowhere"))


@pytest.mark.parametrize("server", ["gitlab"], indirect=True)
def test_a_plan_is_made_from_the_platform(lti: LtiPlatform, classroom: Classroom) -> None:
    classroom.open()
    ann = classroom.student("ann").username
    file, known = classroom.teacher.work / "lti.toml", classroom.teacher.work / "map.csv"
    values = {
        "kind": "lti",
        "issuer": lti.url,
        "client_id": lti.course.client_id,
        "token_url": lti.course.token_url,
        "memberships_url": f"{lti.course.memberships_url}?limit=2",
        "context_id": lti.course.context_id,
        "private_key_file": str(lti.key_file),
    }
    file.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items()))
    known.write_text(f"lms_user_id,username\nexternal-1,{classroom.teacher.username}\nexternal-3,{ann}\n")
    command = ["git-exchange", "roster", "plan", COURSE, "--from", str(file), "--map", str(known), "--json"]
    done = classroom.run(classroom.teacher, command)
    assert done.status == 0, done.output
    plan = json.loads(done.output)
    assert [(step["lms_user_id"], step["action"], step["role"]) for step in plan["steps"]] == [
        ("external-1", "keep", "instructor"),
        ("external-2", "unmatched", "grader"),
        ("external-3", "create", "student"),
        ("external-4", "unmatched", "student"),
        ("external-5", "unmatched", "student"),
    ]
    assert [step["account"] for step in plan["steps"] if step["account"]] == [classroom.teacher.username, ann]
    file.write_text(file.read_text().replace(lti.course.memberships_url, lti.crowded.memberships_url))
    refused = classroom.run(classroom.teacher, command)
    assert refused.status == 1
    assert "does not let this tool read the roster" in refused.output
