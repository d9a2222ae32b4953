"""A worker: takes jobs from the inbox, records what their branches hold, and tells the student.

What a delivery says is only where to look. The branch is read as ourselves, its time is settled and pinned as collect
does it, and a job whose time is not settled yet comes back by itself.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timezone

from git_exchange.collector.config import CollectorConfig
from git_exchange.collector.courses import Courses, release_of, seats_of
from git_exchange.collector.inbox import NOTHING, Inbox
from git_exchange.collector.jobs import Batch, Job, Jobs
from git_exchange.collector.values import reason
from git_exchange.course.attempts import Reading
from git_exchange.course.course import Course
from git_exchange.course.seats import Seat
from git_exchange.errors import (
    CredentialsError,
    ForgeUnreachable,
    GitExchangeError,
    GitTimeout,
    InboxUnavailable,
    RemoteUnreachable,
    SignInRefused,
    Throttled,
)
from git_exchange.files.paths import display
from git_exchange.operations.record import Recorded, record
from git_exchange.rules.attempt import Attempt

_log = logging.getLogger(__name__)

# The forge is away, or does not know us at the moment: nobody's work is to blame.
AWAY = (ForgeUnreachable, Throttled, RemoteUnreachable, GitTimeout, CredentialsError, SignInRefused)
# When a job is looked at again whose time is not settled, or whose commit is not on the branch yet (seconds).
LOOKS = (2.0, 10.0, 60.0, 600.0)
# After ten minutes every time is settled by our own reading; this is for a clock of the forge that runs wild.
MAX_LOOKS = 12
_AWAY_SECONDS, _LONGEST_AWAY_SECONDS = 15.0, 300.0


# What is done of an attempt that is on record (course, assignment id, reading, attempt). It must not take long.
Afterwards = Callable[[Course, str, Reading, Attempt], None]


class Worker:
    """Works off the inbox; usable by several threads at once."""

    def __init__(
        self, config: CollectorConfig, inbox: Inbox, courses: Courses, afterwards: Sequence[Afterwards] = ()
    ) -> None:
        self._config, self._inbox, self._courses = config, inbox, courses
        self._afterwards = tuple(afterwards)
        self._jobs = Jobs(inbox, lease_seconds=config.work.lease_seconds, max_tries=config.work.max_tries)
        self._stopping = threading.Event()
        self._threads = threading.BoundedSemaphore(max(1, config.work.workers))
        self._away_until = 0.0
        self._unfinished: list[Batch] = []

    def stop(self) -> None:
        """Take no further jobs; those that are under way are finished."""
        self._stopping.set()

    def work_off(self) -> int:
        """Do what is due, and return how many jobs that were. Never raises: what failed is in the inbox or the log."""
        done = 0
        with self._threads:
            while not self._stopping.is_set() and time.monotonic() >= self._away_until:
                batch: Batch | None = None
                try:
                    self._give_back()
                    batch = self._jobs.claim()
                    if batch is None:
                        break
                    self._do(batch)
                except InboxUnavailable as error:
                    _log.error("%s", error)
                    if batch is not None:
                        self._unfinished.append(batch)
                    break
                done += len(batch.jobs)
        return done

    def _give_back(self) -> None:
        """Give back what was under way when the inbox went away: that it was not finished is nobody's failure."""
        while self._unfinished:
            self._jobs.give_back(self._unfinished[-1])
            self._unfinished.pop()

    def _do(self, batch: Batch) -> None:
        try:
            self._record(batch)
        except InboxUnavailable:
            raise
        except AWAY as error:
            self._wait_for_the_forge(batch, error)
        except Exception as error:  # noqa: BLE001 - one poison job must neither end the worker nor hold up the others
            why = reason(error)
            _log.error("%s %s: %s", batch.course_id, batch.ref, why)
            if len(batch.jobs) > 1:
                self._jobs.one_by_one(batch)
            else:
                self._jobs.fail(batch, batch.jobs[0], why)

    def _wait_for_the_forge(self, batch: Batch, error: GitExchangeError) -> None:
        if isinstance(error, (CredentialsError, SignInRefused)):
            self._courses.sign_out()
        asked = error.retry_after if isinstance(error, Throttled) else None
        seconds = min(asked or _AWAY_SECONDS, _LONGEST_AWAY_SECONDS)
        _log.warning("%s, trying again in %d s: %s", batch.course_id, seconds, error)
        self._away_until = time.monotonic() + seconds
        self._inbox.mark("forge away", batch.course_id, _now(), str(error))
        for job in batch.jobs:
            self._jobs.again(batch, job, seconds, str(error), looked=False)

    def _record(self, batch: Batch) -> None:
        if batch.course_id not in self._config.courses:
            return self._finish_all(batch, batch.jobs, "not ours")
        course = self._courses.course(batch.course_id)
        release = release_of(course, batch.ref)
        if release is None:
            return self._finish_all(batch, batch.jobs, "no such assignment")
        found = seats_of(course, [job.project_id for job in batch.jobs])
        seats: dict[int, Seat] = {}
        for job in batch.jobs:
            seat = found.get(job.project_id)
            if seat is None:
                self._jobs.finish(batch, job, "not ours")
            elif isinstance(seat, GitExchangeError):
                self._failed(batch, job, f"project {job.project_id}", seat)
            else:
                seats[job.project_id] = seat
        jobs = [job for job in batch.jobs if job.project_id in seats]
        if not jobs:
            return None
        recorded = record(course, release.assignment_id, [seats[job.project_id] for job in jobs])
        if recorded.unpinned and not course.staff().archived:
            raise GitExchangeError(
                recorded.unpinned[0],
                hint="The collector's account must be an instructor of the course; then git-exchange collector dead"
                " --retry --all.",
            )
        for alarm in recorded.alarms:
            _log.warning("%s %s", batch.course_id, alarm)
            self._inbox.mark("alarm", batch.course_id, _now(), alarm)
        readings = dict(zip([job.project_id for job in jobs], recorded.readings, strict=True))
        course.in_parallel(
            lambda job: self._conclude(batch, job, course, release.assignment_id, readings[job.project_id], recorded),
            jobs,
        )
        return None

    def _finish_all(self, batch: Batch, jobs: Collection[Job], outcome: str) -> None:
        for job in jobs:
            self._jobs.finish(batch, job, outcome)

    def _conclude(
        self,
        batch: Batch,
        job: Job,
        course: Course,
        assignment_id: str,
        reading: Reading | None,
        recorded: Recorded,
    ) -> None:
        """Tell the student what is on record now, and say in the inbox whether the job is done."""
        assert reading is not None  # noqa: S101 - only a policy with a deadline leaves seats out
        if reading.failure is not None:
            self._failed(batch, job, display(reading.seat.student_id), reading.failure)
            return
        self._tell(course, assignment_id, reading, job, recorded)
        open_ones = [attempt for attempt in reading.attempts if not attempt.settled]
        there = {attempt.commit for attempt in reading.attempts}
        missing = [
            commit
            for commit in job.commits
            if commit not in there and not recorded.after.removed(job.project_id, reading.ref, commit)
        ]
        if open_ones and job.looks >= MAX_LOOKS:
            self._jobs.fail(batch, job, f"The time of {open_ones[-1].commit[:8]} does not settle.")
        elif open_ones or (missing and job.looks < len(LOOKS)):
            pause = LOOKS[min(job.looks, len(LOOKS) - 1)]
            why = "its time is not settled" if open_ones else "the commit is not on the branch"
            self._jobs.again(batch, job, pause, why, looked=True)
        else:
            self._jobs.finish(batch, job, "recorded" if reading.attempts else NOTHING)

    def _failed(self, batch: Batch, job: Job, who: str, error: GitExchangeError) -> None:
        _log.error("%s %s, %s: %s", batch.course_id, batch.ref, who, error)
        self._jobs.fail(batch, job, reason(error))

    def _tell(self, course: Course, assignment_id: str, reading: Reading, job: Job, recorded: Recorded) -> None:
        """Show the student that an attempt is on record: once for each that this job announced or pinned."""
        project_id = reading.seat.project.id
        # Announced ones too: a worker may have ended between pinning them and telling.
        wanted = {attempt.commit for attempt in recorded.newly_pinned(reading)} | set(job.commits)
        news = [attempt for attempt in reading.attempts if attempt.settled and attempt.commit in wanted]
        told = self._jobs.told(project_id, reading.ref, [attempt.commit for attempt in news]) if news else frozenset()
        for attempt in news:
            if attempt.commit not in told:
                self._show_received(course, reading, attempt)
                self._follow(course, assignment_id, reading, attempt)
                self._jobs.tell(course.course_id, project_id, reading.ref, attempt.commit)

    def _follow(self, course: Course, assignment_id: str, reading: Reading, attempt: Attempt) -> None:
        """Do what is wished beyond recording. Its failure changes nothing of the record."""
        for follow in self._afterwards:
            try:
                follow(course, assignment_id, reading, attempt)
            except Exception as error:  # noqa: BLE001 - whatever it does, the attempt is on record
                _log.error("%s %s: %s", course.course_id, reading.seat.student_id, reason(error))
                self._inbox.mark("afterwards failed", course.course_id, _now(), reason(error))

    def _show_received(self, course: Course, reading: Reading, attempt: Attempt) -> None:
        """Post the commit status: a courtesy, whose failure changes nothing."""
        project = reading.seat.project
        said = f"Attempt {attempt.number}, received {attempt.time:%Y-%m-%d %H:%M:%S} UTC"
        try:
            course.forge.note_received(
                project.id, attempt.commit, said, course.forge.commit_url(project, attempt.commit)
            )
        except GitExchangeError as error:
            if course.course_id not in self._inbox.marks("status refused"):
                _log.warning("%s: the forge did not show that work was received: %s", course.course_id, error)
            self._inbox.mark("status refused", course.course_id, _now(), str(error))


def _now() -> datetime:
    return datetime.now(timezone.utc)
