"""Release, fetch, submit, collect, feedback: nbgrader's own commands on a forge, one person a machine."""

from __future__ import annotations

from pathlib import Path

from git_exchange.rules import times
from tests.exchange.classroom import COURSE, Classroom, write_notebook


def submit_work(classroom: Classroom, student: str, *sources: str) -> None:
    work = classroom.student(student).work
    if not (work / "ps1").exists():
        classroom.ok(student, "fetch_assignment", "ps1")
    write_notebook(work / "ps1" / "p1.ipynb", *sources)
    classroom.ok(student, "submit", "ps1")


def test_what_a_student_submits_is_what_the_instructor_collects(classroom: Classroom) -> None:
    classroom.open("ann")
    released = classroom.make_release("ps1", data__csv="1,2\n")
    classroom.ok("teacher", "release_assignment", "ps1")
    assert f"{COURSE} ps1" in classroom.ok("ann", "list")
    classroom.ok("ann", "fetch_assignment", "ps1")
    work = classroom.student("ann").work / "ps1"
    assert (work / "data.csv").read_bytes() == (released / "data.csv").read_bytes()
    assert not list(work.rglob(".git*"))
    (work / "p1.ipynb").write_text((work / "p1.ipynb").read_text().replace("x = 1", "x = 2"))
    output = classroom.ok("ann", "submit", "ps1")
    assert f"Submitted as: {COURSE} ps1 " in output
    classroom.ok("teacher", "collect", "ps1")
    collected = classroom.submitted("ann")
    assert (collected / "p1.ipynb").read_bytes() == (work / "p1.ipynb").read_bytes()
    assert (collected / "data.csv").read_text() == "1,2\n"


def test_the_collected_time_is_the_servers_and_the_same_on_every_machine_and_in_every_list(
    classroom: Classroom,
) -> None:
    classroom.open("ann")
    classroom.release()
    submit_work(classroom, "ann", "x = 2")
    classroom.ok("teacher", "collect", "ps1")
    stamp = (classroom.submitted("ann") / "timestamp.txt").read_text()
    event = classroom.forge().pushes(classroom.seat("ann").id)[-1]
    assert times.parse_timestamp(stamp) == event.at
    assert stamp.endswith(" UTC")
    assert "\n" not in stamp
    assert f"{COURSE} ann ps1 {stamp}" in classroom.ok("ann", "list", "--cached")
    assert f"{COURSE} ann ps1 {stamp}" in classroom.ok("teacher", "list", "--inbound")
    # A second machine of the instructor: nothing there but the configuration.
    (classroom.submitted("ann") / "timestamp.txt").unlink()
    classroom.ok("teacher", "collect", "ps1", "--update", XDG_CACHE_HOME=str(classroom.place / "another-cache"))
    assert (classroom.submitted("ann") / "timestamp.txt").read_text() == stamp


def test_a_resubmission_is_a_second_attempt_and_is_collected_with_update_only(classroom: Classroom) -> None:
    classroom.open("ann")
    classroom.release()
    submit_work(classroom, "ann", "x = 2")
    classroom.ok("teacher", "collect", "ps1")
    first = (classroom.submitted("ann") / "timestamp.txt").read_text()
    submit_work(classroom, "ann", "x = 3")
    assert len(classroom.pushes("ann")) == 2
    assert "use --update to update" in classroom.ok("teacher", "collect", "ps1")
    assert (classroom.submitted("ann") / "timestamp.txt").read_text() == first
    assert "Updating submission: ann ps1" in classroom.ok("teacher", "collect", "ps1", "--update")
    assert "x = 3" in (classroom.submitted("ann") / "p1.ipynb").read_text()
    assert (classroom.submitted("ann") / "timestamp.txt").read_text() > first
    assert "No newer submission to collect: ann ps1" in classroom.ok("teacher", "collect", "ps1", "--update")


