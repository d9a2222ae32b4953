"""What people do, as data: how each operation is prepared and run, and what there has to be afterwards.

Submit and collect, which have tests of their own, are only part of what others are prepared with. Everything happens in
one course, each time with another assignment (in a course of its own where courses are made), so that no case is in the
way of the next.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from git_exchange.course.course import Course
from git_exchange.course.enrolments import read_enrolments
from git_exchange.course.extensions import read_extensions
from git_exchange.course.own import own_attempts
from git_exchange.course.receipts import read_ledger
from git_exchange.course.register import read_register
from git_exchange.course.releases import find_release
from git_exchange.course.seats import my_seat
from git_exchange.errors import AlreadyReleased, FilesError, GitExchangeError
from git_exchange.events import Event
from git_exchange.operations import extend, listing, receipts, release
from git_exchange.operations.export import export
from git_exchange.operations.fetch import fetch
from git_exchange.operations.fetch_feedback import fetch_feedback
from git_exchange.operations.release_feedback import Marked, release_feedback
from git_exchange.operations.restore import restore
from git_exchange.operations.update import update
from git_exchange.operations.verify import verify
from git_exchange.provisioning.apply import apply_roster
from git_exchange.provisioning.open_course import open_course
from git_exchange.provisioning.people import Person, Roster
from git_exchange.report import Report
from git_exchange.rules import layout
from git_exchange.settings import Settings
from tests.unit.school import RULES, School

UNTIL = datetime(2031, 1, 2, 3, 4, tzinfo=timezone.utc)
RELEASED = {"p1.ipynb": "question", "data/x.csv": "1,2"}
STUDENTS = ("ann", "ben")


class ReportedFailure(GitExchangeError):
    """What an operation that goes on with the others has reported as failed."""


@dataclass
class Campus(School):
    """A school whose clients meet faults. ``repositories`` is where its server keeps them."""

    repositories: Path = field(default_factory=Path)
    changes: dict[str, Any] = field(default_factory=dict)
    desks: Path = field(default_factory=Path)

    def settings(self, name: str = "teacher", **changes: Any) -> Settings:
        return super().settings(name, **{**self.changes, **changes})

    def desk(self, name: str) -> Path:
        """Return the folder in which somebody works on this."""
        return self.desks / name

    def project(self, path: str, course_id: str = "calculus") -> Path:
        """Return a project as it lies on the server."""
        return self.repositories / layout.group_path(f"school-{self.mark}", course_id) / f"{path}.git"

    def on_server(self, path: str, ref: str) -> tuple[list[str], list[str]]:
        """Return subjects and contents (files of the head) of a branch, read on the server by git itself."""
        git = ["git", "-c", "safe.directory=*", "--git-dir", str(self.project(path))]

        def said(*arguments: str) -> str:
            return subprocess.run([*git, *arguments], capture_output=True, text=True, check=False).stdout

        blobs = [line.split()[2] for line in said("ls-tree", "-r", ref).splitlines()]
        return said("log", "--format=%s", ref, "--").splitlines(), sorted(said("cat-file", "-p", oid) for oid in blobs)


@dataclass(frozen=True)
class Operation:
    """How to ``prepare`` what has to be there, to ``run`` it, and what is its ``result``, without names and times.

    All get the campus and the name of the case. ``again`` are errors that say that it was done before.
    With ``undo``, which takes back on the server what was run, it is prepared once for all cases.
    """

    prepare: Callable[[Campus, str], object]
    run: Callable[[Campus, str], object]
    result: Callable[[Campus, str], object]
    again: tuple[type[GitExchangeError], ...] = ()
    undo: Callable[[Campus, str], object] | None = None


def judged(report: Report) -> Report:
    """Return the report; raise what it has as failed, which is a failure like any other."""
    if report.failed:
        raise ReportedFailure(" ".join(outcome.detail for outcome in report.failed), hint="in the outcome")
    return report


def files(folder: Path) -> dict[str, str]:
    """Return what a folder holds."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text() for path in found}


# What cases are prepared with ------------------------------------------------------------------------------------


def nothing(campus: Campus, name: str) -> None:
    """Prepare nothing."""


def released(campus: Campus, name: str) -> None:
    release_it(campus, name)


def fetched(campus: Campus, name: str) -> None:
    released(campus, name)
    fetch_it(campus, name)


