"""Submit a folder: one commit per attempt on ``submit/<assignment>``, confirmed by the server before we say so."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

from git_exchange.course import sent
from git_exchange.course.course import Course
from git_exchange.course.releases import Release, ensure_fetched, find_release
from git_exchange.course.seats import Seat
from git_exchange.errors import (
    CourseArchived,
    CourseError,
    FilesError,
    GitExchangeError,
    NotAMember,
    NothingToSubmit,
    PushRace,
    PushRefused,
    RefMissing,
)
from git_exchange.events import Event, Listener, ignore
from git_exchange.files.paths import display
from git_exchange.files.selection import Selection, SelectionRules, Skipped, select
from git_exchange.operations.folder import commit_folder, notebooks, say_skipped
from git_exchange.operations.repair import blocked_by
from git_exchange.rules import layout, trailers
from git_exchange.rules.update import original
from git_exchange.transport.cache import Repository
from git_exchange.transport.fetch import fetch
from git_exchange.transport.objects import CommitInfo, history, tree_of
from git_exchange.transport.push import push

# Each lost race means that another submission of the same student was recorded meanwhile.
RACES = 8
MAX_COMMITS = 10_000


@dataclass(frozen=True)
class Notebooks:
    """Released notebooks against the ones in the folder."""

    expected: tuple[str, ...]
    submitted: tuple[str, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """Released, but not in the folder."""
        return tuple(path for path in self.expected if path not in self.submitted)

    @property
    def extra(self) -> tuple[str, ...]:
        """In the folder, but never released."""
        return tuple(path for path in self.submitted if path not in self.expected)


@dataclass(frozen=True)
class Submitted:
    """The receipt: commit and server's time (``by_event``: as the forge recorded it, else when we read it back).

    ``submitted_by`` is the staff member who handed it in for the student, "" if the student did; ``warning`` is what
    the student should look at, "" if nothing is odd.
    """

    student_id: str
    commit: str
    at: datetime
    by_event: bool
    number: int
    url: str
    submitted_by: str = ""
    warning: str = ""


@dataclass(frozen=True)
class Prepared:
    """A folder that was compared with the release and can be submitted; ``submitted_by`` as in ``Submitted``."""

    seat: Seat
    release: Release
    folder: Path
    selection: Selection
    notebooks: Notebooks
    submitted_by: str = ""


def prepare(
    course: Course,
    seat: Seat,
    assignment_id: str,
    folder: Path,
    rules: SelectionRules,
    *,
    leave_out_notebooks: bool = False,
    on_behalf: bool = False,
    listener: Listener = ignore,
) -> Prepared:
    """Look at what would be submitted.

    Raise AssignmentNotFound if it is not released, CourseArchived, NothingToSubmit, TooLarge, and
    FilesError if a released notebook could not be handed in as it is: without it the submission would be worth little.
    With ``leave_out_notebooks`` it is left out with a warning, as nbgrader does. ``on_behalf`` says that the staff
    hand in for the student.
    """
    course.check_open()
    if seat.project.archived:
        raise CourseArchived(
            f"The project of {seat.student_id} in the course {course.course_id} is archived: nothing can be handed in.",
            hint="Ask the course's staff.",
        )
    release = find_release(course, assignment_id)
    selection = select(folder, rules)
    selection = _own_work(selection, release)
    say_skipped(selection, listener)
    if not leave_out_notebooks:
        _refuse_to_leave_out(release, selection)
    if not selection.files:
        raise NothingToSubmit(
            f"Nothing to submit: the folder {folder.name!r} holds no file that could be handed in.",
            hint="Save your notebooks in it, or fetch the assignment again with --replace.",
        )
    submitted_by = course.account().username if on_behalf else ""
    return Prepared(seat, release, folder, selection, Notebooks(release.notebooks, notebooks(selection)), submitted_by)


def _own_work(selection: Selection, release: Release) -> Selection:
    """Return the selection without the newer releases that an update put beside the student's files."""
    copies = {
        file.path: own
        for file in selection.files
        if (own := original(file.path)) is not None and file.path not in release.notebooks
    }
    skipped = tuple(
        Skipped(
            display(path),
            f"Not submitted: '{display(path)}', which holds a newer release; what counts is your '{display(own)}'",
            "warning",
        )
        for path, own in copies.items()
    )
    files = tuple(file for file in selection.files if file.path not in copies)
    return replace(selection, files=files, skipped=(*selection.skipped, *skipped))


def _refuse_to_leave_out(release: Release, selection: Selection) -> None:
    expected = {display(path) for path in release.notebooks}
    for skipped in selection.skipped:
        if skipped.level == "warning" and skipped.path in expected:
            raise FilesError(
                f"Nothing was submitted, as the notebook {skipped.path} could not be: {skipped.reason}.",
                hint="Clear its outputs and save it (if it is too large), or put the file itself in place of a link;"
                " then submit again.",
            )


