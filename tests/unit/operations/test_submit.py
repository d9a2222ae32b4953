from __future__ import annotations

import pytest

from git_exchange.course.seats import my_seat
from git_exchange.errors import FilesError
from git_exchange.files.selection import SelectionRules
from git_exchange.operations import submit
from tests.unit.school import School


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