def worked_on(campus: Campus, name: str) -> None:
    """A student has changed one file and lost another."""
    fetched(campus, name)
    (campus.desk(name) / "p1.ipynb").write_text("my answer")
    (campus.desk(name) / "data" / "x.csv").unlink()


def outdated(campus: Campus, name: str) -> None:
    fetched(campus, name)
    (campus.desk(name) / "p1.ipynb").write_text("my answer")
    newer = campus.folder("newer", {**RELEASED, "p1.ipynb": "better question", "p2.ipynb": "one more"})
    release.release(campus.course(), name, newer, RULES, force=True)


def submitted(campus: Campus, name: str) -> None:
    released(campus, name)
    campus.submit_files("ann", {"p1.ipynb": "answer of ann", "sub/y.csv": "3"}, name)


def collected(campus: Campus, name: str) -> None:
    released(campus, name)
    for student in STUDENTS:
        campus.submit(student, f"answer of {student}", name)
    campus.collect(name)
    for student in STUDENTS:
        campus.mark_work(student, {"p1.html": f"good, {student}"}, name)


def returned(campus: Campus, name: str) -> None:
    collected(campus, name)
    return_it(campus, name)


def opened(campus: Campus, name: str) -> None:
    open_course(campus.settings(), campus.forge(), name)


def forget_feedback(campus: Campus, name: str) -> None:
    for student in STUDENTS:
        (campus.project(f"student-{student}") / layout.feedback_ref(name)).unlink(missing_ok=True)


# What people do ---------------------------------------------------------------------------------------------------


def release_it(campus: Campus, name: str) -> None:
    folder = campus.place / "releases" / name
    for path, text in RELEASED.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    release.release(campus.course(), name, folder, RULES)


def withdraw_it(campus: Campus, name: str) -> None:
    release.withdraw(campus.course(), name)


def remove_it(campus: Campus, name: str) -> None:
    course = campus.course()
    listing.remove(course, listed_by_staff(campus, name, course))


def fetch_it(campus: Campus, name: str, *, missing_only: bool = False) -> None:
    course = campus.course("ann")
    fetch(course, find_release(course, name), campus.desk(name), missing_only=missing_only)


def replace_missing(campus: Campus, name: str) -> None:
    fetch_it(campus, name, missing_only=True)


def update_it(campus: Campus, name: str) -> None:
    course = campus.course("ann")
    update(course, find_release(course, name), campus.desk(name))


def return_it(campus: Campus, name: str) -> None:
    folders = {student: campus.root / "feedback" / student / name for student in STUDENTS}
    marked = [Marked(student, folder, (folder / "p1.html",)) for student, folder in folders.items()]
    judged(release_feedback(campus.course(), name, marked))


def fetch_returned(campus: Campus, name: str) -> None:
    course = campus.course("ann")
    seat = my_seat(course)
    fetch_feedback(course, seat, own_attempts(course, seat, name), campus.desk(name) / "feedback")


def list_released(campus: Campus, name: str) -> list[str]:
    return [one.assignment_id for one in listing.released(campus.course("ann")) if one.assignment_id == name]


def list_own(campus: Campus, name: str) -> list[tuple[str, int]]:
    return [
        (one.student_id, one.number) for one in listing.submitted(campus.course("ann")) if one.assignment_id == name
    ]


def listed_by_staff(campus: Campus, name: str, course: Course | None = None) -> list[listing.Inbound]:
    told: list[str] = []
    found = listing.inbound(
        course or campus.course(),
        [name],
        listener=lambda event: told.append(event.message) if isinstance(event, Event) else None,
    )
    if told:
        raise ReportedFailure(" ".join(told), hint="in the event")
    return found


def restore_it(campus: Campus, name: str) -> None:
    course = campus.course("ann")
    restore(course, my_seat(course), name, campus.desk(name))


def extend_it(campus: Campus, name: str) -> None:
    extend.extend(campus.course(), name, ["ann"], UNTIL, "ill")


def amend_it(campus: Campus, name: str) -> None:
    at = datetime(2026, 1, 2, tzinfo=timezone.utc)
    receipts.amend(campus.course(), name, "ann", "1", at, "handed in by e-mail")


def enrol_all(campus: Campus, name: str) -> None:
    people = [Person("teacher", role="instructor", username=campus.username("teacher"))]
    people += [Person(student, first_name=student, username=campus.username(student)) for student in STUDENTS]
    judged(apply_roster(campus.course(course_id=name), campus.forge(), Roster(tuple(people), "the test"))[0])


def open_it(campus: Campus, name: str) -> None:
    opened(campus, name)


