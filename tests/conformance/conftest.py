"""What nbgrader's tests find in place of nbgrader's own exchange: a course on a development server of this worker."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from nbgrader.tests.apps import conftest as upstream_fixtures
from nbgrader.utils import get_username
from traitlets.config import Config

from git_exchange.devserver import RunningServer
from git_exchange.plugin import configure
from git_exchange.secret import Token
from tests.conformance.mirror import Mirror
from tests.conformance.school import Namespace, School, enrol
from tests.conformance.upstream import NOT_RUN, OTHER_COURSES, OTHER_STUDENTS, SUITES

# What nbgrader's tests ask for by these names.
cache = upstream_fixtures.cache
course_dir = upstream_fixtures.course_dir
db = upstream_fixtures.db
env = upstream_fixtures.env
exchange = upstream_fixtures.exchange
fake_home_dir = upstream_fixtures.fake_home_dir
jupyter_config_dir = upstream_fixtures.jupyter_config_dir
jupyter_data_dir = upstream_fixtures.jupyter_data_dir
temp_cwd = upstream_fixtures.temp_cwd

COURSE = "abc101"
API_METHODS = ("release", "release_assignment", "unrelease", "collect", "release_feedback", "fetch_feedback")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip by name what cannot run, and let nbgrader's code warn: it is not ours to mend."""
    for item in items:
        suite = _suite(item)
        if suite is None:
            continue
        item.add_marker(pytest.mark.filterwarnings("default"))
        reason = NOT_RUN.get((suite, item.name))
        if reason is not None:
            item.add_marker(pytest.mark.skip(reason=reason))


def _suite(item: pytest.Item) -> str | None:
    case = item.getparent(pytest.Class)
    return getattr(case.obj, "suite", None) if case is not None else None


@pytest.fixture(scope="session")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    place = tmp_path_factory.mktemp("school")
    with RunningServer(place / "server") as server:
        yield enrol(server.url, Token(server.admin_token), get_username(), place)


@pytest.fixture
def namespace(school: School, request: pytest.FixtureRequest, tmp_path: Path) -> Namespace:
    """A namespace with the courses and seats that this test names."""
    found = school.namespace(tmp_path / "git-exchange-cache")
    if {"exchange", "cache", "api"} & set(request.fixturenames):
        test = (str(_suite(request.node)), request.node.name)
        for course_id in (COURSE, *OTHER_COURSES.get(test, ())):
            found.open(course_id, OTHER_STUDENTS.get(test, ()))
    return found


@pytest.fixture(autouse=True)
def configured(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but the configuration that people write, and who they are."""
    if _suite(request.node) is None:
        return
    namespace: Namespace = request.getfixturevalue("namespace")
    monkeypatch.setattr(os, "environ", os.environ)  # nbgrader's run_nbgrader leaves a plain dict in its place
    folder = tmp_path / "configuration"
    folder.mkdir()
    (folder / "nbgrader_config.py").write_text(namespace.configuration)
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(folder))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("USER", get_username())
    monkeypatch.setenv("GIT_EXCHANGE_TOKEN_FILE", str(namespace.school.token_file))


@pytest.fixture(autouse=True)
def mirror(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, configured: None) -> Mirror | None:
    """For tests that look into the exchange directory: the course in nbgrader's layout after each command."""
    suite = _suite(request.node)
    if suite is None or request.node.name not in SUITES[suite].mirrored:
        return None
    courses = (COURSE, *OTHER_COURSES.get((suite, request.node.name), ()))
    exchange_dir, root = Path(request.getfixturevalue("exchange")), Path(request.getfixturevalue("course_dir"))
    found = Mirror(exchange_dir, root, request.getfixturevalue("namespace"), courses)
    module = SUITES[suite].module
    monkeypatch.setattr(module, "run_nbgrader", found.around(module.run_nbgrader))
    return found


@pytest.fixture
def api(
    course_dir: str, db: str, exchange: str, cache: str, namespace: Namespace, mirror: Mirror | None
) -> NbGraderAPI:
    """nbgrader's own fixture, plus our configuration, which formgrader reads from the same file as the command line."""
    config = Config()
    config.CourseDirectory.course_id = COURSE
    config.Exchange.root = exchange
    config.Exchange.cache = cache
    config.CourseDirectory.root = course_dir
    config.CourseDirectory.db_url = db
    configure(config, namespace.settings.url, namespace=namespace.settings.namespace, kind="gitlab")
    config.GitExchange.cache_dir = str(namespace.settings.cache_dir)
    config.GitExchange.identical_resubmission = "own-time"
    config.GitExchange.grace_seconds = 0.0
    found = NbGraderAPI(CourseDirectory(config=config), config=config)
    if mirror is not None:
        for name in API_METHODS:
            setattr(found, name, mirror.around(getattr(found, name)))
    return found
