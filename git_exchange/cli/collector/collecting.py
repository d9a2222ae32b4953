"""What the collector does beyond recording, put together: nbgrader's collect, which `collector` must not know."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from git_exchange.cli.settings import Asked, configured
from git_exchange.collector.config import CollectorConfig, CollectRule
from git_exchange.collector.on_submission.afterwards import CollectAndRun
from git_exchange.collector.on_submission.readiness import ready, secrets
from git_exchange.course.course import Course
from git_exchange.course.seats import Seat
from git_exchange.errors import ConfigurationError, GitExchangeError
from git_exchange.events import Event, Progress
from git_exchange.files.paths import display
from git_exchange.report import Outcome
from git_exchange.settings import Settings

if TYPE_CHECKING:  # nbgrader takes seconds to import
    from git_exchange.plugin.collect_one import CollectOne

_log = logging.getLogger(__name__)
_configuring = threading.Lock()


@contextmanager
def collecting(config: CollectorConfig, path: Path, *, once: bool) -> Iterator[CollectAndRun]:
    """Give what the workers call after recording; ``path`` is the configuration's file.

    It also keeps up with what others record; with ``once`` it catches up, and does everything before it is left.
    """
    from git_exchange.collector.courses import Courses
    from git_exchange.collector.inbox import Inbox

    inbox, courses = Inbox.open(config.storage.database), Courses(config.settings)

    def failed(course_id: str, reason: str) -> None:
        inbox.mark("afterwards failed", course_id, datetime.now(timezone.utc), reason)

    following = CollectAndRun(config.collect, secrets(config, path), collect_here, failed)
    try:
        if not once:
            following.keep_up(courses.course, config.sweep.seconds)
        yield following
        if once:
            following.catch_up(courses.course)
            following.close(wait=True)
    finally:
        following.close()
        inbox.close()


def collect_here(rule: CollectRule, course: Course, assignment_id: str, seat: Seat) -> Outcome:
    """Collect one student's work into the rule's course directory. Raise ConfigurationError if that is not possible."""
    return _exchange(rule, course.settings, assignment_id).collect_one(course, seat, _listen)


def verdicts(config: CollectorConfig, path: Path) -> Iterator[tuple[CollectRule, GitExchangeError | None]]:
    """Yield each rule, and why it would be refused."""
    hidden = secrets(config, path)
    for rule in config.collect:
        try:
            if rule.course not in config.courses:
                raise ConfigurationError(
                    f"{display(rule.course)} is none of the collector's courses.", hint="Name it in courses, too."
                )
            _exchange(rule, config.settings, "")
            if rule.on_submission:
                ready(rule, hidden)
            yield rule, None
        except GitExchangeError as error:
            yield rule, error


def _exchange(rule: CollectRule, settings: Settings, assignment_id: str) -> CollectOne:
    """Return nbgrader's collect as the course directory configures it."""
    if not rule.course_dir.is_dir():
        raise ConfigurationError(
            f"The course directory {rule.course_dir} of the rule for {display(rule.course)} is not there.",
            hint="Correct course_dir; it is on the machine on which `git-exchange collector work` runs.",
        )
    from git_exchange.plugin.collect_one import CollectOne

    with _configuring:
        searched = list(sys.path)
        try:
            asked = Asked(settings.url, settings.namespace, settings.kind)
            # nbgrader warns where the current folder has no configuration, which a service's never has.
            exchange = configured(CollectOne, asked, rule.course_dir, assignment_id=assignment_id, log_level="ERROR")
        finally:
            sys.path[:] = searched  # nbgrader puts the current folder in front, every time
    directory = exchange.coursedir
    if directory.course_id != rule.course or Path(directory.root).resolve() != rule.course_dir.resolve():
        raise ConfigurationError(
            f"The nbgrader_config.py in {rule.course_dir} is for the course {display(directory.course_id)!r} in"
            f" {directory.root}, not for {display(rule.course)} there.",
            hint="Correct course_dir, or c.CourseDirectory.course_id and root.",
        )
    return exchange


def _listen(event: Event | Progress) -> None:
    if isinstance(event, Event):
        _log.log(logging.getLevelName(event.level.upper()), "%s", display(event.message))
