"""Names on the server, in both directions: groups, projects, branches, files of the staff. Nothing else knows them."""

from __future__ import annotations

from typing import Literal

from git_exchange.rules import slug, trailers

ASSIGNMENTS = "assignments"
STAFF = "staff"
EXTENSIONS_PATH = "extensions.csv"
SEATS_PATH = "seats.csv"
COLLECT_PINS_PATH = "collect-pins.csv"
PEOPLE_PATH = "people.csv"
GRADES_SENT_PATH = "grades-sent.csv"
ROSTER_PATH = "roster.csv"
WAITING_PATH = "waiting.csv"
HOOKS_PATH = "hooks.csv"
INVITED_PATH = "invited.csv"

Kind = Literal["release", "submit", "feedback"]
Planned = Literal["release", "feedback"]

# In the project ``staff``: what is to be released at a time lies where no student can read.
SCHEDULED = "scheduled/"
STAGED_FEEDBACK_PATH = "feedback.jsonl"

_SEAT = "student-"
_HEADS = "refs/heads/"
# A group's description is short on some forges; the title gives way, as the id is what we need.
_MAX_TITLE = 100


def course_slug(course_id: str) -> str:
    """Return the last component of the course's group path. Raise ValueError for an empty id."""
    return slug.encode(course_id)


def group_path(namespace: str, course_id: str) -> str:
    """Return the full path of the course's group below ``namespace`` (a full path itself)."""
    return f"{namespace.strip('/')}/{course_slug(course_id)}"


def seat_name(student_id: str) -> str:
    """Return the name of the student's project in the course's group."""
    return f"{_SEAT}{slug.encode(student_id)}"


def release_ref(assignment_id: str) -> str:
    """Return the full ref of the releases of an assignment, in the project ``assignments``."""
    return _ref("release", assignment_id)


def submit_ref(assignment_id: str) -> str:
    """Return the full ref of a student's attempts, in the student's project."""
    return _ref("submit", assignment_id)


def feedback_ref(assignment_id: str) -> str:
    """Return the full ref of the feedback to a student, in the student's project."""
    return _ref("feedback", assignment_id)


def scheduled_ref(kind: Planned, assignment_id: str) -> str:
    """Return the full ref of what is to be released at a time, in the project ``staff``."""
    return f"{_HEADS}{SCHEDULED}{kind}/{slug.encode(assignment_id)}"


def scheduled_in(ref: str, recorded: str | None = None) -> tuple[Planned, str] | None:
    """Return what a full ref in ``staff`` is to release, and of which assignment; None if it is none of these.

    ``recorded`` is used as in ``assignment_in``.
    """
    kinds: tuple[Planned, ...] = ("release", "feedback")
    for kind in kinds:
        prefix = f"{_HEADS}{SCHEDULED}{kind}/"
        if ref.startswith(prefix) and (found := _id(ref[len(prefix) :], [recorded])) is not None:
            return kind, found
    return None


def staged_folder(student_id: str) -> str:
    """Return the folder of a student's pages in what is staged of feedback."""
    return f"students/{slug.encode(student_id)}"


def archive_ref(ref: str, commit: str) -> str:
    """Return where a branch that is in the way is kept: "refs/heads/archive/xsubmit_2fps1_2fx-0123456789ab"."""
    return f"{_HEADS}archive/{slug.encode(ref.removeprefix(_HEADS))}-{commit[:12]}"


def assignment_in(ref: str, kind: Kind, recorded: str | None = None) -> str | None:
    """Return the assignment of a full ref, None if it is none of this kind.

    ``recorded`` is what the head commit's trailer claims. It is used for hashed names only, and believed only if
    exactly this name is made of it.
    """
    prefix = f"{_HEADS}{kind}/"
    return _id(ref[len(prefix) :], [recorded]) if ref.startswith(prefix) else None


def is_submit_ref(ref: str) -> bool:
    """Return whether a full ref is a branch of attempts, hashed names included, whatever their assignment."""
    name = ref.removeprefix(f"{_HEADS}submit/")
    try:
        slug.decode(name)
    except ValueError:
        return False
    return name != ref


def student_in(project_path: str, description: str) -> str | None:
    """Return the student whose seat this project is, None if it is no seat.

    ``project_path`` is the project's full path or its last component. The description is used for hashed names only.
    """
    name = project_path.rpartition("/")[2]
    return _id(name[len(_SEAT) :], _said(description, trailers.STUDENT)) if name.startswith(_SEAT) else None


def course_in(group_path: str, description: str) -> str | None:
    """Return the course of a group, None if its name is none of ours. The description is used for hashed names only."""
    return _id(group_path.rpartition("/")[2], _said(description, trailers.COURSE))


def describe_seat(student_id: str) -> str:
    """Return the description of a student's project: a sentence, and the student's id on a line of its own."""
    return f"The work of one student in an nbgrader course.\n{trailers.STUDENT}: {trailers.quote(student_id)}"


def describe_course(course_id: str, title: str = "") -> str:
    """Return the description of a course's group: a sentence, and the course's id on a line of its own."""
    shown = " ".join(title.split())
    if len(shown) > _MAX_TITLE:
        shown = f"{shown[: _MAX_TITLE - 1]}…"
    sentence = f"{trailers.quote(shown)}, an nbgrader course." if shown else "An nbgrader course."
    return f"{sentence}\n{trailers.COURSE}: {trailers.quote(course_id)}"


def receipts_path(assignment_id: str) -> str:
    """Return the path of the receipts of an assignment, in the project ``staff``."""
    return f"receipts/{slug.encode(assignment_id)}.jsonl"


def _ref(kind: Kind, assignment_id: str) -> str:
    return f"{_HEADS}{kind}/{slug.encode(assignment_id)}"


def _id(name: str, claims: list[str | None]) -> str | None:
    try:
        found = slug.decode(name)
    except ValueError:
        return None
    return found if found is not None else next((claim for claim in claims if claim and _makes(claim, name)), None)


def _makes(claim: str, name: str) -> bool:
    try:
        return slug.encode(claim) == name
    except ValueError:
        return False


def _said(description: str, key: str) -> list[str | None]:
    prefix = f"{key}: "
    lines = (line.strip(" \t\r") for line in description.split("\n"))
    return [trailers.unquote(line[len(prefix) :]) for line in lines if line.startswith(prefix)]
