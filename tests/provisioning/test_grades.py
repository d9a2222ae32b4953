"""``git-exchange grades push``, from a real gradebook to an LMS on a real socket."""

from __future__ import annotations

import csv
from pathlib import Path

from nbgrader.api import Gradebook

from git_exchange.provisioning.lms.keys import make_key
from tests.exchange.classroom import COURSE, Classroom, Result
from tests.provisioning.lms import Lms, running_lms

NUMBERS = {"ann": "9", "ben": "10"}


def grade(root: Path, **scores: float | None) -> None:
    """Write the scores into the gradebook, None for a cell that waits for a person."""
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}", COURSE) as book:
        if not book.assignments:
            book.add_assignment("ps1")
            book.add_notebook("p1", "ps1")
            book.add_grade_cell("c1", "p1", "ps1", max_score=10, cell_type="code")
        for name, score in scores.items():
            book.update_or_create_student(name)
            with book.db.no_autoflush:
                book.update_or_create_submission("ps1", name, timestamp="2026-11-20 10:00:00 UTC")
            found = book.find_grade("c1", "p1", "ps1", name)
            found.auto_score, found.needs_manual_grade = score, score is None
        book.db.commit()


def opened(classroom: Classroom, lms: Lms) -> Path:
    """Open a course whose roster knows the numbers in the LMS, and return the LMS's file."""
    assert classroom.run(classroom.teacher, ["git-exchange", "course", "create", COURSE]).status == 0
    roster = classroom.teacher.work / "people.csv"
    lines = [f"{name},{number},{classroom.student(name).username}" for name, number in NUMBERS.items()]
    roster.write_text("\n".join(["student_id,lms_user_id,username", *lines, ""]))
    applied = classroom.run(classroom.teacher, ["git-exchange", "roster", "apply", COURSE, "--from", str(roster)])
    assert applied.status == 0, applied.output
    folder = classroom.root()
    make_key(folder / "key.pem")
    said = {
        "kind": "lti",
        "issuer": lms.url,
        "client_id": "1",
        "token_url": f"{lms.url}/token",
        "memberships_url": f"{lms.url}/memberships",
        "line_items_url": f"{lms.url}/lineitems?type_id=1",
        "private_key_file": "key.pem",
    }
    (folder / "lms.toml").write_text("".join(f'{name} = "{value}"\n' for name, value in said.items()))
    return folder / "lms.toml"


def push(classroom: Classroom, to: Path, *options: str) -> Result:
    command = ["git-exchange", "grades", "push", "ps1", "--to", str(to), *options]
    return classroom.run(classroom.teacher, command, classroom.root())


def test_grades_arrive_once_and_again_when_they_change(classroom: Classroom) -> None:
    with running_lms("9") as lms:
        file = opened(classroom, lms)
        grade(classroom.root(), ann=7.5, ben=8.0, cat=9.0, dan=None)

        preview = push(classroom, file, "--dry-run")
        assert preview.status == 0, preview.output
        assert "7.5 of 10" in preview.output
        assert (lms.posts, lms.items) == (0, [])

        # Ben is no student of the course in the LMS, and of cat the LMS's number is not known.
        first = push(classroom, file)
        assert first.status == 1, first.output
        assert "1 sent, 1 failed, 1 unmatched, 1 not graded (of 4)" in first.output
        assert lms.grades["9"]["scoreGiven"] == 7.5
        assert [(item["resourceId"], item["tag"], item["scoreMaximum"]) for item in lms.items] == [
            ("ps1", "nbgrader", 10)
        ]

        lms.students.add("10")
        grade(classroom.root(), ann=6.0)
        before = lms.grades["9"]["timestamp"]
        again = push(classroom, file)
        assert "2 sent, 1 unmatched, 1 not graded (of 4)" in again.output
        assert (lms.grades["9"]["scoreGiven"], lms.grades["10"]["scoreGiven"]) == (6.0, 8.0)
        assert lms.grades["9"]["timestamp"] > before

        posts = lms.posts
        assert "2 unchanged, 1 unmatched, 1 not graded (of 4)" in push(classroom, file).output
        assert (lms.posts, len(lms.items)) == (posts, 1)

    sheet = classroom.root() / "grades.csv"
    assert push(classroom, sheet).status == 0
    rows = {row["student_id"]: row for row in csv.DictReader(sheet.read_text().splitlines())}
    assert (rows["ann"]["lms_user_id"], rows["ann"]["score"], rows["ann"]["max_score"]) == ("9", "6", "10")
    assert (rows["dan"]["score"], rows["dan"]["why"]) == ("", "not graded")
