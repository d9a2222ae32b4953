"""Several courses for one person, with names as nbgrader's own tests have them: spaces, dots, other alphabets."""

from __future__ import annotations

import pytest

from git_exchange.demo.people import Someone
from tests.exchange.classroom import COURSE, Classroom, write_notebook

SEVERAL = """\
from git_exchange.plugin import configure

c = get_config()
c.CourseDirectory.course_id = "*"
configure(c, {url!r}, namespace={namespace!r}, kind={kind!r}, several_courses=True)
"""
XYZ, PHYSICS = "xyz 200", "Física.II"
PROBLEMS = "Problem Set 1"


def in_several_courses(classroom: Classroom, name: str) -> Someone:
    """Return a person whose configuration is for all of their courses."""
    someone = classroom.person(name)
    text = SEVERAL.format(url=someone.url, namespace=someone.namespace, kind=someone.kind)
    (someone.work / "nbgrader_config.py").write_text(text)
    return someone


def enrol(classroom: Classroom, course: str, student_id: str, name: str) -> None:
    roster = classroom.teacher.work / "one.csv"
    roster.write_text(f"student_id,username\n{student_id},{classroom.people[name].username}\n", encoding="utf-8")
    applied = classroom.run(classroom.teacher, ["git-exchange", "roster", "apply", course, "--from", str(roster)])
    assert applied.status == 0, applied.output


def give_feedback(classroom: Classroom, course: str, student_id: str, assignment: str, text: str) -> None:
    collected = classroom.submitted(student_id, assignment, course)
    folder = classroom.root(course) / "feedback" / student_id / assignment
    folder.mkdir(parents=True)
    for name in ("timestamp.txt", "submission_secret.txt", ".git-exchange-attempt"):
        (folder / name).write_bytes((collected / name).read_bytes())
    (folder / "p1.html").write_text(text)
    classroom.ok("teacher", "release_feedback", assignment, course=course)


def test_the_same_assignment_in_two_courses_is_two_assignments(classroom: Classroom) -> None:
    ann = in_several_courses(classroom, "ann")
    seats = {XYZ: "ann", PHYSICS: "Zoë M."}
    for course, student_id in seats.items():
        classroom.open(course=course)
        enrol(classroom, course, student_id, "ann")
        classroom.release(PROBLEMS, course=course, data__txt=course)
    listed = classroom.ok("ann", "list")
    assert f"{XYZ} {PROBLEMS}" in listed
    assert f"{PHYSICS} {PROBLEMS}" in listed
    for course, student_id in seats.items():
        classroom.ok("ann", "fetch_assignment", PROBLEMS, f"--course={course}")
        folder = ann.work / course / PROBLEMS
        assert (folder / "data.txt").read_text() == course
        write_notebook(folder / "p1.ipynb", f"x = {course!r}")
        output = classroom.ok("ann", "submit", PROBLEMS, f"--course={course}")
        assert f"Submitted as: {course} {PROBLEMS} " in output
        classroom.ok("teacher", "collect", PROBLEMS, course=course)
        collected = classroom.submitted(student_id, PROBLEMS, course)
        assert (collected / "p1.ipynb").read_bytes() == (folder / "p1.ipynb").read_bytes()
        assert f"{course} {student_id} {PROBLEMS} " in classroom.ok("teacher", "list", "--inbound", course=course)
    give_feedback(classroom, PHYSICS, "Zoë M.", PROBLEMS, "<p>bien hecho</p>")
    lines = classroom.ok("ann", "list", "--cached").splitlines()
    (here,) = [line for line in lines if f"{PHYSICS} Zoë M. {PROBLEMS} " in line]
    (there,) = [line for line in lines if f"{XYZ} ann {PROBLEMS} " in line]
    assert here.endswith("(feedback ready to be fetched)")
    assert there.endswith("(no feedback available)")
    classroom.ok("ann", "fetch_feedback", PROBLEMS, f"--course={PHYSICS}")
    (page,) = ann.work.rglob("*.html")
    assert page.read_text() == "<p>bien hecho</p>"
    assert page.is_relative_to(ann.work / PHYSICS / PROBLEMS / "feedback")


@pytest.mark.parametrize("assignment", ["ps.01", "Übung 1: Reihen?", "..bonus", "課題１"])
def test_an_assignment_may_be_called_as_people_call_it(classroom: Classroom, assignment: str) -> None:
    classroom.open("ann")
    classroom.release(assignment)
    assert f"{COURSE} {assignment}" in classroom.ok("ann", "list")
    classroom.ok("ann", "fetch_assignment", assignment)
    assert f"{COURSE} {assignment} (already downloaded)" in classroom.ok("ann", "list")
    classroom.ok("ann", "submit", assignment)
    classroom.ok("teacher", "collect", assignment)
    give_feedback(classroom, COURSE, "ann", assignment, "<p>good</p>")
    classroom.ok("ann", "fetch_feedback", assignment)
    assert [page.read_text() for page in classroom.student("ann").work.rglob("*.html")] == ["<p>good</p>"]


def test_an_instructor_of_one_course_is_a_student_of_another(classroom: Classroom) -> None:
    ada = in_several_courses(classroom, "ada")
    classroom.open("ann")
    enrol(classroom, COURSE, "ada", "ada")
    classroom.open("ann", course=XYZ, instructors=("teacher", "ada"))
    for course in (COURSE, XYZ):
        classroom.release(course=course)
    assert {f"{COURSE} ps1", f"{XYZ} ps1"} <= {line.rpartition("] ")[2] for line in listed(classroom, "ada")}
    classroom.ok("ada", "fetch_assignment", "ps1", f"--course={COURSE}")
    classroom.ok("ada", "submit", "ps1", f"--course={COURSE}")
    # In the own course the same folder cannot be handed in: staff have no seat there.
    (ada.work / XYZ).mkdir()
    (ada.work / COURSE / "ps1").rename(ada.work / XYZ / "ps1")
    assert "is on the staff of" in classroom.fails("ada", "submit", "ps1", f"--course={XYZ}")
    other = classroom.student("ann")
    classroom.ok("ann", "fetch_assignment", "ps1", f"--course={XYZ}")
    classroom.ok("ann", "submit", "ps1", f"--course={XYZ}")
    assert (other.work / "ps1").exists()
    inbound = classroom.ok("ada", "list", "--inbound")
    assert f"{XYZ} ann ps1 " in inbound
    assert f"Left out the course {COURSE}" in inbound
    assert f"{COURSE} ada ps1 " in classroom.ok("ada", "list", "--cached")
    directory = ada.work / "grading"
    directory.mkdir()
    ada.configure(directory, XYZ)
    collected = classroom.run(ada, ["nbgrader", "collect", "ps1"], directory)
    assert collected.status == 0, collected.output
    assert sorted(path.name for path in (directory / "submitted").iterdir()) == ["ann"]
    refused = classroom.run(ada, ["nbgrader", "collect", "ps1", f"--course={COURSE}"], directory)
    assert refused.status == 1
    assert "is not on the staff" in refused.output


def test_one_course_has_to_be_named_for_what_is_done_in_one(classroom: Classroom) -> None:
    ann = in_several_courses(classroom, "ann")
    classroom.open()
    enrol(classroom, COURSE, "ann", "ann")
    classroom.release()
    assert "Re-run with --course" in classroom.fails("ann", "fetch_assignment", "ps1")
    (ann.work / "*" / "ps1").mkdir(parents=True)
    assert "Re-run with --course" in classroom.fails("ann", "submit", "ps1")


def listed(classroom: Classroom, name: str) -> list[str]:
    return classroom.ok(name, "list").splitlines()
