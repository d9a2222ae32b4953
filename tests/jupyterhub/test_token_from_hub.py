from __future__ import annotations

import pytest

from tests.jupyterhub import kernels
from tests.jupyterhub.school import COURSE, School, eventually

pytestmark = pytest.mark.xdist_group("jupyterhub")


def test_a_course_goes_through_everybodys_own_server(with_renewal: School) -> None:
    for student in ("bo", "cleo"):
        assert {name for name, _ in with_renewal.sees(student)} >= {"ps1"}
        with_renewal.presses(student, "fetch")
        assert with_renewal.presses(student, "submit")["success"]
        assert ("ps1", "submitted") in with_renewal.sees(student)
    collected = with_renewal.formgrader("ada", "collect")
    assert collected["success"], collected
    for student in ("bo", "cleo"):
        assert (with_renewal.hub.home("ada") / COURSE / "submitted" / student / "ps1" / "p1.ipynb").is_file()


def test_a_token_that_ends_in_the_session_is_replaced_without_restarting_the_server(with_renewal: School) -> None:
    with_renewal.presses("cleo", "fetch")
    assert with_renewal.presses("cleo", "submit")["success"]
    started = with_renewal.hub.environment_of_server("cleo")["JUPYTERHUB_API_TOKEN"]
    before = with_renewal.token_of("cleo")
    with_renewal.revoke_token_of("cleo")
    eventually(lambda: with_renewal.presses("cleo", "submit")["success"])
    after = with_renewal.token_of("cleo")
    assert after != before
    assert with_renewal.forge_asked("GET", "/user", after).json()["username"] == "cleo"
    assert with_renewal.hub.environment_of_server("cleo")["JUPYTERHUB_API_TOKEN"] == started


def test_a_students_server_cannot_get_at_anothers_token(with_renewal: School) -> None:
    own = with_renewal.hub.environment_of_server("bo")["JUPYTERHUB_API_TOKEN"]
    assert with_renewal.hub.asked("GET", "/users/bo", own).json()["auth_state"]["access_token"]
    for path in ("/users/cleo", "/users/ada"):
        answer = with_renewal.hub.asked("GET", path, own)
        assert answer.status_code in (403, 404)
        assert "auth_state" not in answer.text
    assert with_renewal.hub.asked("GET", "/users", own).status_code == 403
    assert with_renewal.browsers["bo"].get("/user/cleo/api/contents").status_code == 403


def test_the_token_is_in_no_environment_no_log_and_no_configuration(with_renewal: School) -> None:
    token = with_renewal.token_of("bo").value
    assert token not in with_renewal.hub.environment_of_server("bo").values()
    seen = kernels.environment_of_a_kernel(with_renewal.browsers["bo"], "bo", with_renewal.hub.home("bo"))
    assert seen["JUPYTERHUB_USER"] == "bo"
    assert token not in seen.values()
    assert "GIT_EXCHANGE_TOKEN" not in seen
    log = (with_renewal.hub.folder / "log").read_text(errors="replace")
    assert token not in log
    page = with_renewal.browsers["ada"].get("/user/ada/formgrader/manage_assignments")
    assert page.status_code == 200
    assert with_renewal.token_of("ada").value not in page.text
