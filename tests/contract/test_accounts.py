"""Who we are, what the token may, and what the server says of itself."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta, timezone

import pytest

from git_exchange.errors import Conflict, Forbidden, ForgeError, TokenRefused
from git_exchange.forge.ports import ForgeAdmin, Role, SignInAs, Visibility
from git_exchange.secret import Token
from tests.contract.conftest import Course, Site


def test_the_account_is_the_one_that_the_token_belongs_to(site: Site) -> None:
    alice = site.person("alice")
    found = alice.forge.account()
    assert (found.id, found.username, found.name) == (alice.account.id, alice.account.username, "Alice")
    assert not found.is_admin
    assert site.admin.account().is_admin


def test_an_account_is_found_by_its_name_in_any_case_and_by_anybody(site: Site) -> None:
    alice, bob = site.person("alice"), site.person("bob")
    found = bob.forge.find_account(alice.account.username.upper())
    assert found is not None
    assert found.id == alice.account.id
    assert bob.forge.find_account(alice.account.username[:-1]) is None
    assert bob.forge.find_account(f"nobody-{uuid.uuid4().hex}") is None


def test_an_account_is_found_by_its_number(site: Site) -> None:
    alice, bob = site.person("alice"), site.person("bob")
    found = bob.forge.account_by_id(alice.account.id)
    assert found is not None
    assert (found.id, found.username) == (alice.account.id, alice.account.username)
    assert bob.forge.account_by_id(2_000_000_000) is None


def test_an_account_that_exists_is_a_conflict(site: Site) -> None:
    alice = site.person("alice").account
    with pytest.raises(Conflict):
        site.accounts.create_account(alice.username, name="Other", email=f"{uuid.uuid4().hex}@example.invalid")


def test_only_an_administrator_makes_accounts_and_tokens_for_others(site: Site) -> None:
    alice, bob = site.person("alice"), site.person("bob")
    rival = Site(site.backend)
    rival.accounts = alice.forge  # type: ignore[assignment]  # the same object serves both ports
    name = f"eve-{uuid.uuid4().hex[:8]}"
    with pytest.raises(Forbidden):
        rival.accounts.create_account(name, name="Eve", email=f"{name}@example.invalid")
    with pytest.raises(Forbidden):
        rival.token(bob.account)


@pytest.mark.parametrize("scopes", [("api",), ("read_api", "write_repository")])
def test_a_token_tells_its_scopes_and_its_last_day(site: Site, scopes: tuple[str, ...]) -> None:
    day = datetime.now(timezone.utc).date() + timedelta(days=7)
    forge = site.connect(site.token(site.person("alice").account, *scopes, expires=day))
    assert forge.scopes() in (None, frozenset(scopes))
    assert forge.token_expires() in (None, day)
    assert forge.account().id == site.person("alice").account.id


def test_a_token_without_the_scope_is_forbidden_to_write_and_says_so(site: Site, course: Course) -> None:
    tom = site.person("tom").account
    site.admin.set_group_access(course.group, tom, Role.INSTRUCTOR)
    forge = site.connect(site.token(tom, "read_api"))
    assert forge.find_group(course.group.full_path).id == course.group.id
    with pytest.raises(Forbidden) as caught:
        forge.ensure_project(course.group, "x", description="", visibility=Visibility.PRIVATE, issues=False)
    assert "scopes: " in caught.value.hint


@pytest.mark.parametrize("value", ["glpat-wrong", "glpat-00000000000000000000", "x" * 500])
def test_a_wrong_token_is_refused_and_not_shown(site: Site, value: str) -> None:
    forge = site.connect(Token(value, "a file"))
    for ask in (forge.account, forge.server, lambda: forge.find_group(site.settings.namespace)):
        with pytest.raises(TokenRefused) as caught:
            ask()
        assert value not in str(caught.value)


def test_an_expired_token_is_refused(site: Site) -> None:
    yesterday = datetime.now(timezone.utc).date() - timedelta(days=1)
    try:
        token = site.token(site.person("alice").account, expires=yesterday)
    except ForgeError:
        return  # this forge does not even make one
    with pytest.raises(TokenRefused):
        site.connect(token).account()


def test_the_server_tells_its_version_and_its_clock(forge: ForgeAdmin, site: Site) -> None:
    before = datetime.now(timezone.utc)
    server = forge.server()
    after = datetime.now(timezone.utc)
    assert server.kind == site.backend.kind
    assert server.version[0].isdigit()
    ahead = timedelta(seconds=server.clock_ahead)
    assert before - timedelta(seconds=2) <= server.date - ahead <= after + timedelta(seconds=2)
    assert server.date.utcoffset() == timedelta(0)


def test_an_account_that_was_opened_for_a_person_is_there_and_its_names_are_taken(site: Site) -> None:
    name = f"zoe-{uuid.uuid4().hex[:8]}"
    made = site.accounts.open_account(name, name="Zoe", email=f"{name}@example.invalid", sign_in=None)
    assert (made.username, made.name) == (name, "Zoe")
    assert site.admin.account_by_id(made.id) == made
    for again, email in ((name, "other"), (f"{name}2", name)):
        with pytest.raises(Conflict):
            site.accounts.open_account(again, name="Zoe", email=f"{email}@example.invalid", sign_in=None)


def test_who_signs_in_by_the_institution_is_found_by_exactly_that(site: Site) -> None:
    mark = uuid.uuid4().hex[:8]
    source = site.backend.sign_in_source()
    made = {
        who: site.accounts.open_account(
            f"{who}-{mark}",
            name=who.title(),
            email=f"{who}-{mark}@example.invalid",
            sign_in=SignInAs(source, f"{who}.{mark}@Uni.example"),
        )
        for who in ("yan", "xia")
    }
    assert site.accounts.find_signed_in(SignInAs(source, f"yan.{mark}@Uni.example")) == made["yan"]
    for other in (
        SignInAs(source, f"yan.{mark}@uni.example"),
        SignInAs(source, f"yan.{mark}"),
        SignInAs(source, f"yan-{mark}"),
        SignInAs("4711", f"yan.{mark}@Uni.example"),
    ):
        assert site.accounts.find_signed_in(other) is None


def test_only_an_administrator_opens_accounts_and_finds_them_by_the_sign_in(site: Site) -> None:
    alice = site.person("alice")
    rival = Site(site.backend)
    rival.accounts = alice.forge  # type: ignore[assignment]  # the same object serves both ports
    name = f"eve-{uuid.uuid4().hex[:8]}"
    with pytest.raises(Forbidden):
        rival.accounts.open_account(name, name="Eve", email=f"{name}@example.invalid", sign_in=None)
    with pytest.raises(Forbidden):
        rival.accounts.find_signed_in(SignInAs("1", name))
    assert site.admin.find_account(name) is None
