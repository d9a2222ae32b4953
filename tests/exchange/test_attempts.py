"""Choosing, restoring and amending attempts, by the commands that people type, with nbgrader's own configuration."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

from git_exchange.rules import times
from tests.exchange.classroom import Classroom, Result, write_notebook


def hand_in(classroom: Classroom, student: str, *sources: str) -> None:
    """Submit notebooks one after the other, each a source."""
    work = classroom.student(student).work / "ps1"
    if not work.exists():
        classroom.ok(student, "fetch_assignment", "ps1")
    for source in sources:
        write_notebook(work / "p1.ipynb", source)
        classroom.ok(student, "submit", "ps1")


def ours(classroom: Classroom, name: str, *arguments: str) -> Result:
    """Run git-exchange where the person's nbgrader_config.py lies."""
    someone = classroom.person(name)
    return classroom.run(someone, ["git-exchange", *arguments], classroom.root() if name == "teacher" else someone.work)


def collected(classroom: Classroom, student: str) -> str:
    return (classroom.submitted(student) / "p1.ipynb").read_text()


def grade_by_hand(classroom: Classroom, student: str) -> None:
    """Do what formgrader does when somebody types a comment."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{classroom.root() / 'gradebook.db'}", "calc 101") as book:
        book.add_assignment("ps1")
        book.add_notebook("p1", "ps1")
        book.add_grade_cell("c1", "p1", "ps1", max_score=1, cell_type="code")
        book.add_solution_cell("c1", "p1", "ps1")
        book.add_student(student)
        with book.db.no_autoflush:
            book.add_submission("ps1", student)
        book.find_comment("c1", "p1", "ps1", student).manual_comment = "Well done"
        book.db.commit()


def test_a_chosen_attempt_is_collected_on_every_machine_until_it_is_unpinned(classroom: Classroom) -> None:
    classroom.open("ann", "ben")
    classroom.release()
    hand_in(classroom, "ann", "x = 2", "x = 3", "x = 4")
    hand_in(classroom, "ben", "x = 5")
    classroom.ok("teacher", "collect", "ps1")
    chosen = ours(classroom, "teacher", "collect", "ps1", "--attempt", "ann=2")
    assert chosen.status == 0, chosen.output
    assert "ann: attempt 2, pinned by" in chosen.output
    assert "nbgrader autograde ps1 --student ann --force" in chosen.output
    assert "x = 3" in collected(classroom, "ann")
    # nbgrader's own collect, as formgrader runs it, and on a machine with nothing on it.
    output = classroom.ok(
        "teacher", "collect", "ps1", "--update", XDG_CACHE_HOME=str(classroom.place / "another-cache")
    )
    assert "ann: attempt 2, pinned by" in output
    assert "x = 3" in collected(classroom, "ann")
    listed = json.loads(ours(classroom, "teacher", "receipts", "list", "ps1", "--student", "ann", "--json").output)
    assert [bool(line["chosen_by"]) for line in listed] == [False, True, False]
    released = ours(classroom, "teacher", "collect", "ps1", "--update", "--unpin", "ann")
    assert released.status == 0, released.output
    assert "x = 4" in collected(classroom, "ann")
    wrong = ours(classroom, "teacher", "collect", "ps1", "--attempt", "ann=9")
    assert wrong.status == 1
    assert "ann has no attempt 9" in wrong.output
    assert "Traceback" not in wrong.output
    assert ours(classroom, "teacher", "collect", "ps1", "--attempt", "ann=latest").status == 2


def test_graders_share_the_work_by_a_list_and_nobody_is_skipped_silently(classroom: Classroom) -> None:
    classroom.open("ann", "ben")
    classroom.release()
    hand_in(classroom, "ann", "x = 2")
    hand_in(classroom, "ben", "x = 3")
    (classroom.root() / "mine.csv").write_text("\ufeffstudent_id;name\nben;Ben\nzoe;Zoe\n")
    partly = ours(classroom, "teacher", "collect", "ps1", "--students-from", "mine.csv")
    assert partly.status == 1
    assert "zoe" in partly.output
    assert not classroom.submitted("ann").exists()
    assert "x = 3" in collected(classroom, "ben")
    (classroom.root() / "mine.txt").write_text("# group a\nann\n")
    classroom.ok("teacher", "collect", "ps1", "--ExchangeCollect.students_from=mine.txt")
    assert "x = 2" in collected(classroom, "ann")
    assert "mine.none" in classroom.fails("teacher", "collect", "ps1", "--ExchangeCollect.students_from=mine.none")


def test_work_that_was_graded_by_hand_is_replaced_only_when_asked(classroom: Classroom) -> None:
    classroom.open("ann")
    classroom.release()
    hand_in(classroom, "ann", "x = 2")
    classroom.ok("teacher", "collect", "ps1")
    grade_by_hand(classroom, "ann")
    hand_in(classroom, "ann", "x = 3")
    output = classroom.ok("teacher", "collect", "ps1", "--update")
    assert "ann ps1 was graded by hand and stays as it is" in output
    assert "1 graded by hand (of 1)" in output
    assert "x = 2" in collected(classroom, "ann")
    # The command that the line names.
    taken = ours(classroom, "teacher", "collect", "ps1", "--update", "--student", "ann", "--replace-graded")
    assert taken.status == 0, taken.output
    assert "x = 3" in collected(classroom, "ann")


def test_a_student_gets_work_back_on_another_machine_and_loses_nothing(classroom: Classroom, tmp_path: Path) -> None:
    classroom.open("ann")
    classroom.release(data__csv="1,2\n")
    hand_in(classroom, "ann", "x = 2", "x = 3")
    work = classroom.student("ann").work
    listed = ours(classroom, "ann", "restore", "ps1", "--list")
    assert listed.status == 0, listed.output
    first, second = listed.output.strip().splitlines()[-2:]
    assert first.split()[0] == "1"
    assert "on time" in second
    assert classroom.pushes("ann")[-1] in second
    refused = ours(classroom, "ann", "restore", "ps1")
    assert refused.status == 1
    assert "p1.ipynb" in refused.output
    (work / "ps1").rename(work / "before")
    assert ours(classroom, "ann", "restore", "ps1").status == 0
    assert sorted(path.name for path in (work / "ps1").iterdir()) == ["data.csv", "p1.ipynb"]
    assert "x = 3" in (work / "ps1" / "p1.ipynb").read_text()
    assert ours(classroom, "ann", "restore", "ps1", "--attempt", "1", "--to", str(tmp_path / "old")).status == 0
    assert "x = 2" in (tmp_path / "old" / "p1.ipynb").read_text()
    assert "x = 3" in (work / "before" / "p1.ipynb").read_text()


def test_the_staff_see_every_time_and_amend_one(classroom: Classroom) -> None:
    classroom.open("ann")
    classroom.release()
    hand_in(classroom, "ann", "x = 2", "x = 3")
    pushed = classroom.pushes("ann")
    classroom.ok("teacher", "collect", "ps1")
    listed = ours(classroom, "teacher", "receipts", "list", "ps1", "--json")
    assert listed.status == 0, listed.output
    first, second = json.loads(listed.output)
    assert [first["commit"], second["commit"]] == pushed
    assert (second["state"], second["pushed_by"]) == ("pinned", classroom.people["ann"].username)
    at = times.parse_iso(second["time"]) - timedelta(milliseconds=1)
    amend = ("receipts", "amend", "ps1", "ann", "--attempt", "2", "--reason", "Because")
    naive = ours(classroom, "teacher", *amend, "--time", "2026-11-20 10:00:00")
    assert naive.status == 2
    assert "without a time zone" in naive.output
    done = ours(classroom, "teacher", *amend, "--time", times.isoformat(at))
    assert done.status == 0, done.output
    classroom.ok("teacher", "collect", "ps1", "--update")
    assert (classroom.submitted("ann") / "timestamp.txt").read_text() == times.timestamp(at)
    shown = ours(classroom, "teacher", "receipts", "list", "ps1", "--student", "ann")
    assert "1 pinned, 1 amended" in shown.output
    assert ours(classroom, "ann", "receipts", "list", "ps1").status == 1


def test_work_that_the_staff_submit_for_a_student_is_no_strangers(classroom: Classroom) -> None:
    classroom.open("ann", instructors=("teacher", "tim"))
    classroom.release()
    tim = classroom.student("tim")
    classroom.ok("tim", "fetch_assignment", "ps1")
    write_notebook(tim.work / "ps1" / "p1.ipynb", "x = 9")
    receipt = classroom.ok("tim", "submit", "ps1", "--student=ann")
    assert f"attempt 1 of ann, submitted by {tim.username}" in receipt
    classroom.pushes("ann")
    output = classroom.ok("teacher", "collect", "ps1")
    assert f"ann's attempt 1 was submitted by the staff member {tim.username} for ann" in output
    (line,) = json.loads(ours(classroom, "teacher", "receipts", "list", "ps1", "--json").output)
    assert line["pushed_by"] == tim.username
    assert f"by {tim.username}" in ours(classroom, "ann", "restore", "ps1", "--list").output
