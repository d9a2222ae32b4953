from __future__ import annotations

from pathlib import Path

import pytest

from git_exchange.errors import ConfigurationError
from git_exchange.provisioning.people import Person
from git_exchange.provisioning.sources.csv_file import read_csv


def roster(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "roster.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_the_columns_may_stand_in_any_order_and_others_are_ignored(tmp_path: Path) -> None:
    people = read_csv(roster(tmp_path, "email,student_id,shoe size,first_name\nb@x.edu,bo,42,Bo\n")).people
    assert people == (Person("bo", "Bo", "", "b@x.edu"),)
    assert people[0].account == "bo"


@pytest.mark.parametrize(
    "content",
    [
        "\ufeffstudent_id,first_name\nbo,Bo\n",
        "student_id;first_name\nbo;Bo\n",
        "student_id,first_name\r\nbo,Bo\r\n\r\n,\r\n",
        '"student_id","first_name"\n"bo","Bo"\n',
        "\nstudent_id , first_name\n bo , Bo \n",
    ],
)
def test_what_spreadsheets_write_is_read(tmp_path: Path, content: str) -> None:
    assert read_csv(roster(tmp_path, content)).people == (Person("bo", "Bo"),)


def test_the_role_and_the_account_are_taken_from_their_columns(tmp_path: Path) -> None:
    people = read_csv(roster(tmp_path, "student_id,role,username\n4711,Student,cleo\nada,INSTRUCTOR,\n")).people
    assert [(person.role, person.account) for person in people] == [("student", "cleo"), ("instructor", "ada")]


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("first_name,last_name\nBo,B\n", "student_id"),
        ("", "student_id"),
        ("student_id\n", "names nobody"),
        ("student_id,first_name\nbo,Bo,extra\n", "line 2"),
        ("student_id,first_name\n,Bo\n", "line 2"),
        ("student_id\nbo\nbo\n", "bo"),
        ("student_id,username\n1,bo\n2,Bo\n", "bo"),
        ("student_id,role\nbo,wizard\n", "wizard"),
        (b"student_id,first_name\nbo,J\xfcrgen\n", "UTF-8"),
    ],
)
def test_a_roster_that_is_wrong_is_refused_with_the_reason(tmp_path: Path, content: str | bytes, named: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_csv(roster(tmp_path, content))
    assert named in str(caught.value)


def test_the_number_of_the_person_in_the_lms_is_read(tmp_path: Path) -> None:
    people = read_csv(roster(tmp_path, "student_id,lms_user_id\nbo,42\n")).people
    assert people == (Person("bo", lms_user_id="42"),)


def test_a_roster_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"missing\.csv"):
        read_csv(tmp_path / "missing.csv")
