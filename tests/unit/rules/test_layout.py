"""Names on the server, there and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_exchange.rules import layout, slug

IDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=300)
KINDS: tuple[layout.Kind, ...] = ("release", "submit", "feedback")
REFS = {"release": layout.release_ref, "submit": layout.submit_ref, "feedback": layout.feedback_ref}
LONG = "Übung " * 40


def test_ordinary_names_read_as_they_are() -> None:
    assert layout.group_path("teaching/2026", "intro") == "teaching/2026/intro"
    assert layout.group_path("/teaching/", "intro") == "teaching/intro"
    assert layout.course_slug("intro") == "intro"
    assert layout.seat_name("alice") == "student-alice"
    assert layout.release_ref("ps1") == "refs/heads/release/ps1"
    assert layout.submit_ref("ps1") == "refs/heads/submit/ps1"
    assert layout.feedback_ref("ps1") == "refs/heads/feedback/ps1"
    assert layout.receipts_path("ps1") == "receipts/ps1.jsonl"


@given(IDS, st.sampled_from(KINDS))
def test_an_assignment_is_found_in_its_branch_and_in_no_other_kind(assignment_id: str, kind: layout.Kind) -> None:
    ref = REFS[kind](assignment_id)
    assert layout.assignment_in(ref, kind, assignment_id) == assignment_id
    for other in KINDS:
        if other != kind:
            assert layout.assignment_in(ref, other, assignment_id) is None


@given(IDS)
def test_a_student_is_found_in_the_seat(student_id: str) -> None:
    name, description = layout.seat_name(student_id), layout.describe_seat(student_id)
    assert layout.student_in(name, description) == student_id
    assert layout.student_in(f"teaching/intro/{name}", description) == student_id
    assert layout.student_in(name, description.replace("\n", "\r\n") + "\r\n") == student_id


@given(IDS, st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
def test_a_course_is_found_in_its_group(course_id: str, title: str) -> None:
    path, description = layout.group_path("a/b", course_id), layout.describe_course(course_id, title)
    assert layout.course_in(path, description) == course_id
    assert len(description.split("\n")) == 2


@given(IDS, IDS, st.sampled_from(KINDS))
def test_a_trailer_never_changes_whose_branch_it_is(assignment_id: str, claimed: str, kind: layout.Kind) -> None:
    found = layout.assignment_in(REFS[kind](assignment_id), kind, claimed)
    assert found in (assignment_id, None)


def test_a_description_is_a_sentence_and_a_line_for_machines() -> None:
    assert layout.describe_seat("a\nb") == "The work of one student in an nbgrader course.\nStudent: a%0Ab"
    assert layout.describe_course("intro", "Introduction") == "Introduction, an nbgrader course.\nCourse: intro"
    assert layout.describe_course("intro") == "An nbgrader course.\nCourse: intro"


def test_a_title_cannot_forge_the_line_for_machines() -> None:
    description = layout.describe_course(LONG, "x\nCourse: other")
    assert description.startswith("x Course: other, an")
    assert layout.course_in(layout.group_path("n", LONG), description) == LONG


def test_a_long_title_gives_way() -> None:
    assert len(layout.describe_course("intro", "word " * 100)) < 200


def test_a_hashed_name_is_known_by_the_record_alone() -> None:
    assert layout.assignment_in(layout.submit_ref(LONG), "submit") is None
    assert layout.assignment_in(layout.submit_ref(LONG), "submit", LONG) == LONG
    assert layout.assignment_in(layout.submit_ref(LONG), "submit", "ps1") is None
    assert layout.assignment_in(layout.submit_ref(LONG), "submit", "") is None
    assert layout.student_in(layout.seat_name(LONG), "") is None
    assert layout.student_in(layout.seat_name(LONG), "Student: alice") is None
    assert layout.student_in(layout.seat_name(LONG), "Student: alice\n" + layout.describe_seat(LONG)) == LONG


def test_a_readable_name_does_not_need_its_description() -> None:
    assert layout.student_in("student-alice", "") == "alice"
    assert layout.student_in("student-alice", layout.describe_seat("mallory")) == "alice"
    assert layout.course_in("teaching/intro", "") == "intro"


@pytest.mark.parametrize(
    "path",
    ["", "assignments", "staff", "student-", "student", "student-A", "student-x_4", "n/student-a/b_c", "Student-alice"],
)
def test_other_projects_are_no_seats(path: str) -> None:
    assert layout.student_in(path, "Student: alice") is None


@pytest.mark.parametrize(
    "ref",
    [
        "",
        "refs/heads/main",
        "refs/heads/submit",
        "refs/heads/submit/",
        "refs/heads/submit/a/b",
        "refs/tags/submit/ps1",
        "submit/ps1",
        "refs/heads/submit/PS1",
    ],
)
def test_other_refs_are_of_no_assignment(ref: str) -> None:
    assert layout.assignment_in(ref, "submit", "ps1") is None


def test_no_seat_is_named_like_the_projects_of_the_staff() -> None:
    for student_id in (layout.ASSIGNMENTS, layout.STAFF, "", "x"):
        if student_id:
            assert layout.seat_name(student_id) not in (layout.ASSIGNMENTS, layout.STAFF)
    assert len(layout.seat_name("x" * slug.MAX_SLUG)) <= 100


def test_an_empty_id_has_no_name() -> None:
    for name in (layout.seat_name, layout.course_slug, layout.submit_ref, layout.receipts_path):
        with pytest.raises(ValueError):
            name("")
