"""Accounts for the people of a roster, and a student to try with, as people run the commands."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from git_exchange.errors import NotFound
from git_exchange.forge.connect import connect_accounts, connect_admin
from git_exchange.forge.ports import Role, SignInAs
from git_exchange.rules import layout
from tests import realforge
from tests.exchange.classroom import COURSE, Classroom, Result
from tests.exchange.conftest import Server


@contextmanager
def canvas(people: dict[int, dict[str, str]]) -> Iterator[str]:
    """Give the address of a Canvas whose only course has these students."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if "/enrollments" in self.path:
                rows: list[dict[str, object]] = [
                    {"user_id": n, "type": "StudentEnrollment", "enrollment_state": "active", "user": {"id": n, **said}}
                    for n, said in people.items()
                ]
            else:
                rows = [{"id": n, "email": said["email"]} for n, said in people.items()]
            body = json.dumps(rows).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def people(classroom: Classroom, *names: str) -> dict[int, dict[str, str]]:
    return {
        number: {
            "name": name.title(),
            "sortable_name": f"Doe, {name.title()}",
            "login_id": f"{name}-{classroom.mark}",
            "sis_user_id": f"S{number}-{classroom.mark}",
            "email": f"{name}-{classroom.mark}@uni.example",
        }
        for number, name in enumerate(names, 1)
    }


def as_administrator(classroom: Classroom, *command: str) -> Result:
    """Run a command with the token of the forge's administrator, who becomes an instructor of the course."""
    forge = classroom.forge()
    group = forge.find_group(layout.group_path(classroom.namespace, COURSE))
    administrator = connect_admin(classroom.settings(), classroom.admin).account()
    forge.set_group_access(group, administrator, Role.INSTRUCTOR)
    return classroom.run(
        classroom.teacher,
        ["git-exchange", *command],
        GIT_EXCHANGE_TOKEN=classroom.admin.value,
        GIT_EXCHANGE_LMS_TOKEN="secret",
    )


def lms(classroom: Classroom, url: str, sign_in: str = "") -> str:
    path = classroom.teacher.work / "canvas.toml"
    path.write_text(f'kind = "canvas"\nurl = "{url}"\ncourse = 1\n{sign_in}')
    return str(path)


def test_who_has_no_account_gets_one_and_the_project_in_one_run(classroom: Classroom) -> None:
    classroom.open()
    with canvas(people(classroom, "una", "vic")) as url:
        options = (COURSE, "--from", lms(classroom, url), "--allow-drops", "1")
        classroom.person("vic")  # has an account that is called like the login: proposed, not taken
        refused = classroom.run(
            classroom.teacher,
            ["git-exchange", "roster", "apply", *options, "--create-accounts"],
            GIT_EXCHANGE_LMS_TOKEN="secret",
        )
        assert refused.status == 1
        assert "Only a site administrator can make accounts" in refused.output
        assert "Traceback" not in refused.output
        plan = as_administrator(classroom, "roster", "plan", *options[:3], "--create-accounts")
        assert "1 create" in plan.output, plan.output
        assert classroom.forge().find_account(f"una-{classroom.mark}") is None
        done = as_administrator(classroom, "roster", "apply", *options, "--create-accounts")
        assert done.status == 1, done.output  # vic is to be looked at by a person
        assert "1 created" in done.output
        assert "1 unmatched" in done.output
        assert "password" not in done.output
    una = classroom.forge().find_account(f"una-{classroom.mark}")
    assert una is not None
    seat = classroom.seat(f"una-{classroom.mark}")
    members = {member.account.id for member in classroom.forge().members(seat.id) if member.direct}
    assert members == {una.id}
    classroom.release()
    collected = classroom.ok("teacher", "collect", "ps1")
    assert "1 person of the roster has no account on the forge yet: Vic Doe (LMS user 2)" in collected


def test_a_new_account_belongs_to_the_institutions_sign_in_and_is_found_by_it(
    classroom: Classroom, server: Server
) -> None:
    classroom.open()
    source = realforge.sign_in_source(server.folder) if classroom.kind == "gitea" else "saml"
    accounts = connect_accounts(classroom.settings(), classroom.admin)
    known = SignInAs(source, f"S2-{classroom.mark}")
    accounts.open_account(f"zed-{classroom.mark}", name="Z", email=f"z-{classroom.mark}@x.example", sign_in=known)
    sign_in = f'[sign_in]\nprovider = "{source}"\nidentity = "sourced_id"\n'
    with canvas(people(classroom, "una", "vic")) as url:
        options = (COURSE, "--from", lms(classroom, url, sign_in), "--allow-drops", "1")
        plain = classroom.run(
            classroom.teacher, ["git-exchange", "roster", "plan", *options[:3]], GIT_EXCHANGE_LMS_TOKEN="secret"
        )
        assert "only a site administrator's token" in plain.output
        assert "2 unmatched" in plain.output
        done = as_administrator(classroom, "roster", "apply", *options, "--create-accounts")
        assert done.status == 0, done.output
        assert "2 created" in done.output
    una = accounts.find_signed_in(SignInAs(source, f"S1-{classroom.mark}"))
    assert una is not None
    assert una.username == f"una-{classroom.mark}"
    assert classroom.seat(f"zed-{classroom.mark}").id


