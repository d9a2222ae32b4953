"""nbgrader's pages in live Jupyter servers, on every forge of the exchange tests, with a line to it that can be cut."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.exchange.conftest import Server, server
from tests.pages.campus import Campus
from tests.pages.line import Line
from tests.realforge import RealForge, let_create_organisations
from tests.unit.school import School

__all__ = ["server"]


@pytest.fixture
def line(server: Server) -> Iterator[Line]:
    with Line(server.url) as running:
        yield running


@pytest.fixture
def campus(server: Server, line: Line, tmp_path: Path) -> Campus:
    school = School(server.url, server.admin, tmp_path, kind=server.kind)
    school.token("teacher")
    if server.kind == "gitea":
        let_create_organisations(RealForge(server.url, server.admin.value), school.username("teacher"))
    return Campus(school, line)
