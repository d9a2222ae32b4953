"""Work that did not come through the exchange: by mail, from the exchange that the course used before."""

from __future__ import annotations

from pathlib import Path

from tests.exchange.classroom import COURSE, Classroom, write_notebook

STAMP = "2026-11-02 09:30:00.250000 UTC"


def returned(classroom: Classroom, student: str, text: str, stamp: str | None = STAMP) -> Path:
    """Write feedback as nbgrader leaves it for work that was put into ``submitted/`` by hand."""
    folder = classroom.root() / "feedback" / student / "ps1"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "p1.html").write_text(text)
    if stamp is not None:
        (folder / "timestamp.txt").write_text(stamp)
    return folder


def test_feedback_on_mailed_in_work_reaches_its_student_and_nobody_else(classroom: Classroom) -> None:
    classroom.open("ann", "ben")
    classroom.release()
    returned(classroom, "ann", "<p>thank you</p>")
    classroom.ok("teacher", "release_feedback", "ps1")
    assert f"{COURSE} ann ps1 {STAMP} (feedback ready to be fetched)" in classroom.ok("ann", "list", "--cached")
    classroom.ok("ann", "fetch_feedback", "ps1")
    page = classroom.student("ann").work / "ps1" / "feedback" / STAMP / "p1.html"
    assert page.read_text() == "<p>thank you</p>"
    assert f"{COURSE} ann ps1 {STAMP} (feedback already fetched)" in classroom.ok("ann", "list", "--cached")
    assert STAMP not in classroom.ok("ben", "list", "--cached")
    # Released again without a change nothing is pushed; with one the student sees that there is something new.
    assert "1 unchanged" in classroom.ok("teacher", "release_feedback", "ps1")
    returned(classroom, "ann", "<p>corrected</p>")
    classroom.ok("teacher", "release_feedback", "ps1")
    assert "(feedback ready to be fetched)" in classroom.ok("ann", "list", "--cached")


def test_work_without_any_time_is_refused_with_what_to_do(classroom: Classroom) -> None:
    classroom.open("ann")
    classroom.release()
    returned(classroom, "ann", "<p>thank you</p>", stamp=None)
    assert "timestamp.txt" in classroom.fails("teacher", "release_feedback", "ps1")


def test_a_submission_to_the_exchange_that_the_course_used_before_stays_in_the_list(classroom: Classroom) -> None:
    classroom.open("ann")
    classroom.release()
    classroom.ok("ann", "fetch_assignment", "ps1")
    cache = classroom.student("ann").work / "cache"
    old = cache / COURSE / f"ann+ps1+{STAMP}"
    old.mkdir(parents=True)
    write_notebook(old / "p1.ipynb", "x = 0")
    here = f"--Exchange.cache={cache}"
    classroom.ok("ann", "submit", "ps1", here)
    listed = classroom.ok("ann", "list", "--cached", here)
    assert f"{COURSE} ann ps1 {STAMP} (no feedback available)" in listed
    assert listed.count(f"{COURSE} ann ps1 ") == 2  # ours is listed from the forge, not once more from the cache
    assert len(list((cache / COURSE).iterdir())) == 2
    classroom.ok("ann", "list", "ps1", "--cached", "--remove", here)
    assert list((cache / COURSE).iterdir()) == []
    assert f"{COURSE} ann ps1" not in classroom.ok("ann", "list", "--cached", here)


def test_a_submission_counts_when_no_copy_can_be_kept(classroom: Classroom) -> None:
    classroom.open("ann")
    classroom.release()
    classroom.ok("ann", "fetch_assignment", "ps1")
    blocked = classroom.student("ann").work / "blocked"
    blocked.write_text("a file where the cache should be")
    output = classroom.ok("ann", "submit", "ps1", f"--Exchange.cache={blocked}")
    assert "Submitted, but no copy was kept" in output
    assert f"Submitted as: {COURSE} ps1" in output
    assert len(classroom.pushes("ann")) == 1