def test_who_has_no_account_is_invited_by_e_mail_where_the_forge_can_do_that(classroom: Classroom) -> None:
    classroom.open()
    classroom.release()
    forge = classroom.forge()
    group = layout.group_path(classroom.namespace, COURSE)
    with canvas(people(classroom, "una")) as url:
        options = (COURSE, "--from", lms(classroom, url))

        def roster(command: str, *more: str) -> Result:
            line = ["git-exchange", "roster", command, *options, *more]
            return classroom.run(classroom.teacher, line, GIT_EXCHANGE_LMS_TOKEN="secret")

        both = roster("apply", "--invite", "--create-accounts")
        assert both.status == 2
        assert "exclude each other" in both.output
        if not forge.invites:
            refused = roster("apply", "--invite")
            assert refused.status == 1
            assert "cannot invite people by e-mail" in refused.output
            assert "Traceback" not in refused.output
            return
        done = roster("apply", "--invite")
        assert done.status == 0, done.output
        assert "1 invited" in done.output
        ((email, at),) = forge.invitations(forge.find_project(f"{group}/{layout.ASSIGNMENTS}").id).items()
        assert email == f"una-{classroom.mark}@uni.example"
        (step,) = json.loads(roster("plan", "--invite", "--json").output)["steps"]
        assert (step["action"], step["invited"][:10]) == ("invited", f"{at.date()}")
    collected = classroom.ok("teacher", "collect", "ps1")
    assert f"Una Doe (LMS user 1) (invited on {at.date()})" in " ".join(collected.split())


def test_collect_names_pending_people_until_they_have_an_account(classroom: Classroom) -> None:
    classroom.open("ann")
    classroom.release()
    roster = Path(classroom.teacher.work / "roster.csv")
    ann = classroom.people["ann"].username
    teacher = classroom.teacher.username
    head = f"student_id,username,role\nann,{ann},student\nteacher,{teacher},instructor\n"
    roster.write_text(f"{head}noa,noa-{classroom.mark},student\nolu,olu-{classroom.mark},student\n")
    apply = ["git-exchange", "roster", "apply", COURSE, "--from", str(roster)]
    assert "2 pending" in classroom.run(classroom.teacher, apply).output
    said = "2 people of the roster have no account on the forge yet: noa, olu"
    assert said in classroom.ok("teacher", "collect", "ps1")
    classroom.person("noa")
    assert "1 created" in classroom.run(classroom.teacher, apply).output
    assert "1 person of the roster has no account on the forge yet: olu" in classroom.ok("teacher", "collect", "ps1")
    roster.write_text(f"{head}noa,noa-{classroom.mark},student\n")
    classroom.run(classroom.teacher, apply)
    assert "no account on the forge yet" not in classroom.ok("teacher", "collect", "ps1")


def test_staff_try_the_course_with_a_student_who_is_nobodys_account(classroom: Classroom) -> None:
    classroom.open()
    create = ["git-exchange", "course", "create", COURSE, "--test-student"]
    for _ in range(2):
        made = classroom.run(classroom.teacher, create)
        assert made.status == 0, made.output
        assert "--student=test-student" in made.output
    classroom.release()
    teacher = classroom.teacher
    trying = teacher.work / "trying"
    trying.mkdir()
    teacher.configure(trying, COURSE)
    for command in (("fetch_assignment", "ps1"), ("submit", "ps1", "--student=test-student")):
        done = classroom.run(teacher, ["nbgrader", *command], trying)
        assert done.status == 0, done.output
    collected = classroom.ok("teacher", "collect", "ps1")
    assert "1 collected (of 1)" in collected
    assert (classroom.submitted("test-student") / "timestamp.txt").is_file()
    applied = classroom.enrol("ann")
    assert "test-student" not in applied.output
    assert "dropped" not in applied.output
    assert classroom.seat("test-student").id
    with pytest.raises(NotFound):
        classroom.forge("ann").find_project(f"{layout.group_path(classroom.namespace, COURSE)}/student-test-student")
    assert classroom.run(teacher, ["git-exchange", "doctor", COURSE]).status == 0
    classroom.ok("ann", "fetch_assignment", "ps1")
    assert "do not have access" in classroom.fails("ann", "submit", "ps1", "--student=test-student")
