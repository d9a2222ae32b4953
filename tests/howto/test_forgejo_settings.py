"""What the settings of compose.yaml do on a real server."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import requests

from tests.howto import people
from tests.howto.pages import forgejo_settings
from tests.howto.people import Person, administrator
from tests.realforge import RealForge, let_create_organisations

ALL = ("write:repository", "write:organization", "write:user", "read:issue")


@pytest.fixture(scope="module")
def sam(forge: RealForge) -> Person:
    return people.make(forge, "sam", *ALL)


@pytest.fixture(scope="module")
def tess(forge: RealForge) -> Person:
    made = people.make(forge, "tess", *ALL)
    let_create_organisations(forge, "tess")
    return made


def test_nobody_makes_organisations_but_whom_the_administrator_lets(sam: Person, tess: Person) -> None:
    assert sam.asks("POST", "/orgs", username="teaching.sam").status_code == 403
    assert tess.asks("POST", "/orgs", username="teaching.tess").status_code == 201


def test_a_new_project_has_code_and_issues_and_nothing_else(tess: Person) -> None:
    made = tess.asks("POST", "/user/repos", name="fresh", auto_init=True).json()
    assert made["has_issues"]
    on = {name for name, value in made.items() if name.startswith("has_") and value is True}
    assert on - {"has_code"} == {"has_issues"}


def test_who_makes_a_project_does_not_watch_it(tess: Person) -> None:
    tess.asks("POST", "/user/repos", name="unwatched", auto_init=True).raise_for_status()
    assert tess.asks("GET", "/repos/tess/unwatched/subscription").status_code == 404


def test_nobody_makes_the_server_fetch_from_elsewhere(tess: Person) -> None:
    settings = tess.asks("GET", "/settings/repository").json()
    assert (settings["migrations_disabled"], settings["mirrors_disabled"]) == (True, True)


def test_nothing_is_shown_to_who_has_not_signed_in_and_nobody_registers(forge: RealForge, tess: Person) -> None:
    tess.asks("POST", "/user/repos", name="public", private=False, auto_init=True).raise_for_status()
    assert requests.get(f"{forge.url}/api/v1/repos/tess/public", timeout=60).status_code in (401, 403)
    page = requests.get(f"{forge.url}/tess/public", timeout=60)
    assert "/user/login" in page.url
    form = {"user_name": "eve", "email": "eve@example.invalid", "password": "long-enough-1", "retype": "long-enough-1"}
    assert requests.post(f"{forge.url}/user/sign_up", data=form, timeout=60).status_code in (403, 404)
    assert administrator(forge).asks("GET", "/users/eve").status_code == 404


def test_accounts_are_seen_by_who_is_signed_in_and_cannot_hide_further(forge: RealForge, sam: Person) -> None:
    assert administrator(forge).asks("GET", "/users/sam").json()["visibility"] == "limited"


def test_the_size_of_a_push_is_bounded_by_git_itself(
    forge: RealForge, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (limit,) = [value for _, key, value in forgejo_settings() if key == "receive.maxInputSize"]
    folder = next(Path(tmp_path_factory.getbasetemp()).glob("forge*"))
    told = [
        subprocess.run(
            ["git", "config", "--file", str(file), "--get", "receive.maxInputSize"],
            capture_output=True,
            text=True,
            check=False,
        ).stdout.strip()
        for file in folder.rglob(".gitconfig")
    ]
    assert told == [limit]


def test_the_address_that_the_proxy_blocks_is_the_one_that_applies_patches(tess: Person) -> None:
    tess.asks("POST", "/user/repos", name="patched", auto_init=True).raise_for_status()
    assert tess.asks("POST", "/repos/tess/patched/diffpatch", content="no patch").status_code not in (404, 405)
    assert tess.asks("POST", "/repos/tess/patched/no-such-thing", content="no patch").status_code in (404, 405)
