from __future__ import annotations

from git_exchange.operations.release_feedback import Marked, release_feedback
from git_exchange.report import Report
from tests.unit.school import School


def give(school: School, *marked: Marked, name: str = "teacher", force: bool = False) -> Report:
    return release_feedback(school.course(name), "ps1", marked, force=force, listener=school.listen)


def collected(school: School, *students: str) -> None:
    school.open(*students)
    school.release()
    for student in students:
        school.submit(student, f"by {student}")
    school.collect()


def test_feedback_does_not_go_to_a_project_that_took_the_students_name(school: School) -> None:
    collected(school, "ann", "ben")
    numbers = {name: school.course().seat_project(name).id for name in ("ann", "ben")}
    marked = school.mark_work("ann", {"p1.html": "for ann"})
    (marked.folder / ".git-exchange-attempt").unlink()
    for name, path in (("ann", "student-between"), ("ben", "student-ann"), ("ann", "student-ben")):
        school.api("PUT", f"/projects/{numbers[name]}", path=path)
    report = give(school, marked)
    assert report.counts == {"failed": 1}
    assert "seats.csv" in report.failed[0].detail


def test_an_instructor_whose_name_git_shortens_can_correct_their_own_feedback(school: School) -> None:
    school.token("teacher", shown_as="Prof. Dr. Teach, Jr.")
    collected(school, "ann")
    assert give(school, school.mark_work("ann", {"p1.html": "good"})).counts == {"released": 1}
    assert give(school, school.mark_work("ann", {"p1.html": "better"})).counts == {"released": 1}


def test_feedback_of_somebody_else_is_replaced_with_force_only(school: School) -> None:
    collected(school, "ann")
    school.enrol("ann", staff=(("second", "instructor"),))
    give(school, school.mark_work("ann", {"p1.html": "good"}))
    marked = school.mark_work("ann", {"p1.html": "bad"})
    report = give(school, marked, name="second")
    assert report.counts == {"failed": 1}
    assert "Teacher" in report.failed[0].detail
    assert give(school, marked, name="second", force=True).counts == {"released": 1}


def test_a_page_whose_name_no_tree_can_hold_fails_for_its_student_alone(school: School) -> None:
    collected(school, "ann", "ben")
    bad = school.mark_work("ann", {"p1.html": "good", "p\udcff.html": "odd"})
    good = school.mark_work("ben", {"p1.html": "good", "très bien +1.html": "odd, but a name"})
    report = give(school, bad, good)
    assert {outcome.subject: outcome.status for outcome in report.outcomes} == {"ann": "failed", "ben": "released"}
    assert "p\\xff.html" in report.failed[0].detail
