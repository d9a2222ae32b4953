from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from nbgrader.auth import Authenticator
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange.abc import ExchangeError
from traitlets.config import Config

from git_exchange.operations import listing
from git_exchange.plugin import listings, pages
from git_exchange.plugin.list import ExchangeList
from tests.unit.school import COURSE, School


@pytest.fixture(autouse=True)
def empty(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    listings.forget_listings()
    listings._kept.clear()
    yield
    listings._kept.clear()


def list_of(school: School, name: str, monkeypatch: pytest.MonkeyPatch, course_id: str, **options: Any) -> ExchangeList:
    monkeypatch.setenv("GIT_EXCHANGE_TOKEN", school.token(name).value)
    settings = school.settings(name)
    config = Config()
    config.GitExchange.url = settings.url
    config.GitExchange.namespace = settings.namespace
    config.GitExchange.kind = "gitlab"
    config.GitExchange.cache_dir = str(settings.cache_dir)
    config.Exchange.cache = str(school.place / "notes")
    config.CourseDirectory.course_id = course_id
    made = ExchangeList(
        coursedir=CourseDirectory(config=config), authenticator=Authenticator(config=config), config=config
    )
    for option, value in options.items():
        setattr(made, option, value)
    return made


@pytest.mark.parametrize("in_jupyter_server", [False, True])
def test_a_course_that_cannot_be_read_does_not_hide_the_others(
    school: School, monkeypatch: pytest.MonkeyPatch, in_jupyter_server: bool
) -> None:
    monkeypatch.setattr(pages, "in_jupyter_server", lambda: in_jupyter_server)
    school.open("ann")
    school.release()
    school.submit("ann", "mine")
    school.open("ann", course_id="algebra")
    closed = school.course("teacher", "algebra")
    school.api("PUT", f"/projects/{closed.assignments().id}", visibility="private")
    assert [info["course_id"] for info in list_of(school, "ann", monkeypatch, "*").start()] == [COURSE]
    with pytest.raises(ExchangeError, match="algebra"):
        list_of(school, "ann", monkeypatch, "algebra").start()
    school.enrol("ben", course_id="algebra")
    named = list_of(school, "ann", monkeypatch, "*", cached=True)
    named.coursedir.student_id = "ann"
    assert [info["course_id"] for info in named.start()] == [COURSE]


def test_what_arrives_while_submissions_are_removed_is_not_removed_unseen(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    school.open("ann")
    school.release()
    school.submit("ann", "first")
    real, asked = listing.inbound, []

    def inbound(*arguments: Any, **options: Any) -> list[listing.Inbound]:
        if asked:
            school.submit("ann", "second")
        asked.append(1)
        return real(*arguments, **options)

    monkeypatch.setattr(listing, "inbound", inbound)
    list_of(school, "teacher", monkeypatch, COURSE, inbound=True, remove=True).start()
    monkeypatch.setattr(listing, "inbound", real)
    if len(asked) == 1:
        school.submit("ann", "second")
    left = list_of(school, "teacher", monkeypatch, COURSE, inbound=True).start()
    assert [len(info["submissions"]) for info in left] == [1]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), ValueError("odd"), KeyError("x")])
def test_whatever_goes_wrong_is_nbgraders_error_as_all_else_breaks_every_page_of_formgrader(
    school: School, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    school.open("ann")

    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(listing, "released", fail)
    with pytest.raises(ExchangeError):
        list_of(school, "teacher", monkeypatch, COURSE).start()


def test_an_auth_plugin_that_fails_is_nbgraders_error(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    school.open("ann")
    made = list_of(school, "teacher", monkeypatch, COURSE)

    def fail(*_: Any) -> None:
        raise RuntimeError("no hub here")

    monkeypatch.setattr(made.authenticator, "get_student_courses", fail)
    with pytest.raises(ExchangeError, match="no hub here"):
        made.start()


def test_every_attempt_of_an_unbroken_run_of_the_same_files_has_the_feedback_of_the_run(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    from git_exchange.operations.release_feedback import release_feedback

    school.open("ann")
    school.release()
    school.submit("ann", "same")
    school.collect()
    marked = school.mark_work("ann", {"p1.html": "good"})
    school.submit("ann", "same")
    release_feedback(school.course(), "ps1", [replace(marked)])
    (info,) = list_of(school, "ann", monkeypatch, COURSE, cached=True).start()
    assert [one["has_exchange_feedback"] for one in info["submissions"]] == [True, True]
    assert len({one["timestamp"] for one in info["submissions"]}) == 1
