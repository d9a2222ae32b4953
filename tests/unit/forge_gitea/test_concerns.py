from __future__ import annotations

import pytest
import responses

from git_exchange.forge.gitea.adapter import Gitea
from git_exchange.secret import Token
from git_exchange.settings import Settings

URL = "https://forge.example"


def concerns(version: str, *, admin: bool, may_create: bool) -> list[str]:
    """Return state and detail of what the adapter finds, as this account."""
    dated = {"Date": "Sat, 21 Nov 2026 12:00:00 GMT"}
    user = {"id": 1, "login": "ada", "full_name": "Ada", "is_admin": admin}
    with responses.RequestsMock(assert_all_requests_are_fired=False) as server:
        server.get(f"{URL}/api/v1/version", json={"version": version}, headers=dated)
        server.get(f"{URL}/api/v1/user", json=user, headers=dated)
        refused = {"status": 422 if may_create else 403, "json": {"message": "no"}}
        server.post(f"{URL}/api/v1/orgs", headers=dated, **refused)  # type: ignore[arg-type]
        forge = Gitea(Settings(url=URL, namespace="teaching", kind="gitea"), Token("abcdef"))
        return [f"{concern.state}: {concern.detail}" for concern in forge.concerns()]


def test_a_version_with_known_holes_is_a_failure() -> None:
    assert any(line.startswith("failed: Gitea 1.24.6") for line in concerns("1.24.6", admin=False, may_create=False))
    assert not any(line.startswith("failed") for line in concerns("1.27.3", admin=False, may_create=False))


def test_who_cannot_see_hidden_pushes_is_told_what_that_means() -> None:
    assert any("hide their activity" in line for line in concerns("1.27.3", admin=False, may_create=False))


def test_a_site_administrator_is_told_to_keep_the_token_away_from_students_code() -> None:
    (only,) = concerns("1.27.3", admin=True, may_create=True)
    assert "administrator" in only


@pytest.mark.parametrize("may_create", [True, False])
def test_where_anybody_may_create_organisations_it_is_said(may_create: bool) -> None:
    found = concerns("1.27.3", admin=False, may_create=may_create)
    assert any("may create organisations" in line for line in found) is may_create
