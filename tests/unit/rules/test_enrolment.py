"""The record of people: what was written is read, and what is damaged is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_exchange.rules.enrolment import Enrolment, dump, load

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\x00"), max_size=20)
PEOPLE = st.builds(
    Enrolment,
    person_id=TEXT.filter(bool),
    role=st.sampled_from(["student", "grader", "instructor"]),
    account_id=st.integers(1, 10**9),
    username=TEXT,
    platform=TEXT,
    lms_user_id=TEXT,
    how=st.sampled_from(["roster", "map", "sign-in"]),
    active=st.booleans(),
)


@given(st.lists(PEOPLE, max_size=5, unique_by=lambda one: one.person_id))
def test_what_was_written_is_read(people: list[Enrolment]) -> None:
    assert load(dump(people)) == {one.person_id: one for one in people}


def test_the_order_of_people_makes_no_difference() -> None:
    bo, cleo = Enrolment("bo", "student", 7, "bo"), Enrolment("cleo", "student", 8, "cleo", active=False)
    assert dump([bo, cleo]) == dump([cleo, bo])


def test_no_file_is_nobody() -> None:
    assert load(b"") == {}


@pytest.mark.parametrize(
    "line",
    ["bo,student,seven,bo", "bo", ",student,7,bo", "bo,student,7,bo,,,roster,maybe", "bo,student,7,bo\nbo,student,8,b"],
)
def test_a_damaged_line_is_refused_and_named(line: str) -> None:
    header = "person_id,role,account_id,username,platform,lms_user_id,how,active\n"
    with pytest.raises(ValueError, match=r"line [23]"):
        load((header + line + "\n").encode())
