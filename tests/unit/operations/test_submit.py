from __future__ import annotations

import pytest

from git_exchange.course.seats import Seat, my_seat, seat_for
from git_exchange.errors import FilesError
from git_exchange.files.selection import SelectionRules
from git_exchange.forge.ports import Role
from git_exchange.operations import release, submit
from git_exchange.rules import trailers
from tests.unit.school import RULES, School


def test_a_submission_that_arrived_is_reported_as_such_although_its_time_cannot_be_read(school: School) -> None:
    school.open("ann")
    school.release()
    school.control("faults", path=r"/projects/\d+/events", status=503, times=50)
    submitted = school.submit("ann", "first")
    assert not submitted.by_event
    school.control("faults", "DELETE")
    assert school.collect().counts == {"collected": 1}


@pytest.mark.parametrize("how", ["too large", "a link"])
def test_a_released_notebook_that_would_be_left_out_is_not_submitted_without_it(school: School, how: str) -> None:
    school.open("ann")
    school.release()
    folder = school.folder("work-ann", {"p1.ipynb": "x" * 2000, "notes.txt": "mine", "big.bin": "y" * 2000})
    if how == "a link":
        (folder / "p1.ipynb").rename(school.place / "elsewhere.ipynb")
        (folder / "p1.ipynb").symlink_to(school.place / "elsewhere.ipynb")
    course = school.course("ann")
    rules = SelectionRules(
        ignore=(), include=("*",), max_file_size=1000 if how == "too large" else 10_000, max_total_size=10_000
    )
    with pytest.raises(FilesError, match=r"p1\.ipynb"):
        submit.prepare(course, my_seat(course), "ps1", folder, rules)
    prepared = submit.prepare(course, my_seat(course), "ps1", folder, rules, leave_out_notebooks=True)
    assert "p1.ipynb" not in {file.path for file in prepared.selection.files}


def test_another_file_that_is_too_large_is_left_out_with_a_warning(school: School) -> None:
    school.open("ann")
    school.release()
    folder = school.folder("work-ann", {"p1.ipynb": "x", "big.bin": "y" * 2000})
    course = school.course("ann")
    rules = SelectionRules(ignore=(), include=("*",), max_file_size=1000, max_total_size=10_000)
    submit.prepare(course, my_seat(course), "ps1", folder, rules, listener=school.listen)
    assert "big.bin" in school.heard()


def test_the_untouched_release_after_work_is_submitted_with_a_warning_in_the_log_and_on_the_forge(
    school: School,
) -> None:
    school.open("ann")
    school.release()
    school.submit("ann", "released")
    school.submit("ann", "work")
    assert "released files" not in school.heard()
    school.submit("ann", "released")
    assert "your attempt 2 had work in it" in school.heard()
    seat = my_seat(school.course("ann"))
    (branch,) = school.forge().branches(seat.project.id, "submit/")
    assert "your attempt 2 had work in it" in branch.message
    assert trailers.parse(branch.message).first("Attempt") == "3"
    assert school.collect().counts == {"collected": 1}
    assert (school.submitted("ann") / "p1.ipynb").read_text() == "released"


def test_the_files_of_an_earlier_release_are_untouched_too(school: School) -> None:
    school.open("ann")
    school.release()
    school.submit("ann", "work")
    release.release(
        school.course(), "ps1", school.folder("release", {"p1.ipynb": "corrected"}), RULES, due=None, force=True
    )
    school.submit("ann", "released")
    assert "your attempt 1 had work in it" in school.heard()


def test_what_the_staff_submit_for_a_student_says_so_to_everybody(school: School) -> None:
    school.open("ann", staff=(("tim", "grader"),))
    school.release()
    course = school.course("tim")
    folder = school.folder("mailed", {"p1.ipynb": "by mail"})
    prepared = submit.prepare(course, seat_for(course, "ann"), "ps1", folder, RULES, on_behalf=True)
    receipt = submit.submit(course, prepared, listener=school.listen)
    tim = school.username("tim")
    assert (receipt.student_id, receipt.submitted_by) == ("ann", tim)
    (branch,) = school.forge().branches(seat_for(school.course(), "ann").project.id, "submit/")
    assert trailers.parse(branch.message).first("Submitted-By") == tim
    school.collect()
    assert f"ann's attempt 1 was submitted by the staff member {tim} for ann" in school.heard()
    school.said.clear()
    school.collect(policy={"check_owner": False})
    assert tim not in school.heard()


def test_a_student_who_claims_to_be_staff_in_a_commit_is_not_believed(school: School) -> None:
    school.open("ann", "eve")
    school.release()
    seat = school.course().seat_project("ann")
    school.forge().set_access(seat.id, school.forge("eve").account(), Role.STUDENT)
    course = school.course("eve")
    folder = school.folder("work-eve", {"p1.ipynb": "by eve"})
    prepared = submit.prepare(course, Seat("ann", seat), "ps1", folder, RULES, on_behalf=True)
    submit.submit(course, prepared)
    school.collect()
    assert f"ann's attempt 1 was pushed by the account {school.username('eve')}, not by the student" in school.heard()
