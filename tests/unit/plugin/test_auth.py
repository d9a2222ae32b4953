"""What nbgrader hears of our auth plugin where it catches nothing: lists, and failures that are no tracebacks."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import responses
from nbgrader.auth import Authenticator
from traitlets.config import Config

from git_exchange.errors import GitExchangeError
from git_exchange.plugin import configure
from tests.unit.school import COURSE, School

HUB = "http://127.0.0.1:8081/hub/api"


def authenticator(
    school: School, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, who: str = "teacher"
) -> Authenticator:
    token = tmp_path / "token"
    token.write_text(school.token(who).value)
    token.chmod(0o600)
    monkeypatch.setenv("GIT_EXCHANGE_TOKEN_FILE", str(token))
    config = Config()
    settings = school.settings(who)
    configure(config, settings.url, namespace=settings.namespace, kind="gitlab")
    config.GitExchange.cache_dir = str(settings.cache_dir)
    return Authenticator(config=config)


@pytest.fixture
def hub(school: School, monkeypatch: pytest.MonkeyPatch) -> responses.RequestsMock:
    """Make this process a server of a hub; the forge stays real."""
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "of-the-server")
    monkeypatch.setenv("JUPYTERHUB_API_URL", HUB)
    monkeypatch.setenv("JUPYTERHUB_USER", "ann")
    mock = responses.RequestsMock(assert_all_requests_are_fired=False)
    mock.add_passthru(school.url)
    return mock


@pytest.mark.parametrize(
    ("scopes", "courses"),
    [(["list:services", "self"], [COURSE]), (["list:services!service=x"], [COURSE]), (["read:services"], None)],
)
def test_course_list_gets_a_list_where_it_can_use_one(
    school: School,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    hub: responses.RequestsMock,
    scopes: list[str],
    courses: list[str] | None,
) -> None:
    school.open("ann")
    with hub:
        hub.get(f"{HUB}/user", json={"name": "ann", "scopes": scopes})
        assert authenticator(school, tmp_path, monkeypatch, "ann").get_student_courses("*") == courses


def test_a_hub_that_does_not_answer_is_no_hub(
    school: School, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hub: responses.RequestsMock
) -> None:
    with hub:
        hub.get(f"{HUB}/user", status=503)
        assert authenticator(school, tmp_path, monkeypatch).get_student_courses("*") is None


def test_access_is_having_a_seat(school: School, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    school.open("ann")
    asked = authenticator(school, tmp_path, monkeypatch)
    assert asked.has_access("ann", COURSE)
    assert not asked.has_access("ann", "physics")
    assert not asked.has_access("ben", COURSE)
    asked.remove_student_from_course("ann", COURSE)
    assert not asked.has_access("ann", COURSE)
    school.token("ben")
    asked.add_student_to_course(school.username("ben"), COURSE)
    assert asked.has_access(school.username("ben"), COURSE)
    asked.remove_student_from_course(school.username("ben"), COURSE)
    assert not asked.has_access(school.username("ben"), COURSE)


def test_an_import_waits_once_for_a_forge_that_is_down(
    school: School, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked = authenticator(school, tmp_path, monkeypatch)
    asked.plugin.config.GitExchange.url = "http://127.0.0.1:9"
    tried: list[str] = []
    with responses.RequestsMock(assert_all_requests_are_fired=False) as forge, caplog.at_level(logging.ERROR):
        forge.add_callback(
            responses.GET,
            "http://127.0.0.1:9/api/v4/user",
            lambda request: (tried.append(request.url or ""), (503, {}, ""))[1],
        )
        asked.add_student_to_course("ann", COURSE)
        once = len(tried)
        for number in range(20):
            asked.add_student_to_course(f"s{number}", COURSE)
    assert len(tried) == once
    assert len([record for record in caplog.records if "no seat on the forge yet" in record.message]) == 21


def test_who_cannot_be_taken_out_stays_in_the_gradebook(
    school: School, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    school.open("ann")
    with pytest.raises(GitExchangeError, match="is not on the staff"):
        authenticator(school, tmp_path, monkeypatch, "ann").remove_student_from_course("ann", COURSE)
    asked = authenticator(school, tmp_path, monkeypatch)
    asked.plugin.config.GitExchange.url = "http://127.0.0.1:9"
    with pytest.raises(GitExchangeError, match="neither from the forge nor from the gradebook"):
        asked.remove_student_from_course("ann", COURSE)
