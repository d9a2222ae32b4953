"""Order and spacing of rules on a server that orders them by their time of creation, as Forgejo does."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any
from urllib.parse import unquote

import pytest
import requests
import responses

from git_exchange.errors import Forbidden, UnexpectedAnswer
from git_exchange.forge.gitea import protection
from git_exchange.forge.gitea.session import Session
from git_exchange.forge.ports import BranchRule, Role
from git_exchange.secret import Token
from git_exchange.settings import Settings
from tests.unit.forge_gitea.conftest import API, URL

PATH = "/repos/teaching.cs101/student-alice"
SEAT_RULES = (BranchRule("*", Role.INSTRUCTOR), BranchRule("submit/*", Role.STUDENT))
EVERYTHING = {"**", "?**"}


class Forgejo:
    """The rules of one project; ``log`` says after every change which are there. Time passes only by waiting."""

    def __init__(self, *, drops: tuple[str, ...] = ()) -> None:
        self.now = datetime(2026, 11, 21, 12, 0, 0, 500_000, tzinfo=timezone.utc)
        self.branch_rules: list[dict[str, Any]] = []
        self.tag_rules: list[dict[str, Any]] = []
        self.log: list[list[str]] = []
        self._drops = drops

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def answer(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        headers = {"Date": format_datetime(self.now.replace(microsecond=0), usegmt=True)}
        tail = unquote(str(request.url).removeprefix(f"{API}{PATH}/"))
        kind, _, name = tail.partition("/")
        status, body = getattr(self, f"_{kind}")(str(request.method), name, json.loads(request.body or "null"))
        return status, headers, json.dumps(body)

    def _branch_protections(self, method: str, name: str, body: dict[str, Any]) -> tuple[int, object]:
        found = next((rule for rule in self.branch_rules if rule["rule_name"] == name), None)
        if method == "GET":
            # The seconds of creation count; equal ones have no defined order, here the wrong one.
            newest_first = self.branch_rules[::-1]
            return 200, sorted(newest_first, key=lambda rule: str(rule["created_at"]))
        if method == "POST":
            created = self.now.replace(microsecond=0).isoformat()
            self.branch_rules.append({**self._stored(body), "created_at": created})
        elif found is None:
            return 404, {"message": "not found"}
        elif method == "PATCH":
            found |= self._stored(body)
        else:
            self.branch_rules.remove(found)
        self.log.append([rule["rule_name"] for rule in self.branch_rules])
        return 200, self.branch_rules[-1] if self.branch_rules else None

    def _stored(self, body: dict[str, Any]) -> dict[str, Any]:
        known = {key: value for key, value in body.items() if key != "priority" and "force" not in key}
        known["push_whitelist_teams"] = [team for team in body["push_whitelist_teams"] if team not in self._drops]
        return known

    def _tag_protections(self, method: str, name: str, body: dict[str, Any]) -> tuple[int, object]:
        if method == "POST":
            self.tag_rules.append({**body, "id": len(self.tag_rules) + 1})
        elif method == "DELETE":
            self.tag_rules = [rule for rule in self.tag_rules if str(rule["id"]) != name]
        return 200, self.tag_rules


def adapter_for(forge: Forgejo, server: responses.RequestsMock) -> Session:
    for method in ("GET", "POST", "PATCH", "DELETE"):
        server.add_callback(method, re.compile(".*"), forge.answer, content_type="application/json")
    settings = Settings(url=URL, namespace="teaching", kind="gitea")
    return Session(settings, Token("0" * 40, "the test"), sleep=forge.wait)


def test_rules_are_made_a_second_apart_in_the_order_in_which_they_count(server: responses.RequestsMock) -> None:
    forge = Forgejo()
    session = adapter_for(forge, server)
    assert protection.ensure(session, PATH, SEAT_RULES)
    assert forge.log == [["submit/**"], ["submit/**", "**"]]
    assert protection.read(session, PATH) == [SEAT_RULES[1], SEAT_RULES[0]]
    changes = len(forge.log)
    assert not protection.ensure(session, PATH, SEAT_RULES)
    assert len(forge.log) == changes


@pytest.mark.parametrize(
    "before",
    [
        (BranchRule("*", Role.INSTRUCTOR),),
        (BranchRule("*", Role.STUDENT), BranchRule("other/*", Role.STUDENT)),
        (BranchRule("*", Role.INSTRUCTOR), BranchRule("feedback/*", Role.GRADER)),
    ],
)
def test_rules_are_changed_without_a_moment_in_which_a_branch_has_none(
    server: responses.RequestsMock, before: tuple[BranchRule, ...]
) -> None:
    forge = Forgejo()
    session = adapter_for(forge, server)
    protection.ensure(session, PATH, before)
    forge.log.clear()
    assert protection.ensure(session, PATH, SEAT_RULES)
    assert protection.read(session, PATH) == [SEAT_RULES[1], SEAT_RULES[0]]
    assert all(EVERYTHING & set(names) for names in forge.log)
    assert "?**" not in forge.log[-1]


def test_rules_in_the_wrong_order_are_put_right(server: responses.RequestsMock) -> None:
    forge = Forgejo()
    session = adapter_for(forge, server)
    protection.ensure(session, PATH, SEAT_RULES)
    submit, everything = forge.branch_rules
    submit["created_at"], everything["created_at"] = everything["created_at"], submit["created_at"]
    assert protection.read(session, PATH) == list(SEAT_RULES)
    assert protection.ensure(session, PATH, SEAT_RULES)
    assert protection.read(session, PATH) == [SEAT_RULES[1], SEAT_RULES[0]]


def test_a_team_that_the_server_drops_is_an_error(server: responses.RequestsMock) -> None:
    forge = Forgejo(drops=("instructors",))
    with pytest.raises(UnexpectedAnswer):
        protection.ensure(adapter_for(forge, server), PATH, SEAT_RULES)


def test_a_tag_rule_that_lets_others_tag_is_replaced(server: responses.RequestsMock) -> None:
    forge = Forgejo()
    session = adapter_for(forge, server)
    forge.tag_rules = [{"id": 7, "name_pattern": "v*", "whitelist_usernames": ["eve"], "whitelist_teams": []}]
    assert protection.ensure(session, PATH, SEAT_RULES)
    (rule,) = forge.tag_rules
    assert (rule["name_pattern"], rule["whitelist_teams"]) == ("*", ["Owners", "instructors"])


def test_a_server_whose_rules_know_no_forced_push_is_left_as_it_was(server: responses.RequestsMock) -> None:
    forge = Forgejo()
    session = adapter_for(forge, server)
    protection.ensure(session, PATH, SEAT_RULES)
    before = list(forge.branch_rules)
    with pytest.raises(Forbidden, match="no rule that lets one branch be rewritten"):
        protection.let_rewrite(session, PATH, "feedback/ps1")
    assert forge.branch_rules == before
