"""After a new attempt was recorded: collect it where a rule says so, and run the rule's command.

Nobody waits for it: recording goes on meanwhile. What is to be done stands in a file in the course directory until it
is done, and now and then the record is looked through: a restart, a forge that was away and workers on other machines
lose nothing. Of each course directory one student's work is handled after the other: nbgrader has one gradebook there,
and what is running cannot meddle with what is being collected.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path

from git_exchange.collector.config import CollectRule
from git_exchange.collector.on_submission.arguments import Submission, substituted
from git_exchange.collector.on_submission.lately import recorded_since
from git_exchange.collector.on_submission.notes import FOLDER, Notes
from git_exchange.collector.on_submission.readiness import ready
from git_exchange.collector.on_submission.run import Ended, run
from git_exchange.collector.worker import AWAY
from git_exchange.course.attempts import Reading
from git_exchange.course.course import Course
from git_exchange.course.seats import Seat, seat_of
from git_exchange.errors import ConfigurationError, GitExchangeError, Incomplete
from git_exchange.files import replace
from git_exchange.files.paths import display
from git_exchange.report import Outcome
from git_exchange.rules.attempt import Attempt

_log = logging.getLogger(__name__)

# As `nbgrader collect` would in the rule's course directory, this one student's work; never what came too late, never
# over what was graded by hand.
CollectHere = Callable[[CollectRule, Course, str, Seat], Outcome]

_NEW = ("collected", "updated")
# So far back the record is looked through for what was not collected. What is older is the staff's own business.
_LATELY = timedelta(days=1)


class _Stopped(Exception):
    """Everything is to stop; what was running goes on after the next start."""


class CollectAndRun:
    """One of the worker's ``Afterwards``. ``hidden`` are files that no command may be able to read.

    ``failed`` is told the course and the reason of every failure.
    """

    def __init__(
        self,
        rules: Sequence[CollectRule],
        hidden: Sequence[Path],
        collect: CollectHere,
        failed: Callable[[str, str], None] = lambda *_: None,
    ) -> None:
        self._rules = tuple(rules)
        self._hidden = tuple(hidden)
        self._collect = collect
        self._failed = failed
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._queued: set[tuple[Path, Submission]] = set()
        self._under_way: set[tuple[Path, Submission]] = set()
        self._seen: dict[tuple[Path, Submission, str], datetime] = {}
        self._stopping = threading.Event()
        self._pools = {root: ThreadPoolExecutor(1, "collect") for root in {rule.course_dir for rule in rules}}

    def __call__(self, course: Course, assignment_id: str, reading: Reading, attempt: Attempt) -> None:
        """Note what is to be done about the new attempt, and return. Raise FilesError if it cannot be noted."""
        work = Submission(course.course_id, assignment_id, reading.seat.student_id)
        for rule in self._rules:
            if _is_about(rule, work):
                self._is_new(rule, work, attempt.commit)
                Notes(rule.course_dir).put(work)
                self._later(rule, course, work, reading.seat)

    def catch_up(self, open_course: Callable[[str], Course]) -> int:
        """Begin with what is noted, or on record since yesterday, and is not done; return how much that is."""
        begun = 0
        for rule in self._rules:
            try:
                left = {work for work in Notes(rule.course_dir).all() if _is_about(rule, work)}
                course = open_course(rule.course)
                for work, commit in recorded_since(course, rule, _now() - _LATELY):
                    if self._is_new(rule, work, commit):
                        Notes(rule.course_dir).put(work)
                        left.add(work)
                begun += sum(self._later(rule, course, work, None) for work in left - self._now_under_way(rule))
            except GitExchangeError as error:
                _log.warning("%s: the record was not looked through: %s", display(rule.course), error)
        return begun

    def keep_up(self, open_course: Callable[[str], Course], seconds: float) -> threading.Thread:
        """Catch up now and every so many seconds, in a thread, until ``close``."""

        def again() -> None:
            while not self._stopping.is_set():
                try:
                    self.catch_up(open_course)
                except Exception:  # noqa: BLE001 - the next time may do better, and this thread is the only one
                    _log.exception("The record was not looked through.")
                self._stopping.wait(seconds)

        thread = threading.Thread(target=again, name="catch up", daemon=True)
        thread.start()
        return thread

    def counts(self) -> dict[str, int]:
        """Return how often which end was met: those of ``operations/collect``, "ran", "refused" and "run failed"."""
        with self._lock:
            return dict(self._counts)

    def close(self, *, wait: bool = False) -> None:
        """Begin nothing more and end what is running, which the next start takes up; or ``wait`` for all of it."""
        if not wait:
            self._stopping.set()
        for pool in self._pools.values():
            pool.shutdown(wait=True, cancel_futures=not wait)
        self._stopping.set()

    def _later(self, rule: CollectRule, course: Course, work: Submission, seat: Seat | None) -> bool:
        """Queue it; False if it is waiting there already, or everything is to stop."""
        with self._lock:
            if (rule.course_dir, work) in self._queued or self._stopping.is_set():
                return False
            self._queued.add((rule.course_dir, work))
            self._pools[rule.course_dir].submit(self._handle, rule, course, work, seat)
        return True

    def _handle(self, rule: CollectRule, course: Course, work: Submission, seat: Seat | None) -> None:
        """Do it, whatever happens: the record stands, and the next one is waiting."""
        key = (rule.course_dir, work)
        with self._lock:
            self._queued.discard(key)  # what comes from now on is to be looked at again
            self._under_way.add(key)
        try:
            self._try(rule, course, work, seat)
        finally:
            with self._lock:
                self._under_way.discard(key)

    def _now_under_way(self, rule: CollectRule) -> set[Submission]:
        with self._lock:
            return {work for root, work in self._under_way if root == rule.course_dir}

    def _try(self, rule: CollectRule, course: Course, work: Submission, seat: Seat | None) -> None:
        notes = Notes(rule.course_dir)
        what = " ".join(display(part) for part in (work.course, work.assignment, work.student))
        try:
            outcome = self._collect(rule, course, work.assignment, seat or seat_of(course, work.student))
            if outcome.status == "failed":
                raise GitExchangeError(display(outcome.detail))
            self._count(outcome.status)
            _log.info("%s: %s%s", what, outcome.status, f" ({display(outcome.detail)})" if outcome.detail else "")
            left_to_run = outcome.status == "unchanged" and notes.is_collected(work)
            if rule.on_submission and (outcome.status in _NEW or left_to_run):
                notes.put(work, collected=True)
                self._run(rule, work, what)
        except _Stopped:
            return
        except AWAY as error:
            self._tell(work, what, "away", error)
            return
        except GitExchangeError as error:
            self._tell(work, what, _kind(error), error)
        except Exception as error:  # noqa: BLE001 - whatever it is, it concerns this one only
            _log.debug("The reason of the failure", exc_info=error)
            self._tell(work, what, "failed", error)
        with self._lock:
            if (rule.course_dir, work) not in self._queued:
                notes.forget(work)

    def _run(self, rule: CollectRule, work: Submission, what: str) -> None:
        """Run the rule's command. Raise ConfigurationError if it is refused, Incomplete if it failed."""
        command = substituted(rule.on_submission, work)
        allowed = ready(rule, self._hidden)
        # Another process of the collector may handle the same one after a restart.
        with replace.lock(rule.course_dir, FOLDER, work.student, work.assignment, timeout=rule.seconds):
            with allowed.started(command) as start:
                ended = run(start, rule.seconds, self._stopping)
            if self._stopping.is_set() and ended.status != 0:
                raise _Stopped
            log = Notes(rule.course_dir).log(work, command, _how(rule, ended), ended)
        if ended.status != 0 or ended.timed_out:
            raise Incomplete(
                f"{display(command[0])} {_how(rule, ended)}; its output is in {log} of the course directory.",
                hint="The work is collected: run it by hand when the reason is gone.",
            )
        self._count("ran")
        _log.info("%s: %s ended well after %.0f seconds", what, display(command[0]), ended.seconds)

    def _is_new(self, rule: CollectRule, work: Submission, commit: str) -> bool:
        """Return whether the attempt was not handled yet by this process, and remember it for as long as it matters."""
        with self._lock:
            old = _now() - 2 * _LATELY
            for key in [key for key, at in self._seen.items() if at < old]:
                del self._seen[key]
            key = (rule.course_dir, work, commit)
            new = key not in self._seen
            self._seen[key] = _now()
            return new

    def _tell(self, work: Submission, what: str, kind: str, error: Exception) -> None:
        reason = str(error) if isinstance(error, GitExchangeError) else f"{type(error).__name__}: {error}"
        self._count(kind)
        _log.warning("%s: %s. Its record stands.", what, reason.rstrip("."))
        try:
            self._failed(work.course, f"{what}: {reason}")
        except GitExchangeError as problem:
            _log.warning("%s", problem)

    def _count(self, what: str) -> None:
        with self._lock:
            self._counts[what] += 1


def _kind(error: GitExchangeError) -> str:
    if isinstance(error, ConfigurationError):
        return "refused"
    return "run failed" if isinstance(error, Incomplete) else "failed"


def _is_about(rule: CollectRule, work: Submission) -> bool:
    return rule.course == work.course and rule.names(work.assignment)


def _how(rule: CollectRule, ended: Ended) -> str:
    if ended.timed_out:
        return f"was ended after {rule.seconds:.0f} seconds"
    return f"ended with status {ended.status}"


def _now() -> datetime:
    return datetime.now(timezone.utc)
