"""Release feedback at a time: stage the pages of each student among the staff, and send them when they are due."""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from git_exchange.course.course import Course
from git_exchange.course.register import read_register
from git_exchange.course.schedules import end, find_schedule, note_failure, stage, staged_head
from git_exchange.course.seats import Identities
from git_exchange.errors import CourseError, GitExchangeError
from git_exchange.events import Event, Listener, ignore
from git_exchange.files.paths import display
from git_exchange.operations.feedback_pages import Marked, Prepared, prepare
from git_exchange.operations.release_feedback import MAX_PAGE, for_each, send
from git_exchange.operations.scheduled_release import MAX_RELEASES, check_time, staged_files
from git_exchange.report import Outcome, Report
from git_exchange.rules import layout, staged_feedback, trailers
from git_exchange.rules.schedule import Scheduled
from git_exchange.rules.staged_feedback import StagedFor
from git_exchange.transport.cache import Repository
from git_exchange.transport.objects import TreeFile, commit_tree, has_commit, history, is_ancestor, list_tree, read_blob

_NAMED = 5


@dataclass(frozen=True)
class Staged:
    """What became of each student's feedback ("scheduled" or "failed"), and what was scheduled before."""

    report: Report
    earlier: Scheduled | None


def schedule_feedback(
    course: Course,
    assignment_id: str,
    marked: Collection[Marked],
    *,
    at: datetime,
    force: bool = False,
    listener: Listener = ignore,
) -> Staged:
    """Stage the pages, to be released at ``at`` (aware), in place of what was scheduled before for these students.

    Nothing of it can be read by students before. Raise CourseError for a time that is past, and if feedback of other
    students waits; NotStaff, CourseArchived.
    """
    course.staff()
    course.check_open()
    check_time(course, at)
    earlier = find_schedule(course, "feedback", assignment_id)
    if earlier is not None:
        _check_covered(course, earlier, {item.student_id for item in marked})
    identities = Identities(read_register(course))
    prepared: dict[str, Prepared] = {}

    def one(item: Marked) -> Outcome:
        prepared[item.student_id] = prepare(course, assignment_id, item, identities)
        return Outcome(item.student_id, "scheduled", prepared[item.student_id].attempt)

    report = for_each(course, marked, one, listener)
    if not prepared:
        return Staged(report, earlier)
    entries = _entries(course, assignment_id, list(prepared.values()))
    files = [_index(entries)]
    for item in prepared.values():
        folder = f"{layout.staged_folder(item.student_id)}/{item.attempt}"
        files += [replace(page, path=f"{folder}/{page.path}") for page in item.pages]
    name, address = course.identity()
    scheduled = Scheduled(
        kind="feedback",
        assignment_id=assignment_id,
        at=at,
        mark=uuid.uuid4().hex,
        asked_by=f"{name} <{address}>",
        force=force,
        students=len(entries),
    )

    def build(repository: Repository, parents: list[str], message: str) -> str:
        return commit_tree(
            repository, parents=parents, files=files, message=message, name=name, email=address, at=course.now()
        )

    stage(course, scheduled, [(trailers.ASSIGNMENT, assignment_id), (trailers.COURSE, course.course_id)], build)
    return Staged(report, earlier)


def release_scheduled_feedback(course: Course, scheduled: Scheduled, *, listener: Listener = ignore) -> Outcome:
    """Send what is staged: "released", "unchanged" if it had gone out or ended before, "failed" if it did not for some.

    Those wait on, alone. Raise CourseError if what is staged is damaged.
    """
    course.check_open()
    subject = f"feedback {display(scheduled.assignment_id)}"
    found = course.in_repository(lambda cache: cache.staff(), lambda copy: _read(course, copy, scheduled))
    if found is None:
        return Outcome(subject, "unchanged", "it was cancelled or scheduled anew at this moment")
    entries, files = found
    of_student = {entry.student_id: entry for entry in entries}
    identities = Identities(read_register(course))

    def one(item: Prepared) -> Outcome:
        return send(
            course,
            scheduled.assignment_id,
            item,
            identities,
            force=scheduled.force,
            scheduled=scheduled,
            check=_nothing_since(scheduled, of_student[item.student_id]),
            listener=listener,
        )

    report = for_each(course, [_prepared(entry, files) for entry in entries], one, listener)
    if report.failed:
        why = _why(report)
        left = [of_student[outcome.subject] for outcome in report.failed]
        _keep(course, scheduled, why, left, listener)
        return Outcome(subject, "failed", why)
    end(course, scheduled, "released")
    return Outcome(subject, "released" if "released" in report.counts else "unchanged", report.summary())


