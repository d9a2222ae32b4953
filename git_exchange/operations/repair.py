"""Repair a seat: what a student pushed below ``submit/<assignment>`` keeps that branch itself from being made.

git keeps branches as files: beside ``submit/ps1/x`` there can be no ``submit/ps1``. Students cannot delete it again.
"""

from __future__ import annotations

from git_exchange.course.course import Course
from git_exchange.course.register import read_register
from git_exchange.course.seats import Identities, Seat, seat_of
from git_exchange.errors import Conflict, Forbidden, Incomplete, NotStaff
from git_exchange.events import Event, Listener, ignore
from git_exchange.files.paths import display
from git_exchange.forge.ports import Branch, ForgeAdmin
from git_exchange.report import Outcome, Report
from git_exchange.rules import layout


def blocked_by(course: Course, seat: Seat, assignment_id: str) -> list[Branch]:
    """Return the branches of the seat that keep the student from submitting this assignment."""
    below = layout.submit_ref(assignment_id) + "/"
    return course.forge.branches(seat.project.id, below.removeprefix("refs/heads/"))


def repair(
    course: Course, forge: ForgeAdmin, assignment_id: str, student_id: str, *, listener: Listener = ignore
) -> Report:
    """Move the branches that are in the way to ``archive/``, where their commits stay and only staff can push.

    The outcomes are "put aside", one for each. Raise NotStaff, NotAMember, Incomplete.
    """
    course.staff()
    seat = seat_of(course, student_id)
    Identities(read_register(course)).check(seat)
    outcomes = []
    for branch in blocked_by(course, seat, assignment_id):
        name, kept = (display(_name(ref)) for ref in (branch.ref, layout.archive_ref(branch.ref, branch.commit)))
        try:
            forge.rename_branch(seat.project.id, branch.ref, layout.archive_ref(branch.ref, branch.commit))
        except Forbidden as error:
            raise NotStaff(
                f"The forge did not let {course.account().username} move the branch {name}.",
                hint="An instructor of the course (Maintainer on GitLab) can.",
            ) from error
        except Conflict as error:
            raise Incomplete(f"There is a branch {kept} already.", hint="Look at both on the forge.") from error
        listener(Event(f"The branch {name} is now {kept}; its commits stay there."))
        outcomes.append(Outcome(name, "put aside", kept))
    left = [display(_name(branch.ref)) for branch in blocked_by(course, seat, assignment_id)]
    if left:
        raise Incomplete(f"The branch {left[0]} is still in the way.", hint="Run it again.")
    return Report.of(outcomes, [] if outcomes else ["Nothing is in the way of a submission."])


def _name(ref: str) -> str:
    return ref.removeprefix("refs/heads/")