def test_the_same_files_handed_in_again_keep_their_first_time(classroom: Classroom) -> None:
    classroom.open("ann")
    classroom.release()
    submit_work(classroom, "ann", "x = 2")
    classroom.ok("teacher", "collect", "ps1")
    first = (classroom.submitted("ann") / "timestamp.txt").read_text()
    classroom.ok("ann", "submit", "ps1")
    assert len(set(classroom.pushes("ann"))) == 2
    classroom.ok("teacher", "collect", "ps1", "--update")
    assert (classroom.submitted("ann") / "timestamp.txt").read_text() == first


def test_with_own_time_the_same_files_handed_in_again_get_a_new_time(classroom: Classroom) -> None:
    classroom.open("ann")
    classroom.release()
    submit_work(classroom, "ann", "x = 2")
    own = "--GitExchange.identical_resubmission=own-time"
    classroom.ok("teacher", "collect", "ps1", own)
    first = (classroom.submitted("ann") / "timestamp.txt").read_text()
    classroom.ok("ann", "submit", "ps1", own)
    assert "Updating submission" in classroom.ok("teacher", "collect", "ps1", "--update", own)
    assert (classroom.submitted("ann") / "timestamp.txt").read_text() > first


def test_feedback_reaches_its_student_under_the_time_of_the_attempt_and_nobody_else(classroom: Classroom) -> None:
    classroom.open("ann", "ben")
    classroom.release()
    for student in ("ann", "ben"):
        submit_work(classroom, student, f"x = '{student}'")
    classroom.ok("teacher", "collect", "ps1")
    for student in ("ann", "ben"):
        folder = classroom.root() / "feedback" / student / "ps1"
        folder.mkdir(parents=True)
        for name in ("timestamp.txt", "submission_secret.txt", ".git-exchange-attempt"):
            (folder / name).write_bytes((classroom.submitted(student) / name).read_bytes())
        (folder / "p1.html").write_text(f"<p>well done, {student}</p>")
    output = classroom.ok("teacher", "release_feedback", "ps1")
    assert f"Releasing feedback for student 'ann' on assignment '{COURSE}/ps1/p1'" in output
    assert "(feedback ready to be fetched)" in classroom.ok("ann", "list", "--cached")
    assert classroom.ok("teacher", "list", "--inbound").count("(feedback ready to be fetched)") == 2
    stamp = (classroom.submitted("ann") / "timestamp.txt").read_text()
    classroom.ok("ann", "fetch_feedback", "ps1")
    pages = list((classroom.student("ann").work / "ps1" / "feedback").rglob("*.html"))
    assert pages == [classroom.student("ann").work / "ps1" / "feedback" / stamp / "p1.html"]
    assert pages[0].read_text() == "<p>well done, ann</p>"
    assert "(feedback already fetched)" in classroom.ok("ann", "list", "--cached")
    # Released again with a correction: the student sees that there is something new.
    (classroom.root() / "feedback" / "ann" / "ps1" / "p1.html").write_text("<p>even better</p>")
    classroom.ok("teacher", "release_feedback", "ps1")
    assert "(feedback ready to be fetched)" in classroom.ok("ann", "list", "--cached")
    classroom.ok("ann", "fetch_feedback", "ps1")
    assert pages[0].read_text() == "<p>even better</p>"


def test_a_second_release_needs_force_and_reaches_who_fetches_afterwards(classroom: Classroom) -> None:
    classroom.open("ann", "ben")
    classroom.release()
    classroom.ok("ann", "fetch_assignment", "ps1")
    assert "Destination already exists, add --force to overwrite" in classroom.fails(
        "teacher", "release_assignment", "ps1"
    )
    assert "Overwriting files" in classroom.release("ps1", "--force", hint__txt="look at chapter 2")
    classroom.ok("ben", "fetch_assignment", "ps1")
    assert (classroom.student("ben").work / "ps1" / "hint.txt").read_text() == "look at chapter 2"
    assert not (classroom.student("ann").work / "ps1" / "hint.txt").exists()
    assert "Replacing missing file" in classroom.ok("ann", "fetch_assignment", "ps1", "--replace")
    assert (classroom.student("ann").work / "ps1" / "hint.txt").exists()
    submit_work(classroom, "ann", "x = 2")
    classroom.ok("teacher", "collect", "ps1")
    assert classroom.submitted("ann").is_dir()


