"""Freeze a course whose term is over: every project read-only on the forge, everybody goes on reading. And undo it."""

from __future__ import annotations

from git_exchange.course.course import Course
from git_exchange.errors import GitExchangeError
from git_exchange.events import Event, Listener, Progress, ignore
from git_exchange.files.paths import display
from git_exchange.forge.ports import ForgeAdmin, Project
from git_exchange.operations.export import projects_of
from git_exchange.report import Outcome, Report


def freeze(course: Course, forge: ForgeAdmin, *, listener: Listener = ignore) -> Report:
    """Make every seat, ``staff`` and ``assignments`` read-only. Raise CourseNotFound, NotStaff.

    The outcomes are "archived", "unchanged" and "failed", and add up to the course's projects. ``assignments`` comes
    last: once it is archived the course is, and a run that was interrupted before is finished by the next one.
    """
    return _set_all(course, forge, listener, archived=True)


def reopen(course: Course, forge: ForgeAdmin, *, listener: Listener = ignore) -> Report:
    """Undo ``freeze``: "reopened", "unchanged" and "failed". Raise CourseNotFound, NotStaff."""
    return _set_all(course, forge, listener, archived=False)


def _set_all(course: Course, forge: ForgeAdmin, listener: Listener, *, archived: bool) -> Report:
    course.staff()
    wanted, others = projects_of(course)
    failures: dict[int, str] = {}
    todo = [project for project in reversed(wanted) if project.archived != archived]
    done: list[int] = []

    def one(project: Project) -> None:
        try:
            (forge.archive if archived else forge.unarchive)(project.id)
        except GitExchangeError as error:
            failures[project.id] = str(error)
        done.append(project.id)
        listener(Progress("archiving projects" if archived else "reopening projects", len(done), len(todo)))

    own = {course.assignments().id, course.staff().id}
    course.in_parallel(one, [project for project in todo if project.id not in own])
    for project in todo:
        if project.id in own:
            one(project)
    now = {project.id: project.archived for project in forge.projects(course.group())} if todo else {}
    changed = {project.id for project in todo}
    return Report.of(
        [
            _outcome(project, failures.get(project.id), now.get(project.id), archived=archived, listener=listener)
            if project.id in changed
            else Outcome(project.path, "unchanged")
            for project in wanted
        ],
        [f"{display(project.path)} is no project of a course and was left alone." for project in others],
    )


def _outcome(project: Project, failure: str | None, now: bool | None, *, archived: bool, listener: Listener) -> Outcome:
    """Return what became of a project, by what the forge says of it now."""
    if now is archived:
        return Outcome(project.path, "archived" if archived else "reopened")
    why = failure or ("it is no longer on the forge" if now is None else "the forge took the request, without effect")
    listener(Event(f"{display(project.path)}: {why}", "error"))
    return Outcome(project.path, "failed", why)