def _entries(course: Course, assignment_id: str, prepared: list[Prepared]) -> list[StagedFor]:
    """Return the lines of the index, with what the students' branches hold now: a few requests for all."""
    projects = [course.seat_project(item.student_id) for item in prepared]
    ref = layout.feedback_ref(assignment_id)
    heads = course.forge.heads(course.group(), projects, [ref])
    if heads.unreadable:
        raise CourseError(
            f"{len(heads.unreadable)} students' projects could not be read: {next(iter(heads.unreadable.values()))}",
            hint="Nothing was scheduled. Run it again; git-exchange doctor tells what the account may read.",
        )
    return [
        StagedFor(
            item.student_id, item.project_id, item.attempt, item.submitted, heads.heads.get((item.project_id, ref), "")
        )
        for item in prepared
    ]


def _check_covered(course: Course, earlier: Scheduled, students: set[str]) -> None:
    found = course.in_repository(lambda cache: cache.staff(), lambda copy: _read(course, copy, earlier))
    others = sorted(entry.student_id for entry in (found[0] if found is not None else []))
    if others := [student_id for student_id in others if student_id not in students]:
        raise CourseError(
            f"Feedback of other students waits for {earlier.at:%Y-%m-%d %H:%M} UTC: {_names(others)}.",
            hint="Schedule it for all of them together, or cancel that first: git-exchange scheduled cancel feedback"
            " ASSIGNMENT",
        )


def _read(
    course: Course, repository: Repository, scheduled: Scheduled
) -> tuple[list[StagedFor], dict[str, TreeFile]] | None:
    """Return whose feedback is staged and its files by path; None if it has ended or been replaced."""
    head = staged_head(course, repository, scheduled)
    if head is None:
        return None
    oids = {entry.path: entry.oid for entry in list_tree(repository, head)}
    try:
        entries = staged_feedback.load(read_blob(repository, oids[layout.STAGED_FEEDBACK_PATH.encode()], MAX_PAGE))
    except (KeyError, ValueError) as error:
        raise CourseError(
            f"What is staged of the feedback on {display(scheduled.assignment_id)} is damaged: {error}",
            hint="Somebody changed the branch by hand: schedule the feedback again.",
        ) from error
    return entries, {file.path: file for file in staged_files(repository, head)}


def _prepared(entry: StagedFor, files: dict[str, TreeFile]) -> Prepared:
    folder = f"{layout.staged_folder(entry.student_id)}/{entry.attempt}/"
    pages = [replace(file, path=path[len(folder) :]) for path, file in files.items() if path.startswith(folder)]
    return Prepared(entry.student_id, entry.project_id, entry.attempt, entry.submitted, tuple(pages))


def _nothing_since(scheduled: Scheduled, entry: StagedFor) -> Callable[[Repository, str | None], None]:
    """Return the check that nobody released or purged the student's feedback by hand since it was staged."""

    def check(repository: Repository, head: str | None) -> None:
        was = entry.was
        if was and (head is None or not has_commit(repository, was) or not is_ancestor(repository, was, head)):
            raise _changed("was purged")
        if head is None:
            return
        new = history(repository, head, [was] if was else [], limit=MAX_RELEASES)
        for commit in new:
            said = trailers.parse(commit.message)
            if said.first(trailers.PURGED) is not None:
                raise _changed("was purged")
            if not scheduled.force and entry.attempt in said.all(trailers.FEEDBACK_FOR):
                raise _changed(f"on this attempt was released by {display(commit.author)}")

    return check


def _changed(what: str) -> CourseError:
    return CourseError(f"Since it was scheduled, feedback {what}.", hint="Look at it; schedule it again, or cancel it.")


def _keep(course: Course, scheduled: Scheduled, why: str, left: Sequence[StagedFor], listener: Listener) -> None:
    """Record why some did not get theirs, and let only that wait on."""
    folders = tuple(f"{layout.staged_folder(entry.student_id)}/" for entry in left)

    def files(repository: Repository, commit: str) -> list[TreeFile]:
        return [_index(left), *(file for file in staged_files(repository, commit) if file.path.startswith(folders))]

    try:
        note_failure(course, scheduled, why, files, len(left))
    except GitExchangeError as error:
        listener(Event(f"That could not be recorded: {error}", "warning"))


def _why(report: Report) -> str:
    names = _names([outcome.subject for outcome in report.failed])
    return f"{report.summary()}. Not sent to {names}: {report.failed[0].detail}"


def _names(student_ids: Sequence[str]) -> str:
    shown = [display(student_id) for student_id in student_ids]
    more = len(shown) - _NAMED
    return ", ".join(shown) if more <= 1 else f"{', '.join(shown[:_NAMED])} and {more} others"


def _index(entries: Sequence[StagedFor]) -> TreeFile:
    content = staged_feedback.dump(entries)
    return TreeFile(
        path=layout.STAGED_FEEDBACK_PATH, executable=False, open=lambda: io.BytesIO(content), size=len(content)
    )
