"""``nbgrader db student add``, ``remove``, ``import``: who is in the gradebook is in the course on the forge, too."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.auth import Authenticator
from pytest import MonkeyPatch
from traitlets.config import Config

from git_exchange.plugin import configure
from tests.exchange.classroom import COURSE, Classroom

DUE = datetime(2030, 1, 1, tzinfo=timezone.utc)


def account(classroom: Classroom, name: str) -> str:
    """Return the user name of a person who is not in the course; where nothing else is said, it is the student id."""
    return classroom.student(name).username


def in_gradebook(classroom: Classroom, student_id: str) -> bool:
    with Gradebook(f"sqlite:///{classroom.root() / 'gradebook.db'}", COURSE) as book:
        try:
            book.find_student(student_id)
        except MissingEntry:
            return False
    return True


def students(classroom: Classroom, command: str, *arguments: str) -> str:
    return classroom.ok("teacher", "db", "student", command, *arguments)


def test_who_is_added_to_the_gradebook_can_submit(classroom: Classroom) -> None:
    classroom.open()
    classroom.release()
    ann = account(classroom, "ann")
    assert "do not have access" in classroom.fails("ann", "fetch_assignment", "ps1")
    assert f"Seat of {ann} in {COURSE} on the forge: created" in students(classroom, "add", ann, "--first-name=Ann")
    assert "unchanged" in students(classroom, "add", ann)
    classroom.ok("ann", "fetch_assignment", "ps1")
    classroom.ok("ann", "submit", "ps1")
    classroom.ok("teacher", "collect", "ps1")
    assert (classroom.submitted(ann) / "p1.ipynb").exists()


def test_a_file_of_students_is_imported_to_both(classroom: Classroom) -> None:
    classroom.open()
    ann, ben = account(classroom, "ann"), account(classroom, "ben")
    roster = classroom.teacher.work / "students.csv"
    roster.write_text(f"id,first_name\n{ann},Ann\n{ben},Ben\nnobody-{classroom.mark},No\n")
    output = students(classroom, "import", str(roster))
    assert f"There is no account 'nobody-{classroom.mark}'" in output
    assert f'git-exchange roster apply "{COURSE}" --from gradebook' in output
    assert in_gradebook(classroom, f"nobody-{classroom.mark}")
    for name in (ann, ben):
        assert classroom.seat(name)
        assert in_gradebook(classroom, name)


def test_who_is_removed_loses_access_and_gets_everything_back(classroom: Classroom) -> None:
    classroom.open()
    classroom.release()
    ann = account(classroom, "ann")
    students(classroom, "add", ann)
    classroom.ok("ann", "fetch_assignment", "ps1")
    classroom.ok("ann", "submit", "ps1")
    seat = classroom.seat(ann)
    assert "can no longer submit" in students(classroom, "remove", ann)
    assert not in_gradebook(classroom, ann)
    assert "do not have access" in classroom.fails("ann", "submit", "ps1")
    students(classroom, "add", ann)
    classroom.forge().archive(seat.id)
    students(classroom, "remove", ann)
    students(classroom, "add", ann)
    assert classroom.seat(ann).id == seat.id
    assert not classroom.seat(ann).archived
    classroom.ok("ann", "submit", "ps1")
    assert classroom.ok("ann", "list", "--cached").count(f"{COURSE} {ann} ps1 ") == 2


def test_who_was_added_in_formgrader_is_named_at_collect_and_gets_a_project(classroom: Classroom) -> None:
    classroom.open("ann")
    classroom.release()
    ben = account(classroom, "ben")
    with Gradebook(f"sqlite:///{classroom.root() / 'gradebook.db'}", COURSE) as book:  # as formgrader does
        book.add_student("ann")
        book.add_student(ben, first_name="Ben")
    assert f"1 students of the gradebook have no project on the forge: {ben}" in classroom.ok(
        "teacher", "collect", "ps1"
    )
    command = ["git-exchange", "roster", "apply", COURSE, "--from", "gradebook"]
    applied = classroom.run(classroom.teacher, command, classroom.root())
    assert applied.status == 0, applied.output
    assert "1 unchanged, 1 created (of 2)" in applied.output
    classroom.ok("ben", "fetch_assignment", "ps1")
    assert "no project" not in classroom.ok("teacher", "collect", "ps1")


def test_a_gradebook_of_another_course_or_none_is_no_roster(classroom: Classroom) -> None:
    classroom.open()
    command = ["git-exchange", "roster", "apply", "physics", "--from", "gradebook"]
    other = classroom.run(classroom.teacher, command, classroom.root())
    assert other.status == 1
    assert f"of the course {COURSE}" in other.output
    none = classroom.run(classroom.teacher, command)
    assert none.status == 1
    assert "There is no gradebook here" in none.output


def test_the_rosters_names_are_in_the_gradebook_before_anything_is_graded(classroom: Classroom) -> None:
    classroom.open()
    ann, ben = account(classroom, "ann"), account(classroom, "ben")
    roster = classroom.teacher.work / "lms.csv"
    people = f"{ann},Ann,Ångström,ann@x.edu,42\n{ben},Ben,Li,ben@x.edu,43\n"
    roster.write_text(f"student_id,first_name,last_name,email,lms_user_id\n{people}", encoding="utf-8")
    command = ["git-exchange", "roster", "apply", COURSE, "--from", str(roster)]
    assert classroom.run(classroom.teacher, command).status == 0
    classroom.release()
    classroom.set_due(DUE)
    classroom.ok("ann", "fetch_assignment", "ps1")
    classroom.ok("ann", "submit", "ps1")
    classroom.ok("teacher", "collect", "ps1", "--ExchangeCollect.name_students=False")
    assert not in_gradebook(classroom, ann)
    classroom.ok("teacher", "collect", "ps1")
    assert f"{ann} (Ångström, Ann) -- ann@x.edu, 42" in classroom.ok("teacher", "db", "student", "list")
    assert not in_gradebook(classroom, ben)
    everybody = classroom.run(classroom.teacher, [*command, "--gradebook"], classroom.root())
    assert "1 of 2 students added or named" in everybody.output
    assert f"{ben} (Li, Ben) -- ben@x.edu, 43" in classroom.ok("teacher", "db", "student", "list")


def test_without_the_forge_a_student_comes_into_the_gradebook_but_is_not_taken_out(classroom: Classroom) -> None:
    classroom.open()
    ann = account(classroom, "ann")
    nowhere = "--GitExchange.url=http://127.0.0.1:9"
    output = students(classroom, "add", ann, nowhere)
    assert "no seat on the forge yet" in output
    assert "Traceback" not in output
    assert in_gradebook(classroom, ann)
    output = classroom.fails("teacher", "db", "student", "remove", ann, nowhere)
    assert "neither from the forge nor from the gradebook" in output
    assert in_gradebook(classroom, ann)


def test_without_a_course_it_is_said_what_to_set_and_only_the_gradebook_changes(classroom: Classroom) -> None:
    classroom.open()
    ann = account(classroom, "ann")
    none = "--CourseDirectory.course_id="
    assert "c.CourseDirectory.course_id" in students(classroom, "add", ann, none)
    assert "c.CourseDirectory.course_id" in students(classroom, "remove", ann, none)


def test_nbgraders_authenticator_knows_whose_courses_are_whose(
    classroom: Classroom, monkeypatch: MonkeyPatch, tmp_path: Path
) -> None:
    classroom.open("ann", "ben")
    config = Config()
    configure(config, classroom.url, namespace=classroom.namespace, kind=classroom.kind)
    config.GitExchange.cache_dir = str(tmp_path / "cache")

    def asked_by(name: str, student_id: str) -> list[str] | None:
        monkeypatch.setenv("GIT_EXCHANGE_TOKEN_FILE", str(classroom.people[name].token_file))
        found: list[str] | None = Authenticator(config=config).get_student_courses(student_id)
        return found

    assert asked_by("teacher", "ann") == [COURSE]
    assert asked_by("teacher", "nobody") == []
    assert asked_by("ann", "ann") == [COURSE]
    assert asked_by("ann", "ben") == []
    # Without a hub whose services could be listed, who may read is the forge's own answer.
    assert asked_by("ann", "*") is None