def submit(course: Course, prepared: Prepared, *, listener: Listener = ignore) -> Submitted:
    """Push the folder as the next attempt and return the receipt.

    Two submissions at the same instant both become attempts: who comes second builds on the first. Raise NotAMember
    if the forge refuses the push, RemoteUnreachable if it cannot be reached (what arrived nevertheless is found by the
    next try with the same files, which then makes no second attempt of it).
    """
    ensure_fetched(course, prepared.release)
    project = prepared.seat.project
    ref = layout.submit_ref(prepared.release.assignment_id)
    url = course.forge.git_url(project)

    def once(repository: Repository) -> tuple[str, int, str, str]:
        head, before = _where_we_are(repository, prepared, url, ref)
        number = len(before) + 1
        noted = sent.noted(course, project.id, ref)
        arrived = _arrived(before, noted)
        submission = noted if noted is not None and arrived is None else uuid.uuid4().hex
        said = [
            (trailers.ASSIGNMENT, prepared.release.assignment_id),
            (trailers.COURSE, course.course_id),
            (trailers.STUDENT, prepared.seat.student_id),
            (trailers.ATTEMPT, str(number)),
            (trailers.SUBMISSION, submission),
        ]
        said += [(trailers.SUBMITTED_BY, prepared.submitted_by)] if prepared.submitted_by else []
        said += [(trailers.EMPTY_DIRECTORY, path) for path in prepared.selection.empty_directories]

        def build(body: str = "") -> str:
            message = trailers.message(f"Submit {prepared.release.assignment_id}, attempt {number}", said, body)
            return commit_folder(course, repository, prepared.folder, prepared.selection, [head], message)

        commit = build()
        tree = tree_of(repository, commit)
        if arrived is not None and arrived.tree == tree:
            listener(Event("The try before had arrived after all; there is no need for another attempt.", "info"))
            return arrived.oid, len(before), "", noted or ""
        warning = _undoes(repository, prepared.release, before, tree)
        if warning:
            commit = build(warning)  # also for who looks at it on the forge
        sent.note(course, project.id, ref, submission)
        push(repository, url, commit, ref)
        return commit, number, warning, submission

    for race in range(RACES):
        try:
            commit, number, warning, submission = course.in_repository(lambda cache: cache.seat(project.id), once)
            break
        except PushRace:
            blocking = blocked_by(course, prepared.seat, prepared.release.assignment_id)
            if blocking:
                raise CourseError(
                    f"Your project has the branch {display(blocking[0].ref.removeprefix('refs/heads/'))}, which is in"
                    " the way of the submission. Nothing was submitted.",
                    hint="Ask the course's staff to run: git-exchange repair"
                    f" {prepared.release.assignment_id} {prepared.seat.student_id}",
                ) from None
            if race == RACES - 1:
                raise
            listener(Event("Another submission arrived at the same moment; submitting on top of it.", "info"))
        except PushRefused as error:
            if error.explained:
                said = f"Nothing was submitted: the server does not take it.\n{error.server_says}"
                raise PushRefused(said, server_says=error.server_says, explained=True, hint="") from error
            raise NotAMember(
                f"The forge refused the submission: {error.server_says or error.message}",
                hint="You may have been taken off the course, or the project is archived: ask the course's staff.",
            ) from error
    if warning:
        listener(Event(warning, "warning"))
    try:
        at, by_event = _received(course, project.id, ref, commit)
    except GitExchangeError as error:
        # The push is confirmed: whoever heard of a failure now would submit again.
        listener(Event(f"The submission has arrived; its exact time could not be read: {error.message}", "warning"))
        at, by_event = course.now(), False
    page = course.forge.commit_url(project, commit)
    sent.forget(course, project.id, ref, submission)
    return Submitted(prepared.seat.student_id, commit, at, by_event, number, page, prepared.submitted_by, warning)


def _where_we_are(repository: Repository, prepared: Prepared, url: str, ref: str) -> tuple[str, list[CommitInfo]]:
    """Return the commit to build on and the attempts before (their number is a courtesy for people, not evidence)."""
    try:
        head = fetch(repository, url, [ref])[ref]
    except RefMissing:
        return prepared.release.commit, []
    return head, history(repository, head, exclude=[prepared.release.commit], limit=MAX_COMMITS)


def _arrived(before: list[CommitInfo], submission: str | None) -> CommitInfo | None:
    """Return the newest attempt if it is the submission that was sent and not confirmed, else None.

    If another attempt has come after it, it does not count any more: then the person means to hand in once more.
    """
    if submission is None or not before:
        return None
    return before[-1] if trailers.parse(before[-1].message).first(trailers.SUBMISSION) == submission else None


def _undoes(repository: Repository, release: Release, before: list[CommitInfo], tree: str) -> str:
    """Return a warning if the released files, untouched, follow on work: somebody submits from the wrong folder."""
    if not before:
        return ""
    released = {commit.tree for commit in history(repository, release.commit, limit=MAX_COMMITS)}
    worked = [number for number, commit in enumerate(before, start=1) if commit.tree not in released]
    if tree not in released or not worked:
        return ""
    return (
        f"These are exactly the released files; your attempt {worked[-1]} had work in it. If that is what should"
        " count, submit it again: `git-exchange restore` brings it back."
    )


def _received(course: Course, project_id: int, ref: str, commit: str) -> tuple[datetime, bool]:
    """Return the server's time of the push: its own record if it is there already, else its clock now."""
    server = course.forge.server().date
    yesterday = (server - timedelta(days=2)).date()
    for event in course.forge.pushes(project_id, after=yesterday):
        if event.ref == ref and event.after == commit:
            return event.at, True
    return (server + timedelta(seconds=1)).astimezone(timezone.utc), False
