"""Who leaves the course loses the access and keeps the work, and who comes back finds it."""

from __future__ import annotations

from tests.exchange.classroom import Classroom


def test_a_dropped_student_cannot_submit_is_not_collected_and_comes_back_with_everything(classroom: Classroom) -> None:
    classroom.open("ann", "ben")
    classroom.release()
    for student in ("ann", "ben"):
        classroom.ok(student, "fetch_assignment", "ps1")
        classroom.ok(student, "submit", "ps1")
    assert "1 dropped" in classroom.enrol("ben").output
    assert "do not have access" in classroom.fails("ann", "submit", "ps1")
    output = classroom.ok("teacher", "collect", "ps1")
    assert "ann" not in output
    assert "1 collected (of 1)" in output
    everybody = classroom.run(
        classroom.teacher,
        [
            "git-exchange",
            "collect",
            "ps1",
            "--include-dropped",
            "--course-dir",
            str(classroom.root()),
        ],
    )
    assert everybody.status == 0, everybody.output
    assert (classroom.submitted("ann") / "timestamp.txt").is_file()
    assert "1 returned" in classroom.enrol("ann", "ben").output
    assert "Submitted as" in classroom.ok("ann", "submit", "ps1")
    assert "3 unchanged" in classroom.enrol("ann", "ben").output
