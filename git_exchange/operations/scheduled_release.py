"""Release at a time: stage the generated folder where no student can read, and release it from there when it is due."""

from __future__ import annotations

import io
import uuid
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from git_exchange.course.course import Course
from git_exchange.course.releases import Release, ensure_fetched
from git_exchange.course.schedules import end, find_schedule, stage, staged_head
from git_exchange.errors import AlreadyReleased, CourseError
from git_exchange.events import Listener, ignore
from git_exchange.files.paths import display
from git_exchange.files.selection import SelectionRules, select
from git_exchange.operations.fetch import MAX_FILE
from git_exchange.operations.folder import commit_folder, say_skipped
from git_exchange.operations.release import check_may_release, content, find_released, put
from git_exchange.report import Outcome
from git_exchange.rules import schedule, trailers
from git_exchange.rules.schedule import Scheduled
from git_exchange.transport.cache import Repository
from git_exchange.transport.objects import (
    CommitInfo,
    TreeFile,
    commit_tree,
    has_commit,
    history,
    is_ancestor,
    list_tree,
    read_blob,
    read_commit,
    tree_of,
)

MAX_RELEASES = 5_000


def schedule_release(
    course: Course,
    assignment_id: str,
    folder: Path,
    rules: SelectionRules,
    *,
    at: datetime,
    due: datetime | None = None,
    force: bool = False,
    listener: Listener = ignore,
) -> Scheduled | None:
    """Stage ``folder`` as the release of the assignment at ``at`` (aware), and return what that replaces.

    Nothing of it can be read by students before. Raise CourseError for a time that is past, AlreadyReleased without
    ``force``, NotStaff, CourseArchived, TooLarge.
    """
    course.staff()
    course.check_open()
    check_time(course, at)
    before = find_released(course, assignment_id)
    check_may_release(course, assignment_id, before, force=force)
    selection = select(folder, rules)
    say_skipped(selection, listener)
    name, address = course.identity()
    scheduled = Scheduled(
        kind="release",
        assignment_id=assignment_id,
        at=at,
        mark=uuid.uuid4().hex,
        asked_by=f"{name} <{address}>",
        replaces=before.commit if before is not None else "",
        force=force,
    )
    earlier = find_schedule(course, "release", assignment_id)

    def build(repository: Repository, parents: list[str], message: str) -> str:
        return commit_folder(course, repository, folder, selection, parents, message)

    stage(course, scheduled, content(course, assignment_id, selection, due), build)
    return earlier


def check_time(course: Course, at: datetime) -> None:
    """Raise CourseError if the time is past by the forge's clock."""
    now = course.forge.server().date
    if at <= now:
        raise CourseError(
            f"{at:%Y-%m-%d %H:%M} UTC is past: the forge's clock says {now:%Y-%m-%d %H:%M} UTC.",
            hint="Leave --at out to release now.",
        )


def release_scheduled(course: Course, scheduled: Scheduled, *, listener: Listener = ignore) -> Outcome:
    """Release what is staged: "released", or "unchanged" if it had gone out, been replaced or ended before.

    Raise CourseError if the assignment was released, withdrawn or purged by hand meanwhile; what ``put`` raises.
    """
    try:
        return _release(course, scheduled, listener)
    except AlreadyReleased:
        # Perhaps by another collector, which was as fast as this one: then its release has the same mark.
        return _release(course, scheduled, listener)


def _release(course: Course, scheduled: Scheduled, listener: Listener) -> Outcome:
    course.check_open()
    subject = f"release {display(scheduled.assignment_id)}"
    staged = course.in_repository(
        lambda cache: cache.staff(), lambda repository: _staged(course, repository, scheduled)
    )
    if staged is None:
        return Outcome(subject, "unchanged", "it was cancelled or scheduled anew at this moment")
    commit, files = staged
    before = find_released(course, scheduled.assignment_id)
    if before is not None:
        ensure_fetched(course, before)
        done = course.in_repository(
            lambda cache: cache.releases(), lambda repository: _meanwhile(repository, scheduled, before, commit.tree)
        )
        if done is not None:
            end(course, scheduled, done)
            return Outcome(subject, "unchanged", done)
    elif scheduled.replaces:
        raise _changed(scheduled, "the release that it was to replace is gone")
    said = [
        *schedule.content(commit.message),
        (trailers.SCHEDULE, scheduled.mark),
        (trailers.SCHEDULED_BY, scheduled.asked_by),
    ]

    def build(repository: Repository, parents: list[str], message: str) -> str:
        name, email = course.identity()
        made = commit_tree(
            repository, parents=parents, files=files, message=message, name=name, email=email, at=course.now()
        )
        if tree_of(repository, made) != commit.tree:
            raise CourseError(
                "What is staged holds links or names that cannot be released as they are.",
                hint="Somebody changed the branch by hand: schedule it again.",
            )
        return made

    released = put(course, scheduled.assignment_id, before, said, build, listener=listener)
    end(course, scheduled, "released")
    return Outcome(subject, "released", released.url)


def _staged(course: Course, repository: Repository, scheduled: Scheduled) -> tuple[CommitInfo, list[TreeFile]] | None:
    head = staged_head(course, repository, scheduled)
    if head is None:
        return None
    return read_commit(repository, head), staged_files(repository, head)


def staged_files(repository: Repository, commit: str) -> list[TreeFile]:
    """Return the files of a commit, to be put into another one."""
    return [
        TreeFile(
            path=entry.path.decode("utf-8", "replace"),  # one that is not UTF-8 shows in the tree
            executable=entry.mode == "100755",
            open=lambda oid=entry.oid: io.BytesIO(read_blob(repository, oid, MAX_FILE)),  # type: ignore[misc]
            size=entry.size or 0,
        )
        for entry in list_tree(repository, commit)
        if entry.kind == "blob"
    ]


def _meanwhile(repository: Repository, scheduled: Scheduled, before: Release, tree: str) -> str | None:
    """Return how it went out already, None if it is still to go out. Raise CourseError if something else did."""
    was = scheduled.replaces
    if was and not (has_commit(repository, was) and is_ancestor(repository, was, before.commit)):
        raise _changed(scheduled, "its releases were purged")
    new: Sequence[CommitInfo] = history(repository, before.commit, [was] if was else [], limit=MAX_RELEASES)
    said = [trailers.parse(commit.message) for commit in new]
    if any(one.first(trailers.SCHEDULE) == scheduled.mark for one in said):
        return "released"
    if all(one.first(trailers.DUE_DATE_WAS) is not None for one in said):
        return None
    if before.withdrawn:
        raise _changed(scheduled, "it was withdrawn")
    if tree_of(repository, before.commit) == tree:
        return "released by hand with the same files"
    raise _changed(scheduled, f"{display(new[-1].author)} released something else")


def _changed(scheduled: Scheduled, what: str) -> CourseError:
    return CourseError(
        f"{display(scheduled.assignment_id)} was not released as scheduled: since then {what}.",
        hint="Look at what is released now. Schedule it again (with --force to replace that), or cancel it:"
        " git-exchange scheduled cancel release ASSIGNMENT",
    )
