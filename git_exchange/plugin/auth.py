"""nbgrader's auth plugin: ``nbgrader db student add``, ``remove`` and ``import`` change the course on the forge, too.

nbgrader catches nothing that a plugin raises. So ``add`` says in the log what the forge refused and lets the student
come into the gradebook: `git-exchange roster apply COURSE --from gradebook` does the rest. ``remove`` ends the command
before the gradebook is changed: who is gone there would keep the access unnoticed. Without a course id there is nothing
on the forge to change, and both say so. ``get_student_courses`` raises.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NoReturn

from nbgrader.apps.baseapp import NbGrader
from nbgrader.auth import BaseAuthPlugin

from git_exchange.course import hub
from git_exchange.course.course import Course, connected
from git_exchange.course.enrolments import read_enrolments, record_enrolments
from git_exchange.course.register import Registered, register
from git_exchange.errors import ConfigurationError, GitExchangeError
from git_exchange.files.paths import display
from git_exchange.forge.connect import connect_admin
from git_exchange.forge.ports import ForgeAdmin
from git_exchange.operations import membership
from git_exchange.operations.listing import my_courses
from git_exchange.operations.membership import Membership
from git_exchange.plugin.exchange import Exchange, within
from git_exchange.plugin.listings import OUTAGES, forget_listings, key_of, remembered
from git_exchange.plugin.pages import in_jupyter_server
from git_exchange.rules.enrolment import Enrolment
from git_exchange.settings import Settings


class GitExchangeAuthPlugin(BaseAuthPlugin):
    """Who belongs to which course, by the seats on the forge. The options are those of ``c.GitExchange``."""

    # Our own operations do not ask for permission before they ask the forge: its answer is the permission.
    answers_for_the_forge = True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._opened: dict[str, tuple[Course, ForgeAdmin, Membership]] = {}
        self._outage: GitExchangeError | None = None

    def get_student_courses(self, student_id: str) -> list[str] | None:
        """Return the courses in which the student has a seat; of ``"*"``, the current user, those as staff too.

        None means any course: who may read what is then left to the forge. For the current user it is the answer
        wherever nbgrader's Course List, which also asks, could do nothing with a list. Raise GitExchangeError.
        """
        if student_id in ("", "*"):
            return self._asked("courses", my_courses) if hub.may_list_services() else None
        return self._asked(
            f"courses of {student_id}",
            lambda settings, forge: membership.courses_of(settings, forge, student_id),
        )

    def add_student_to_course(self, student_id: str, course_id: str) -> None:
        """Give the student a seat; what is in the way is said in the log, and the gradebook gets the student anyway."""
        try:
            status = self._add(student_id, course_id)
        except (GitExchangeError, OSError) as error:
            self.log.debug("The reason of the failure", exc_info=True)
            self.log.error(
                "%s comes into the gradebook but has no seat on the forge yet: %s When that is settled, run:"
                ' git-exchange roster apply "%s" --from gradebook',
                display(student_id),
                _told(error),
                display(course_id) if course_id else "COURSE",
            )
        else:
            self.log.info("Seat of %s in %s on the forge: %s", display(student_id), display(course_id), status)

    def remove_student_from_course(self, student_id: str, course_id: str) -> None:
        """Take the student's access away; the project and all work in it stay. Raise GitExchangeError.

        Without a course id there is no course to be removed from: it is said, and the gradebook is changed.
        """
        if not course_id:
            self.log.error("%s was removed from no course on the forge: %s", display(student_id), _no_course())
            return
        try:
            course, forge, known = self._open(course_id)
            gone = membership.remove(forge, known, student_id)
            if (entry := known.registered.get(student_id)) is not None:
                _record(course, entry, active=False)
        except (GitExchangeError, OSError) as error:
            self._refuse(student_id, error)
        forget_listings()
        if gone:
            self.log.info(
                "%s (account %s) can no longer submit to %s; the project on the forge stays",
                display(student_id),
                ", ".join(gone),
                display(course.course_id),
            )
        else:
            self.log.info("%s has no access to %s on the forge", display(student_id), display(course.course_id))

    def _add(self, student_id: str, course_id: str) -> str:
        if self._outage is not None:  # of an import of hundreds only the first one waits
            raise self._outage
        try:
            course, forge, known = self._open(course_id)
            account = membership.find_account(forge, known, student_id)
            status, entry = membership.enrol(forge, known, student_id, account)
            register(course, [entry])
            _record(course, entry, active=True)
        except OUTAGES as error:
            self._outage = error
            raise
        now_known = replace(known, registered={**known.registered, student_id: entry})
        self._opened[course_id] = (course, forge, now_known)
        forget_listings()
        return status

    def _open(self, course_id: str) -> tuple[Course, ForgeAdmin, Membership]:
        """Return the course for changing its people, the same for all of one command."""
        if not course_id:
            raise _no_course()
        if course_id not in self._opened:
            settings = self._settings()
            _, token = connected(settings)
            forge = connect_admin(settings, token)
            course = Course(settings, course_id, forge, token)
            self._opened[course_id] = (course, forge, membership.read_membership(course))
        return self._opened[course_id]

    def _refuse(self, student_id: str, error: GitExchangeError | OSError) -> NoReturn:
        """End the command as nbgrader's own failures do; elsewhere (a script, a server) raise."""
        self.log.debug("The reason of the failure", exc_info=error)
        said = GitExchangeError(
            f"{display(student_id)} was removed neither from the forge nor from the gradebook: {_told(error)}",
            hint="Run it again when that is settled. For the gradebook alone:"
            " --Authenticator.plugin_class=nbgrader.auth.NoAuthPlugin",
        )
        app = getattr(self.parent, "parent", None)
        if isinstance(app, NbGrader):
            app.fail("%s", said)
        raise said from error

    def _asked(self, question: str, ask: Callable[[Settings, ForgeAdmin], list[str]]) -> list[str]:
        """Return the forge's answer, kept for seconds like every listing. Raise GitExchangeError."""
        settings = self._settings()
        seconds = settings.limits.list_deadline if in_jupyter_server() else None

        def answer() -> list[str]:
            _, token = connected(settings)
            return ask(settings, connect_admin(settings, token))

        return remembered(
            key_of(settings, question),
            settings.limits.list_cache,
            lambda: within(seconds, f"Asking {settings.url} for courses", answer),
            lambda age, error: self.log.warning("These courses are as of %d minutes ago: %s", age // 60, error),
        )

    def _settings(self) -> Settings:
        return Exchange(config=self.config).settings()


def _no_course() -> ConfigurationError:
    return ConfigurationError(
        "No course id is set.",
        hint="Set c.CourseDirectory.course_id in nbgrader_config.py, or run this with"
        " --CourseDirectory.course_id=COURSE.",
    )


def _told(error: GitExchangeError | OSError) -> str:
    if isinstance(error, OSError):
        return f"This machine's file system failed: {error.strerror or error}."
    return str(error)


def _record(course: Course, seat: Registered, *, active: bool) -> None:
    """Note for the next roster that the student came or left; where there is no change nothing is written."""
    entry = read_enrolments(course).get(seat.student_id)
    if entry is None:
        entry = Enrolment(seat.student_id, "student", seat.account_id, seat.username)
    record_enrolments(course, [replace(entry, active=active)])
