"""What all operations share: our options, the course, and the one place where our errors become nbgrader's."""

from __future__ import annotations

import difflib
import glob
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from pathlib import Path
from textwrap import dedent
from typing import Any, NoReturn, TypeVar

from jupyter_core.paths import jupyter_data_dir
from nbgrader.exchange.abc import Exchange as ABCExchange
from nbgrader.exchange.abc import ExchangeError
from platformdirs import user_cache_path
from traitlets import Bool, Dict, Enum, Float, Integer, Unicode, default

from git_exchange.course.course import Course
from git_exchange.errors import ForgeUnreachable, GitExchangeError, TooLarge
from git_exchange.events import Event, Progress
from git_exchange.files.selection import SelectionRules
from git_exchange.plugin import pages
from git_exchange.settings import IDENTICAL, KINDS, Limits, Settings

_Result = TypeVar("_Result")


class GitExchange(ABCExchange):
    """The options of git-exchange: ``c.GitExchange.*``. None holds a token; the README says where it comes from."""

    url = Unicode(
        "",
        help="Address of the forge, for example https://gitlab.example.edu. Without it no operation works.",
    ).tag(config=True)

    namespace = Unicode(
        "",
        help="Full path of the group below which the courses lie, for example teaching/2026.",
    ).tag(config=True)

    kind = Enum(
        KINDS,
        default_value="auto",
        help="What the forge is: gitlab, gitea (Forgejo too), or auto to ask the server with every command.",
    ).tag(config=True)

    group_ids = Dict(
        value_trait=Integer(),
        key_trait=Unicode(),
        help=dedent(
            """
            Numbers that the groups of courses must have, {"calculus": 12}: `git-exchange course create` prints them.
            With it nobody who takes the name of a deleted course's group is mistaken for the course.
            """
        ),
    ).tag(config=True)

    ca_bundle = Unicode(
        "",
        help="PEM file with the certificate authority of a forge whose certificate is not publicly trusted.",
    ).tag(config=True)

    cache_dir = Unicode(
        help=dedent(
            """
            Folder for local copies of repositories. It can be deleted at any time; the next operation fetches again.
            Defaults to git-exchange in the user's cache folder.
            """
        ),
    ).tag(config=True)

    identical_resubmission = Enum(
        IDENTICAL,
        default_value="first-time",
        help=dedent(
            """
            Which time counts when exactly the same files are handed in again: "first-time" keeps the time of the first
            of them, so that nobody becomes late by pressing Submit twice; "own-time" is nbgrader's own behaviour.
            """
        ),
    ).tag(config=True)

    grace_seconds = Float(
        300.0,
        min=0.0,
        help=dedent(
            """
            How late the forge may record a push, in seconds. Whether a push that was recorded less than this after the
            due date was late is undecided: it counts as on time and is listed for the staff.
            """
        ),
    ).tag(config=True)

    settle_seconds = Float(
        600.0,
        min=0.0,
        help="After how many seconds a submission's time is settled if the forge recorded no push event of its own.",
    ).tag(config=True)

    http_timeout = Float(
        Limits.http_timeout, min=1.0, help="How long one request to the forge's API may take, in seconds."
    ).tag(config=True)

    git_timeout = Float(
        Limits.git_timeout,
        min=1.0,
        help="How long one transfer by git may take, in seconds. Raise it where large submissions meet a slow network.",
    ).tag(config=True)

    list_seconds = Float(
        Limits.list_cache,
        min=0.0,
        help=dedent(
            """
            For how many seconds a list is shown again before the forge is asked anew: formgrader wants it with every
            request. One's own releases and submissions show at once, those of others after this time.
            """
        ),
    ).tag(config=True)

    list_deadline = Float(
        Limits.list_deadline,
        min=1.0,
        help=dedent(
            """
            How long nbgrader's pages wait for a list from the forge, in seconds. While they wait, nothing else in the
            Jupyter server goes on; after it they show the last good list, or say that the forge does not answer.
            """
        ),
    ).tag(config=True)

    bulk_deadline = Float(
        Limits.bulk_deadline,
        min=1.0,
        help=dedent(
            """
            For how long collecting and releasing feedback from formgrader begin on another student, in seconds. Then
            they stop, say how far they came, and go on when the button is pressed again. What is under way is waited
            for, as long again at most. The command line has no such limit.
            """
        ),
    ).tag(config=True)

    pool = Integer(Limits.pool, min=1, max=64, help="How many students' projects are worked on at the same time.").tag(
        config=True
    )

    root = Unicode(
        help="nbgrader shows this as the exchange directory in messages. Defaults to the forge's URL and the namespace."
    ).tag(config=True)

    cache = Unicode(
        help=dedent(
            """
            Folder for copies of one's own submissions, as nbgrader keeps them, and for notes about those that were
            removed from one's own list. The forge does not need them. Defaults to nbgrader_cache in Jupyter's data
            folder.
            """
        )
    ).tag(config=True)

    path_includes_course = Bool(
        False,
        help=dedent(
            """
            Whether the path for fetching and submitting assignments is prefixed with the course id: ./course123/ps1
            instead of ./ps1. Students of several courses need it.
            """
        ),
    ).tag(config=True)

    @default("cache_dir")
    def _cache_dir_default(self) -> str:
        return str(user_cache_path("git-exchange"))

    @default("cache")
    def _cache_default(self) -> str:
        return str(Path(jupyter_data_dir()) / "nbgrader_cache")

    @default("root")
    def _root_default(self) -> str:
        return f"{self.url.rstrip('/')}/{self.namespace.strip('/')}" if self.url else ""

    def __init__(self, coursedir: Any = None, authenticator: Any = None, **kwargs: Any) -> None:
        # nbgrader's API misspells the keyword in two places; unabsorbed it would become a traitlets error.
        misspelt = kwargs.pop("authentictor", None)
        super().__init__(coursedir=coursedir, authenticator=authenticator or misspelt, **kwargs)


