"""``git-exchange course create``, ``roster apply`` and ``doctor``, as people run them."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from git_exchange.errors import NotFound
from git_exchange.forge.ports import BranchRule, Role, Visibility
from git_exchange.rules import layout
from tests.exchange.classroom import COURSE, Classroom, Result


def apply(classroom: Classroom, content: str, course: str = COURSE) -> Result:
    roster: Path = classroom.teacher.work / "people.csv"
    roster.write_text(content)
    command = ["git-exchange", "roster", "apply", course, "--from", str(roster)]
    return classroom.run(classroom.teacher, command)


def seats_csv(classroom: Classroom) -> list[dict[str, str]]:
    from git_exchange.course.course import Course
    from git_exchange.course.staff_files import read_files

    course = Course(classroom.settings(), COURSE, classroom.forge(), classroom.tokens["teacher"])
    return list(csv.DictReader(io.StringIO(read_files(course, [layout.SEATS_PATH])[layout.SEATS_PATH].decode())))


def test_a_course_is_a_group_with_protected_projects(classroom: Classroom) -> None:
    classroom.open("ann")
    forge = classroom.forge()
    path = layout.group_path(classroom.namespace, COURSE)
    group = forge.find_group(path)
    assert layout.course_in(group.full_path, group.description) == COURSE
    assignments, staff = (forge.find_project(f"{path}/{name}") for name in (layout.ASSIGNMENTS, layout.STAFF))
    assert (assignments.visibility, staff.visibility) == (Visibility.SIGNED_IN, Visibility.PRIVATE)
    seat = classroom.seat("ann")
    assert seat.visibility is Visibility.PRIVATE
    assert BranchRule("*", Role.INSTRUCTOR) in forge.rules(assignments.id)
    assert set(forge.rules(seat.id)) >= {BranchRule("*", Role.INSTRUCTOR), BranchRule("submit/*", Role.STUDENT)}
    members = {member.account.username: member for member in forge.members(seat.id) if member.direct}
    assert set(members) == {classroom.people["ann"].username}
    assert members[classroom.people["ann"].username].role is Role.STUDENT


def test_running_both_commands_again_changes_nothing(classroom: Classroom) -> None:
    classroom.open("ann", "ben")
    before = [
        (project.id, project.path)
        for project in classroom.forge().projects(
            classroom.forge().find_group(layout.group_path(classroom.namespace, COURSE))
        )
    ]
    again = classroom.open("ann", "ben")
    assert "3 unchanged (of 3)" in again.output
    after = [
        (project.id, project.path)
        for project in classroom.forge().projects(
            classroom.forge().find_group(layout.group_path(classroom.namespace, COURSE))
        )
    ]
    assert sorted(before) == sorted(after)


def test_a_weakened_protection_is_put_right_and_doctor_sees_it(classroom: Classroom) -> None:
    import requests

    classroom.open("ann")
    seat = classroom.seat("ann")
    if classroom.kind == "gitea":
        project = urlsplit(classroom.forge().git_url(seat)).path.removesuffix(".git")
        rule = f"{classroom.url}/api/v1/repos{project}/branch_protections/%2A%2A"
    else:
        rule = f"{classroom.url}/api/v4/projects/{seat.id}/protected_branches/%2A"
    header = {"Authorization": f"Bearer {classroom.tokens['teacher'].value}"}
    assert requests.delete(rule, headers=header, timeout=10).status_code == 204
    doctor = classroom.run(classroom.teacher, ["git-exchange", "doctor", COURSE])
    assert doctor.status == 1
    assert "ann" in doctor.output
    assert "2 unchanged" in classroom.enrol("ann").output  # cheap by default: nothing is read of who did not change
    assert "1 repaired" in classroom.enrol("ann", verify=True).output
    assert classroom.run(classroom.teacher, ["git-exchange", "doctor", COURSE]).status == 0


def test_who_has_no_account_is_named_and_everybody_else_is_done(classroom: Classroom) -> None:
    classroom.open()
    ann = classroom.student("ann").username
    result = apply(classroom, f"student_id,username\nann,{ann}\nghost,nobody-{classroom.mark}\n")
    assert result.status == 0, result.output  # the next run picks them up
    assert f"no account 'nobody-{classroom.mark}'" in " ".join(result.output.split())
    assert "1 created, 1 pending (of 2)" in result.output
    assert classroom.seat("ann").id
    with pytest.raises(NotFound):
        classroom.seat("ghost")


def test_a_seat_is_registered_by_numbers_and_is_not_given_to_another_account(classroom: Classroom) -> None:
    classroom.open("ann")
    (row,) = seats_csv(classroom)
    assert row["student_id"] == "ann"
    assert int(row["project_id"]) == classroom.seat("ann").id
    mallory = classroom.student("mallory").username
    result = apply(classroom, f"student_id,username\nann,{mallory}\n")
    assert result.status == 1
    assert "belongs to the account" in result.output
    with pytest.raises(NotFound):
        classroom.forge("mallory").find_project(
            f"{layout.group_path(classroom.namespace, COURSE)}/{layout.seat_name('ann')}"
        )


def test_students_who_are_not_in_the_roster_are_named_and_left_alone(classroom: Classroom) -> None:
    classroom.open("ann", "ben")
    result = classroom.enrol("ann")
    assert "ben" in result.output
    assert classroom.seat("ben").id


@pytest.mark.parametrize("student_id", ["Ann@Uni.EDU", "o'neil x", "学生", "-dash", "new", "a" * 120, "x.git"])
def test_any_id_gets_a_seat_that_is_found_again(classroom: Classroom, student_id: str) -> None:
    classroom.open()
    ann = classroom.student("ann").username
    content = io.StringIO()
    csv.writer(content).writerows([["student_id", "username"], [student_id, ann]])
    assert apply(classroom, content.getvalue()).status == 0
    assert "1 unchanged" in apply(classroom, content.getvalue()).output
    classroom.release()
    classroom.ok("ann", "fetch_assignment", "ps1")
    classroom.ok("ann", "submit", "ps1")
    assert f"{student_id} ps1" in classroom.ok("teacher", "list", "--inbound")


def test_a_grader_reads_and_collects_but_cannot_release_feedback_or_change_records(classroom: Classroom) -> None:
    classroom.open("ann")
    tim = classroom.person("tim")
    applied = apply(classroom, f"student_id,role,username\ntim,grader,{tim.username}\n")
    assert applied.status == 0, applied.output
    classroom.release()
    classroom.ok("ann", "fetch_assignment", "ps1")
    classroom.ok("ann", "submit", "ps1")
    tim.configure(tim.work, COURSE)
    output = classroom.ok("tim", "collect", "ps1")
    assert "not pinned" in output
    collected = tim.work / "submitted" / "ann" / "ps1"
    stamp = (collected / "timestamp.txt").read_text()
    feedback = tim.work / "feedback" / "ann" / "ps1"
    feedback.mkdir(parents=True)
    (feedback / "timestamp.txt").write_text(stamp)
    (feedback / ".git-exchange-attempt").write_bytes((collected / ".git-exchange-attempt").read_bytes())
    (feedback / "p1.html").write_text("<p>fine</p>")
    assert "instructor" in classroom.fails("tim", "release_feedback", "ps1")
    classroom.ok("teacher", "collect", "ps1")
    assert (classroom.submitted("ann") / "timestamp.txt").read_text() == stamp


def test_without_the_right_to_create_groups_the_message_names_the_role(classroom: Classroom) -> None:
    classroom.open()
    ann = classroom.student("ann")
    result = classroom.run(ann, ["git-exchange", "course", "create", "mine"])
    assert result.status == 1
    assert "Traceback" not in result.output
    assert "Owner" in result.output


def test_doctor_is_content_with_a_student_and_an_instructor_of_a_running_course(classroom: Classroom) -> None:
    classroom.open("ann")
    classroom.release()
    for name in ("teacher", "ann"):
        result = classroom.run(classroom.people[name], ["git-exchange", "doctor", COURSE])
        assert result.status == 0, result.output
        assert "git: 2." in result.output
        assert classroom.people[name].username in result.output
        assert "1 assignments released" in result.output


def test_doctor_names_what_is_wrong_with_the_token(classroom: Classroom) -> None:
    classroom.open("ann")
    ann = classroom.people["ann"]
    ann.token_file.write_text("glpat-revoked")
    result = classroom.run(ann, ["git-exchange", "doctor", COURSE])
    assert result.status == 1
    assert "Make a new token" in result.output
    assert "revoked" not in result.output.replace("wrong, revoked or expired", "")
    reader = classroom.person("reader", scopes=("read_api",))
    result = classroom.run(reader, ["git-exchange", "doctor"])
    assert "write_repository" in result.output


def test_members_only_releases_are_hidden_from_everybody_else(classroom: Classroom) -> None:
    result = classroom.run(classroom.teacher, ["git-exchange", "course", "create", COURSE, "--releases", "members"])
    assert result.status == 0, result.output
    classroom.enrol("ann")
    classroom.release()
    classroom.ok("ann", "fetch_assignment", "ps1")
    classroom.student("mallory")
    assert "Course not found" in classroom.fails("mallory", "fetch_assignment", "ps1")


def test_nothing_configured_is_said_with_what_to_set(classroom: Classroom) -> None:
    command = ["git-exchange", "doctor"]
    result = classroom.run(classroom.teacher, command, GIT_EXCHANGE_URL="", GIT_EXCHANGE_NAMESPACE="")
    assert result.status == 1
    assert "--url" in result.output


def test_a_group_of_another_number_is_not_taken_for_the_course(classroom: Classroom) -> None:
    opened = classroom.run(classroom.teacher, ["git-exchange", "course", "create", COURSE])
    assert "c.GitExchange.group_ids = {" in opened.output
    classroom.enrol("ann")
    classroom.release()
    number = classroom.forge().find_group(layout.group_path(classroom.namespace, COURSE)).id
    pinned = f"--GitExchange.group_ids={COURSE}={{}}"
    assert "somebody made another one" in classroom.fails("ann", "fetch_assignment", "ps1", pinned.format(number + 1))
    classroom.ok("ann", "fetch_assignment", "ps1", pinned.format(number))
