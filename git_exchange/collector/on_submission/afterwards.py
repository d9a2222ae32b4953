"""After a new attempt was recorded: collect it where a rule says so, and run the rule's command.

Nobody waits for it: recording goes on meanwhile. What is to be done stands in a file in the course directory until it
is done, so that a restart goes on with it. Of each course directory one student's work is handled after the other:
nbgrader has one gradebook there, and what is running cannot meddle with what is being collected.
"""

from __future__ import annotations

import fnmatch
import json
import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path

from git_exchange.collector.config import CollectRule
from git_exchange.collector.on_submission.arguments import Submission, substituted
from git_exchange.collector.on_submission.readiness import ready
from git_exchange.collector.on_submission.run import Ended, run
from git_exchange.course.attempts import Reading
from git_exchange.course.course import Course
from git_exchange.course.seats import Seat, seat_of
from git_exchange.errors import ConfigurationError, GitExchangeError, Incomplete
from git_exchange.files import replace
from git_exchange.files.paths import display
from git_exchange.report import Outcome
from git_exchange.rules import slug, times
from git_exchange.rules.attempt import Attempt

_log = logging.getLogger(__name__)

# As `nbgrader collect` would in the rule's course directory, this one student's work; never what came too late, never
# over what was graded by hand.
CollectHere = Callable[[CollectRule, Course, str, Seat], Outcome]

FOLDER = "on-submission"
_NEW = ("collected", "updated")


class CollectAndRun:
    """One of the worker's ``Afterwards``. ``hidden`` are files that no command may be able to read."""

    def __init__(self, rules: Sequence[CollectRule], hidden: Sequence[Path], collect: CollectHere) -> None:
        self._rules = tuple(rules)
        self._hidden = tuple(hidden)
        self._collect = collect
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._pools = {root: ThreadPoolExecutor(1, "collect") for root in {rule.course_dir for rule in rules}}

    def __call__(self, course: Course, assignment_id: str, reading: Reading, attempt: Attempt) -> None:
        """Note what is to be done about the new attempt, and return. Raise FilesError if it cannot be noted."""
        for rule in self._rules:
            if rule.course == course.course_id and _names(rule, assignment_id):
                work = Submission(course.course_id, assignment_id, reading.seat.student_id)
                replace.write_file(_note(rule, work), [json.dumps(asdict(work)).encode()])
                self._later(rule, course, work, reading.seat)

    def resume(self, open_course: Callable[[str], Course]) -> int:
        """Go on with what an earlier process left, and return how much that is."""
        left = [(rule, work) for rule in self._rules for work in _noted(rule)]
        for rule, work in left:
            self._later(rule, open_course(work.course), work, None)
        return len(left)

    def counts(self) -> dict[str, int]:
        """Return how often which end was met: those of ``operations/collect``, "ran", "refused" and "run failed"."""
        with self._lock:
            return dict(self._counts)

    def close(self, *, wait: bool = False) -> None:
        """Begin nothing more; what is noted is done after the next start. ``wait`` for all that is to be done first."""
        for pool in self._pools.values():
            pool.shutdown(wait=wait, cancel_futures=not wait)

    def _later(self, rule: CollectRule, course: Course, work: Submission, seat: Seat | None) -> None:
        self._pools[rule.course_dir].submit(self._handle, rule, course, work, seat)

    def _handle(self, rule: CollectRule, course: Course, work: Submission, seat: Seat | None) -> None:
        """Do it, whatever happens: the record stands, and the next one is waiting."""
        what = " ".join(display(part) for part in (work.course, work.assignment, work.student))
        try:
            outcome = self._collect(rule, course, work.assignment, seat or seat_of(course, work.student))
            self._count(outcome.status)
            _log.info("%s: %s%s", what, outcome.status, f" ({outcome.detail})" if outcome.detail else "")
            if rule.on_submission and outcome.status in _NEW:
                self._run(rule, work, what)
        except GitExchangeError as error:
            self._count(_kind(error))
            _log.warning("%s: %s", what, error)
        except Exception:  # noqa: BLE001 - whatever it is, it concerns this one only
            self._count("failed")
            _log.exception("%s: collecting it here failed; its record stands", what)
        with suppress(OSError):
            _note(rule, work).unlink(missing_ok=True)

    def _run(self, rule: CollectRule, work: Submission, what: str) -> None:
        """Run the rule's command. Raise ConfigurationError if it is refused, Incomplete if it failed."""
        command = substituted(rule.on_submission, work)
        allowed = ready(rule, self._hidden)
        # Another process of the collector may handle the same one after a restart.
        with replace.lock(rule.course_dir, FOLDER, work.student, work.assignment, timeout=rule.seconds):
            with allowed.started(command) as start:
                ended = run(start, rule.seconds)
            log = _write_log(rule, work, command, ended)
        if ended.status != 0 or ended.timed_out:
            raise Incomplete(
                f"{display(command[0])} {_how(rule, ended)}; its output is in .git-exchange/{FOLDER}/{log.name} of the"
                " course directory.",
                hint="The work is collected: run it by hand when the reason is gone.",
            )
        self._count("ran")
        _log.info("%s: %s ended well after %.0f seconds", what, display(command[0]), ended.seconds)

    def _count(self, what: str) -> None:
        with self._lock:
            self._counts[what] += 1


def _kind(error: GitExchangeError) -> str:
    if isinstance(error, ConfigurationError):
        return "refused"
    return "run failed" if isinstance(error, Incomplete) else "failed"


def _names(rule: CollectRule, assignment_id: str) -> bool:
    return any(fnmatch.fnmatchcase(assignment_id, pattern) for pattern in rule.assignments)


def _how(rule: CollectRule, ended: Ended) -> str:
    if ended.timed_out:
        return f"was ended after {rule.seconds:.0f} seconds"
    return f"ended with status {ended.status}"


def _file_name(work: Submission) -> str:
    return f"{slug.encode(work.assignment)}--{slug.encode(work.student)}"


def _note(rule: CollectRule, work: Submission) -> Path:
    return replace.own_folder(rule.course_dir, FOLDER) / f"{_file_name(work)}.waiting"


def _noted(rule: CollectRule) -> Iterator[Submission]:
    """Yield what is noted for the rule; what is no note of ours is left alone."""
    for file in sorted(replace.work_area(rule.course_dir).glob(f"{FOLDER}/*.waiting")):
        with suppress(OSError, ValueError, TypeError):
            work = Submission(**json.loads(file.read_bytes()))
            if rule.course == work.course and _names(rule, work.assignment):
                yield work


def _write_log(rule: CollectRule, work: Submission, command: Sequence[str], ended: Ended) -> Path:
    """Keep what the last run for this student and assignment wrote, line by line, harmless on a terminal."""
    path = replace.own_folder(rule.course_dir, FOLDER) / f"{_file_name(work)}.log"
    lines = [
        " ".join(display(part) for part in command),
        f"{times.timestamp(datetime.now(timezone.utc))}: {_how(rule, ended)}, {ended.seconds:.1f} seconds",
        *(display(line) for line in ended.output.splitlines()),
        *(["(There was more.)"] if ended.cut else []),
    ]
    replace.write_file(path, ["".join(f"{line}\n" for line in lines).encode()])
    return path
