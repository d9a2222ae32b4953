"""Telling a student that a newer version of a fetched assignment was released."""

from __future__ import annotations

import shlex

from git_exchange.course.course import Course
from git_exchange.course.releases import Release
from git_exchange.errors import GitExchangeError
from git_exchange.operations.update import news
from git_exchange.plugin.exchange import Exchange
from git_exchange.rules.until import in_zone


def newer_version(exchange: Exchange, course: Course, release: Release) -> str:
    """Return a sentence about a version that the student's folder does not have yet, "" if there is none."""
    folder = exchange.assignment_path(release.assignment_id, release.course_id)
    try:
        found = news(course, release, folder, ignore_patterns=tuple(exchange.coursedir.ignore))
    except (GitExchangeError, OSError) as error:  # what was asked for works without it
        exchange.log.debug("Whether %s is the newest version is not known: %s", release.assignment_id, error)
        return ""
    if found is None:
        return ""
    command = ["git-exchange", "update", release.assignment_id]
    if release.course_id != exchange.coursedir.course_id:
        command += ["--course", release.course_id]
    return (
        f"A newer version of {release.assignment_id} was released on {in_zone(found.released)}:"
        f" run `{shlex.join(command)}`"
    )
