from __future__ import annotations

import pytest
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange import ExchangeFactory

from git_exchange.plugin import pages
from git_exchange.plugin.submit import ExchangeSubmit
from tests.unit.school import COURSE, School


def press_submit(school: School, text: str) -> ExchangeSubmit:
    """Submit as nbgrader's assignment list does."""
    settings = school.settings("ann")
    school.folder("work/ps1", {"p1.ipynb": text})
    operation = ExchangeSubmit(
        coursedir=CourseDirectory(course_id=COURSE, assignment_id="ps1", root=str(school.place)),
        parent=ExchangeFactory(),
        url=settings.url,
        namespace=settings.namespace,
        kind=settings.kind,
        cache_dir=str(settings.cache_dir),
        cache=str(school.place / "copies"),
        assignment_dir=str(school.place / "work"),
    )
    operation.start()
    return operation


def test_the_untouched_release_after_work_is_told_by_the_list_that_follows(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    school.open("ann")
    school.release()
    monkeypatch.setenv("GIT_EXCHANGE_TOKEN", school.token("ann").value)
    monkeypatch.setattr(pages, "in_jupyter_server", lambda: True)
    monkeypatch.setattr(pages, "_swallowed", [])
    assert pages.swallowed(press_submit(school, "work")) is None
    told = pages.swallowed(press_submit(school, "released"))
    words = " ".join(str(told).split())
    assert "Attempt 2 was submitted. These are exactly the released files; your attempt 1 had work in it." in words
