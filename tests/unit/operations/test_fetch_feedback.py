from __future__ import annotations

from git_exchange.course.own import own_attempts
from git_exchange.course.seats import my_seat
from git_exchange.operations.fetch_feedback import fetch_feedback
from git_exchange.operations.release_feedback import release_feedback
from tests.unit.school import School


def test_the_notebooks_without_feedback_are_named_one_by_one_and_for_an_older_attempt_it_arrives(
    school: School,
) -> None:
    school.open("ann")
    school.release()
    school.submit_files("ann", {"p1.ipynb": "1", "très bien +1.ipynb": "2"})
    school.collect()
    stamp = school.stamp("ann")
    marked = school.mark_work("ann", {"très bien +1.html": "good"})
    school.submit("ann", "a later attempt")
    release_feedback(school.course(), "ps1", [marked])
    course = school.course("ann")
    seat, folder = my_seat(course), school.place / "feedback-of-ann"
    mine = own_attempts(course, seat, "ps1")
    fetched = fetch_feedback(course, seat, mine, folder)
    assert [page.relative_to(folder).as_posix() for page in fetched.pages] == [f"{stamp}/très bien +1.html"]
    assert [(notebook, at == stamp) for _, notebook, at in fetched.without] == [("p1", True), ("p1", False)]
