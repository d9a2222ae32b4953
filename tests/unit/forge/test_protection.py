from __future__ import annotations

import json
from typing import Any

import pytest
import responses
from requests import PreparedRequest

from git_exchange.errors import UnexpectedAnswer
from git_exchange.forge.ports import BranchRule, Role
from tests.unit.forge.conftest import DATE, URL, Scripted

SEAT = (BranchRule("*", Role.INSTRUCTOR), BranchRule("submit/*", Role.STUDENT))
API = f"{URL}/api/v4/projects/5"


def raw(name: str, push: int, *, merge: int = 40, force: bool = False, **who: int) -> dict[str, Any]:
    return {
        "name": name,
        "push_access_levels": [{"access_level": push, **who}],
        "merge_access_levels": [{"access_level": merge}],
        "allow_force_push": force,
    }


class Rules:
    """A project's rules as GitLab keeps them, and every moment's state."""

    def __init__(self, scripted: Scripted, *rules: dict[str, Any], deaf: bool = False) -> None:
        self.rules = {rule["name"]: rule for rule in rules}
        self.tags: dict[str, int] = {"*": 40}
        self.moments: list[set[str]] = []
        self.deaf = deaf
        mock = scripted.mock
        mock.add_callback("GET", f"{API}/protected_branches", lambda _: self.answer(list(self.rules.values())))
        mock.add_callback("POST", f"{API}/protected_branches", self.protect)
        mock.add_callback("GET", f"{API}/protected_tags", self.list_tags)
        mock.add_callback("POST", f"{API}/protected_tags", self.protect_tag)
        for name in ("%2A", "%2A%2A", "submit%2F%2A", "extra%2F%2A", "main"):
            mock.add_callback("DELETE", f"{API}/protected_branches/{name}", self.unprotect)
            mock.add_callback("DELETE", f"{API}/protected_tags/{name}", self.unprotect)

    def answer(self, document: object, status: int = 200) -> tuple[int, dict[str, str], str]:
        self.moments.append(set(self.rules))
        return status, {"Date": DATE, "Content-Type": "application/json"}, json.dumps(document)

    def list_tags(self, _: PreparedRequest) -> tuple[int, dict[str, str], str]:
        tags = [{"name": name, "create_access_levels": [{"access_level": n}]} for name, n in self.tags.items()]
        return self.answer(tags)

    def protect(self, request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        body = json.loads(request.body or b"")
        if body["name"] in self.rules:
            return self.answer({"message": f"Protected branch '{body['name']}' already exists"}, 409)
        if not self.deaf:
            rule = raw(
                body["name"],
                body["push_access_level"],
                merge=body["merge_access_level"],
                force=body["allow_force_push"],
            )
            self.rules[body["name"]] = rule
        return self.answer({}, 201)

    def protect_tag(self, request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        body = json.loads(request.body or b"")
        self.tags[body["name"]] = body["create_access_level"]
        return self.answer({}, 201)

    def unprotect(self, request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        kind, name = (request.url or "").split("/")[-2:]
        (self.rules if kind == "protected_branches" else self.tags).pop(name.replace("%2A", "*").replace("%2F", "/"))
        self.moments.append(set(self.rules))
        return 204, {"Date": DATE}, ""


def test_rules_are_made_once_and_then_left_alone(scripted: Scripted) -> None:
    rules = Rules(scripted, raw("main", 40))
    assert scripted.forge.ensure_rules(5, SEAT)
    written = len([one for one in scripted.asked if not one.startswith("GET")])
    assert not scripted.forge.ensure_rules(5, SEAT)
    assert len([one for one in scripted.asked if not one.startswith("GET")]) == written
    assert set(rules.rules) == {"main", "*", "submit/*"}
    assert set(scripted.forge.rules(5)) == {*SEAT, BranchRule("main", Role.INSTRUCTOR)}


@pytest.mark.parametrize("before", [raw("*", 30), raw("*", 40, force=True), raw("*", 40, merge=30)])
def test_the_widest_rule_is_replaced_without_an_unprotected_moment(scripted: Scripted, before: dict[str, Any]) -> None:
    rules = Rules(scripted, before, raw("submit/*", 30, merge=0))
    assert scripted.forge.ensure_rules(5, SEAT)
    assert all(moment & {"*", "**"} for moment in rules.moments)
    assert set(rules.rules) == {"*", "submit/*"}
    assert set(scripted.forge.rules(5)) == set(SEAT)


@pytest.mark.parametrize(
    "extra",
    [raw("extra/*", 30), raw("extra/*", 40), raw("main", 30), raw("main", 40, force=True), raw("main", 40, merge=30)],
)
def test_a_rule_that_gives_more_is_removed(scripted: Scripted, extra: dict[str, Any]) -> None:
    rules = Rules(scripted, raw("*", 40, merge=0), raw("submit/*", 30, merge=0), extra)
    assert scripted.forge.ensure_rules(5, SEAT)
    assert set(rules.rules) == {"*", "submit/*"}


def test_a_shield_that_an_interrupted_run_left_is_removed(scripted: Scripted) -> None:
    rules = Rules(scripted, raw("**", 40), raw("submit/*", 30, merge=0))
    assert scripted.forge.ensure_rules(5, SEAT)
    assert set(rules.rules) == {"*", "submit/*"}
    assert all(moment & {"*", "**"} for moment in rules.moments)


def test_a_rule_that_names_a_person_or_key_is_none_of_ours_and_is_replaced(scripted: Scripted) -> None:
    Rules(scripted, raw("*", 40), raw("submit/*", 30, deploy_key_id=4))
    assert BranchRule("submit/*", Role.NONE) in scripted.forge.rules(5)
    assert scripted.forge.ensure_rules(5, SEAT)
    assert set(scripted.forge.rules(5)) == set(SEAT)


def test_students_cannot_tag_afterwards(scripted: Scripted) -> None:
    rules = Rules(scripted, raw("*", 40), raw("submit/*", 30))
    rules.tags = {"*": 30, "main": 0}
    assert scripted.forge.ensure_rules(5, SEAT)
    assert rules.tags == {"*": 40, "main": 0}


def test_rules_that_are_not_in_force_afterwards_are_an_error(scripted: Scripted) -> None:
    Rules(scripted, deaf=True)
    with pytest.raises(UnexpectedAnswer, match="not in force"):
        scripted.forge.ensure_rules(5, SEAT)


@pytest.mark.parametrize(
    ("rule", "role"),
    [
        (raw("x", 30), Role.STUDENT),
        (raw("x", 40), Role.INSTRUCTOR),
        (raw("x", 60), Role.INSTRUCTOR),
        (raw("x", 0), Role.NONE),
        (raw("x", 30, force=True), Role.NONE),
        (raw("x", 40, user_id=3), Role.NONE),
        (raw("x", 40, deploy_key_id=None), Role.INSTRUCTOR),  # type: ignore[arg-type]
    ],
)
def test_a_rule_is_read_as_the_least_role_that_may_push(scripted: Scripted, rule: dict[str, Any], role: Role) -> None:
    scripted.mock.add(responses.GET, f"{API}/protected_branches", json=[rule])
    assert scripted.forge.rules(5) == [BranchRule("x", role)]