def export_it(campus: Campus, name: str) -> None:
    judged(export(campus.course(), campus.desk(name)).report)


# What there is afterwards -----------------------------------------------------------------------------------------


def branch(path: str, ref: Callable[[str], str]) -> Callable[[Campus, str], object]:
    def read(campus: Campus, name: str) -> object:
        subjects, contents = campus.on_server(path, ref(name))
        return [subject.replace(name, "it") for subject in subjects], contents

    return read


def desk(campus: Campus, name: str) -> object:
    """Return what lies on the desk, and that nothing half-written lies there or beside it."""
    left = [path.name for path in campus.desks.glob("**/*.part")]
    return files(campus.desk(name)), left


def feedback_of_both(campus: Campus, name: str) -> object:
    return [branch(f"student-{student}", layout.feedback_ref)(campus, name) for student in STUDENTS]


def feedback_on_desk(campus: Campus, name: str) -> object:
    return sorted((Path(path).name, text) for path, text in files(campus.desk(name)).items())


def record(campus: Campus, name: str) -> object:
    """Return the lines of the record that somebody decided, and how many commits tell of this assignment."""
    ledger = read_ledger(campus.course(), name)
    decided = [(one.kind, one.student_id, one.reason) for one in ledger.receipts if one.evidence == "staff"]
    return decided, len([subject for subject in campus.on_server("staff", "refs/heads/main")[0] if name in subject])


def extensions(campus: Campus, name: str) -> object:
    told = [subject for subject in campus.on_server("staff", "refs/heads/main")[0] if name in subject]
    return read_extensions(campus.course()).of(name), len(told)


def people(campus: Campus, name: str) -> object:
    """Return who is in the course by its record and by the forge, and what the projects let them do."""
    course, forge = campus.course(course_id=name), campus.forge()
    registered = read_register(course)
    seats = {one.path: one for one in course.projects()}
    roles = {
        student: forge.role_in(seats[f"student-{student}"], campus.course(student).account()).name
        for student in STUDENTS
    }
    enrolled = sorted((one.person_id, one.role, one.active) for one in read_enrolments(course).values())
    right = [seats[f"student-{one.student_id}"].id == one.project_id for one in registered.values()]
    return sorted(seats), roles, enrolled, right


def course_made(campus: Campus, name: str) -> object:
    course, forge = campus.course(course_id=name), campus.forge()
    made = sorted((one.path, one.visibility.value, rules(campus, one.id)) for one in course.projects())
    return course.group().visibility.value, made, forge.account().username == campus.username("teacher")


def rules(campus: Campus, project_id: int) -> list[tuple[str, int]]:
    found = campus.api("GET", f"/projects/{project_id}/protected_branches")
    return sorted((rule["name"], rule["push_access_levels"][0]["access_level"]) for rule in found)


def number_listed(campus: Campus, name: str) -> object:
    return len(listed_by_staff(campus, name))


def archive(campus: Campus, name: str) -> object:
    told = verify(campus.desk(name)).report
    return told.counts, [path.name for path in campus.desk(name).glob(".*")]


OPERATIONS = {
    "release": Operation(nothing, release_it, branch("assignments", layout.release_ref), (AlreadyReleased,)),
    "withdraw": Operation(released, withdraw_it, branch("assignments", layout.release_ref)),
    "remove-submissions": Operation(submitted, remove_it, record),
    "fetch": Operation(released, fetch_it, desk, (FilesError,), undo=nothing),
    "fetch-replace": Operation(worked_on, replace_missing, desk, undo=nothing),
    "update": Operation(outdated, update_it, desk, undo=nothing),
    "release-feedback": Operation(collected, return_it, feedback_of_both, undo=forget_feedback),
    "fetch-feedback": Operation(returned, fetch_returned, feedback_on_desk, undo=nothing),
    "list": Operation(released, list_released, list_released, undo=nothing),
    "list-cached": Operation(submitted, list_own, list_own, undo=nothing),
    "list-inbound": Operation(submitted, listed_by_staff, number_listed, undo=nothing),
    "restore": Operation(submitted, restore_it, desk, (FilesError,), undo=nothing),
    "extension-set": Operation(released, extend_it, extensions),
    "receipts-amend": Operation(submitted, amend_it, record),
    "roster-apply": Operation(opened, enrol_all, people),
    "course-create": Operation(nothing, open_it, course_made),
    "export": Operation(nothing, export_it, archive, (FilesError,)),
}