def test_unrelease_takes_the_assignment_out_of_the_list_and_keeps_what_was_submitted(classroom: Classroom) -> None:
    classroom.open("ann")
    classroom.release()
    submit_work(classroom, "ann", "x = 2")
    assert "Removing released assignments" in classroom.ok("teacher", "list", "ps1", "--remove")
    assert f"{COURSE} ps1" not in classroom.ok("ann", "list").partition("Released assignments:")[2]
    assert "withdrawn" in classroom.fails("ann", "submit", "ps1")
    classroom.ok("teacher", "collect", "ps1")
    assert classroom.submitted("ann").is_dir()
    classroom.ok("teacher", "release_assignment", "ps1")
    submit_work(classroom, "ann", "x = 3")
    assert len(classroom.pushes("ann")) == 2


def test_subfolders_empty_folders_and_executable_files_arrive(classroom: Classroom) -> None:
    classroom.open("ann")
    released = classroom.make_release()
    (released / "data" / "deep").mkdir(parents=True)
    (released / "data" / "deep" / "run.sh").write_text("#!/bin/sh\n")
    (released / "data" / "deep" / "run.sh").chmod(0o755)
    (released / "results").mkdir()
    classroom.ok("teacher", "release_assignment", "ps1")
    classroom.ok("ann", "fetch_assignment", "ps1")
    work = classroom.student("ann").work / "ps1"
    assert (work / "results").is_dir()
    assert (work / "data" / "deep" / "run.sh").stat().st_mode & 0o100
    classroom.ok("ann", "submit", "ps1")
    classroom.ok("teacher", "collect", "ps1")
    assert (classroom.submitted("ann") / "data" / "deep" / "run.sh").stat().st_mode & 0o100


def test_two_courses_with_the_same_assignment_name_stay_apart(classroom: Classroom) -> None:
    classroom.open("ann", course="algebra")
    classroom.open("ann", course="Analysis II")
    classroom.release("ps1", course="algebra", which__txt="algebra")
    classroom.release("ps1", course="Analysis II", which__txt="analysis")
    listed = classroom.ok("ann", "list", "--course", "*")
    assert "algebra ps1" in listed
    assert "Analysis II ps1" in listed
    both = "--Exchange.path_includes_course=True"
    for course, word in (("algebra", "algebra"), ("Analysis II", "analysis")):
        classroom.ok("ann", "fetch_assignment", "ps1", "--course", course, both)
        folder: Path = classroom.student("ann").work / course / "ps1"
        assert (folder / "which.txt").read_text() == word
        classroom.ok("ann", "submit", "ps1", "--course", course, both)
        classroom.ok("teacher", "collect", "ps1", course=course)
        assert (classroom.submitted("ann", course=course) / "which.txt").read_text() == word


def test_collect_of_one_student_collects_that_student_only(classroom: Classroom) -> None:
    classroom.open("ann", "ben")
    classroom.release()
    for student in ("ann", "ben"):
        submit_work(classroom, student, "x = 2")
    classroom.ok("teacher", "collect", "ps1", "--student", "ben")
    assert classroom.submitted("ben").is_dir()
    assert not classroom.submitted("ann").exists()


def test_inbound_remove_takes_submissions_out_of_the_list_and_leaves_the_commits(classroom: Classroom) -> None:
    classroom.open("ann")
    classroom.release()
    submit_work(classroom, "ann", "x = 2")
    assert "Removing submitted assignments" in classroom.ok("teacher", "list", "--inbound", "--remove")
    assert "ann ps1" not in classroom.ok("teacher", "list", "--inbound")
    assert "No submissions of 'ps1'" in classroom.ok("teacher", "collect", "ps1")
    assert len(classroom.pushes("ann")) == 1
    assert "ann ps1" in classroom.ok("ann", "list", "--cached")
    classroom.ok("ann", "list", "--cached", "--remove")
    assert "ann ps1" not in classroom.ok("ann", "list", "--cached")
