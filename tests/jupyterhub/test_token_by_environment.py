from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.jupyterhub import kernels
from tests.jupyterhub.school import COURSE, HOOKS, School, school

pytestmark = pytest.mark.xdist_group("jupyterhub")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    place = tmp_path_factory.mktemp("school")
    with school(place, HOOKS / "token_by_environment.py", in_etc=("jupyter_server_config.py",)) as opened:
        opened.start("ada", "bo", "cleo")
        yield opened


def test_kernels_do_not_inherit_the_token_even_before_nbgrader_is_used(running: School) -> None:
    token = running.token_of("bo").value
    assert running.hub.environment_of_server("bo")["GIT_EXCHANGE_TOKEN"] == token
    seen = kernels.environment_of_a_kernel(running.browsers["bo"], "bo", running.hub.home("bo"))
    assert "GIT_EXCHANGE_URL" in seen
    assert "GIT_EXCHANGE_TOKEN" not in seen
    assert token not in seen.values()


def test_a_course_goes_through_everybodys_own_server(running: School) -> None:
    assert running.formgrader("ada", "release")["success"]
    for student in ("bo", "cleo"):
        running.presses(student, "fetch")
        assert running.presses(student, "submit")["success"]
    assert running.formgrader("ada", "collect")["success"]
    for student in ("bo", "cleo"):
        assert (running.hub.home("ada") / COURSE / "submitted" / student / "ps1" / "p1.ipynb").is_file()


def test_a_server_reads_nobodys_sign_in_from_the_hub_not_even_its_owners(running: School) -> None:
    own = running.hub.environment_of_server("bo")["JUPYTERHUB_API_TOKEN"]
    assert "auth_state" not in running.hub.asked("GET", "/users/bo", own).json()
    assert running.hub.asked("GET", "/users/cleo", own).status_code in (403, 404)


def test_a_token_that_has_ended_is_said_to_come_back_with_a_restart(running: School) -> None:
    running.revoke_token_of("cleo")
    answer = running.presses("cleo", "submit")
    assert not answer["success"]
    assert "does not accept the token from GIT_EXCHANGE_TOKEN" in answer["value"]
    assert "Restart your server" in answer["value"]