class Exchange(GitExchange):
    """The base of the seven operations. Named as nbgrader's own, so that ``c.Exchange.*`` reaches it."""

    # Operations for one person end within this inside a Jupyter server; bulk work and lists watch the time themselves.
    deadline: float | None = None

    # Whether nbgrader's assignment list shows nothing when this fails.
    swallowed = False

    def settings(self) -> Settings:
        """Return the options as a value. Raise ConfigurationError."""
        # What is under way when bulk work has to stop is waited for.
        at_most = self.bulk_deadline if pages.in_jupyter_server() else self.git_timeout
        return Settings(
            url=self.url,
            namespace=self.namespace,
            kind=self.kind,
            cache_dir=Path(self.cache_dir).expanduser(),
            ca_bundle=Path(self.ca_bundle).expanduser() if self.ca_bundle else None,
            identical_resubmission=self.identical_resubmission,
            group_ids=dict(self.group_ids),
            grace_seconds=self.grace_seconds,
            settle_seconds=self.settle_seconds,
            limits=Limits(
                http_timeout=self.http_timeout,
                git_timeout=min(self.git_timeout, at_most),
                list_deadline=self.list_deadline,
                bulk_deadline=self.bulk_deadline,
                pool=self.pool,
                list_cache=self.list_seconds,
            ),
        )

    def open_course(self) -> Course:
        """Return the course of this operation, connected. Raise NoToken, TokenRefused, ForgeUnreachable."""
        return Course.open(self.settings(), self.coursedir.course_id)

    def start(self) -> Any:
        """Run the operation. Raise nbgrader's error without what led to it: its pages show the whole traceback."""
        try:
            return self._run(super().start)
        except ExchangeError as error:
            if self.swallowed:
                pages.keep_swallowed(self, error)
            raise ExchangeError(pages.readable(self, error)) from None

    def _run(self, run: Callable[[], Any]) -> Any:
        """Run the operation; every failure of ours becomes nbgrader's ExchangeError here and nowhere else."""
        seconds = self.deadline if pages.in_jupyter_server() else None
        try:
            return within(seconds, f"{type(self).__name__} of {self.coursedir.assignment_id}", run)
        except TooLarge as error:
            # nbgrader's own exchange raises RuntimeError for max_dir_size, and its tests expect it.
            self.log.error("Directory size is too big")
            raise RuntimeError(pages.readable(self, error)) from None
        except GitExchangeError as error:
            self.fail_with(error)
        except OSError as error:
            self.log_reason(error)
            self.fail_with(GitExchangeError(f"This machine's file system failed: {error.strerror or error}."))

    def fail_with(self, error: GitExchangeError) -> NoReturn:
        """Say what failed in the log and raise nbgrader's error."""
        self.log_reason(error)
        message = str(error)
        self.log.critical(message)
        raise ExchangeError(message) from error

    def log_reason(self, error: Exception) -> None:
        """Log how the failure came about: not where formgrader's dialogs would show it before the sentence."""
        log = logging.getLogger("git_exchange") if pages.in_jupyter_server() else self.log
        log.debug("The reason of the failure", exc_info=error)

    def check_course(self) -> None:
        """Fail as nbgrader does if no course is named; "*" means all courses and is for lists."""
        if self.coursedir.course_id in ("", "*"):
            self.fail("No course id specified. Re-run with --course flag.")

    def asks_forge(self) -> bool:
        """Return whether git-exchange's own auth plugin is in use, which knows what the forge itself will say."""
        plugin = getattr(self.authenticator, "plugin", None)
        return bool(getattr(plugin, "answers_for_the_forge", False))

    def check_access(self) -> None:
        """Fail if another auth plugin says that the student is not of this course."""
        if self.authenticator is None or self.asks_forge():
            return
        if not self.authenticator.has_access(self.coursedir.student_id, self.coursedir.course_id):
            self.fail("You do not have access to this course.")

    def named_student(self) -> str | None:
        """Return the student that was named, None if none was. Fail for patterns, as nbgrader does."""
        student_id: str = self.coursedir.student_id
        if student_id in ("", "*"):
            return None
        if "*" in student_id or "+" in student_id:
            self.fail(f"The student ID should contain no '*' nor '+'; got {student_id}")
        return student_id

    def selection_rules(self) -> SelectionRules:
        """Return which files travel, from nbgrader's ``CourseDirectory`` options."""
        return SelectionRules(
            ignore=tuple(self.coursedir.ignore),
            include=tuple(self.coursedir.include),
            max_file_size=int(1000 * self.coursedir.max_file_size),
            max_total_size=int(1000 * self.coursedir.max_dir_size),
        )

    def assignment_path(self, assignment_id: str, course_id: str | None = None) -> Path:
        """Return where the student's copy of the assignment belongs: absolute, as seen from here and now."""
        course = course_id if course_id is not None else self.coursedir.course_id
        parts = [course, assignment_id] if self.path_includes_course else [assignment_id]
        return Path(self.assignment_dir).joinpath(*parts).absolute()

    def listen(self, event: Event | Progress) -> None:
        """Pass an operation's events to nbgrader's log, which formgrader shows."""
        if isinstance(event, Event):
            getattr(self.log, event.level)(event.message)

    def assignment_not_found(self, path: Path, others: str) -> NoReturn:
        """Fail as nbgrader does, with the most similar name that exists."""
        message = f"Assignment not found at: {path}"
        self.log.critical(message)
        found = glob.glob(others)
        if found:
            self.log.error(
                "Did you mean: %s", max(found, key=lambda name: difflib.SequenceMatcher(None, str(path), name).ratio())
            )
        raise ExchangeError(message)

    def bulk_until(self) -> float | None:
        """Return when bulk work inside a Jupyter server has to stop (monotonic), None on a command line."""
        return time.monotonic() + self.bulk_deadline if pages.in_jupyter_server() else None


def within(seconds: float | None, what: str, action: Callable[[], _Result]) -> _Result:
    """Return ``action()``, or raise ForgeUnreachable when it takes longer than ``seconds`` (None: wait for it)."""
    if seconds is None:
        return action()
    pool = ThreadPoolExecutor(1, "git-exchange-deadline")
    try:
        return pool.submit(action).result(timeout=seconds)
    except FutureTimeout as error:
        raise ForgeUnreachable(f"{what} took longer than {seconds:.0f} seconds.") from error
    finally:
        pool.shutdown(wait=False)
