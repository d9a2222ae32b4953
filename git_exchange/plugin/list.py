"""``nbgrader list``, and what formgrader and the assignment list show: released, submitted, returned.

The shape of the dictionaries is nbgrader's contract with its pages; they are made here and nowhere else.
"""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Callable, Iterable
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar

from nbgrader.exchange.abc import ExchangeError
from nbgrader.exchange.abc import ExchangeList as ABCExchangeList

from git_exchange.course.course import Course, connected
from git_exchange.course.own import OwnAttempt
from git_exchange.course.releases import Release
from git_exchange.course.seats import seats
from git_exchange.errors import CourseError, GitExchangeError, NotFound, NotStaff
from git_exchange.files import replace
from git_exchange.files.blob import blob_id
from git_exchange.operations import listing
from git_exchange.operations.release import withdraw
from git_exchange.plugin import pages, submission_cache
from git_exchange.plugin.exchange import Exchange, within
from git_exchange.plugin.listings import forget_listings, key_of, of_course, remembered
from git_exchange.plugin.newer import newer_version
from git_exchange.plugin.submission_cache import Kept
from git_exchange.rules import times
from git_exchange.rules.update import original

_Answer = TypeVar("_Answer")
Info = dict[str, Any]
HIDDEN = "git-exchange-removed.json"


class ExchangeList(ABCExchangeList, Exchange):
    """List what is released (for fetching) or submitted; with ``remove``, take it out of the list."""

    def start(self) -> Any:
        """List or remove. Failures become what the page that asked for the list shows."""
        before = pages.swallowed(self)
        if before is not None:
            raise before
        try:
            return self._start()
        except ExchangeError as error:
            raise pages.not_listed(self, error) from None

    def _start(self) -> Any:
        """List or remove, and turn failures into nbgrader's error: anything else breaks every formgrader page."""
        try:
            return super().start()
        except ExchangeError:
            raise
        except GitExchangeError as error:  # out of list_files and remove_files, which run after Exchange.start
            self.fail_with(error)
        except Exception as error:  # noqa: BLE001 - an auth plugin's, say: no page of formgrader would open with it
            self.log_reason(error)
            self.fail_with(
                GitExchangeError(
                    f"Listing failed: {type(error).__name__}: {error}.", hint="The log has more at level DEBUG."
                )
            )

    def init_src(self) -> None:
        """Do nothing: the forge is asked once, when listing."""

    def init_dest(self) -> None:
        """Do nothing: listing writes nothing."""

    def copy_files(self) -> None:
        """Do nothing: listing copies nothing."""

    def list_files(self) -> list[Info]:
        """Return the list in nbgrader's shape, and log it as nbgrader's command line prints it."""
        if self.inbound or self.cached:
            submissions = self._submitted()
            self.log.info("Submitted assignments:")
            self._log_submissions(submissions)
            return submissions
        found = self._released()
        assignments = [self._outbound_info(release) for release in found]
        self.log.info("Released assignments:")
        for info in assignments:
            self.log.info(self._outbound_line(info))
        if not pages.in_jupyter_server():  # its pages do not show the log, and wait for every look
            self._tell_newer(found)
            self._tell_archived()
        return assignments

    def remove_files(self) -> list[Info]:
        """Take what is listed out of the list and return it: nothing that students handed in is deleted on the forge.

        Released assignments are withdrawn; of submissions the staff's record (``inbound``) or a note on this machine
        (``cached``) says that they are not to be listed any more.
        """
        if self.inbound or self.cached:
            # Read once: what arrives from now on has been shown to nobody and stays.
            attempts = self._inbound() if self.inbound else []
            infos = [self._inbound_info(attempt) for attempt in attempts]
            submissions = self._grouped(infos) if self.inbound else self._submitted()
            self.log.info("Removing submitted assignments:")
            self._log_submissions(submissions)
            self._remove_inbound(attempts) if self.inbound else self._hide(submissions)
            forget_listings()
            return submissions
        found = self._released()
        assignments = [self._outbound_info(release) for release in found]
        self.log.info("Removing released assignments:")
        for info in assignments:
            self.log.info(self._outbound_line(info))
        for release in found:
            withdraw(self._course(release.course_id), release.assignment_id)
        forget_listings()
        return assignments

    # What the forge says ------------------------------------------------------------------------------------------

    def _released(self) -> list[Release]:
        found = self._of_courses(lambda course_id: self._ask("released", course_id, listing.released))
        return [release for release in found if self._wants(self.coursedir.assignment_id, release.assignment_id)]

    def _own(self) -> list[OwnAttempt]:
        student_id = self.named_student()
        question = f"submitted {student_id or ''}"
        found = self._of_courses(
            lambda course_id: self._ask(question, course_id, lambda opened: listing.submitted(opened, student_id))
        )
        hidden = self._hidden()
        return [
            attempt
            for attempt in found
            if self._wants(self.coursedir.assignment_id, attempt.assignment_id) and attempt.commit not in hidden
        ]

    def _inbound(self) -> list[listing.Inbound]:
        student_id = self.coursedir.student_id or "*"

        def ask(course_id: str) -> list[listing.Inbound]:
            course = self._course(course_id)
            assignment_ids = [
                release.assignment_id
                for release in listing.every_release(course)
                if self._wants(self.coursedir.assignment_id, release.assignment_id)
            ]
            chosen = [seat.student_id for seat in seats(course) if fnmatch.fnmatchcase(seat.student_id, student_id)]
            return listing.inbound(course, assignment_ids, chosen, listener=self.listen)

        return self._of_courses(ask)

    def _of_courses(self, ask: Callable[[str], list[_Answer]]) -> list[_Answer]:
        """Return the answers of all courses together; of several, one that refuses does not hide the others."""
        found: list[_Answer] = []
        for course_id in self._courses():
            try:
                found += ask(course_id)
            except (CourseError, NotFound) as error:
                if not self._everywhere():
                    raise
                self.log.warning("Left out the course %s: %s", course_id, error)
        return found

    def _everywhere(self) -> bool:
        return self.coursedir.course_id in ("", "*")

    def _ask(self, question: str, course_id: str, ask: Callable[[Course], list[_Answer]]) -> list[_Answer]:
        settings = self.settings()

        def answer() -> list[_Answer]:
            key = key_of(settings, "course", course_id)
            return of_course(key, settings.limits.list_cache, lambda: self._course(course_id), ask)

        return self._remembered((question, course_id), answer)

    def _remembered(self, question: tuple[str, ...], ask: Callable[[], _Answer]) -> _Answer:
        settings = self.settings()
        seconds = settings.limits.list_deadline if pages.in_jupyter_server() else None
        return remembered(
            key_of(settings, *question),
            settings.limits.list_cache,
            lambda: within(seconds, f"Listing from {settings.url}", ask),
            self._stale,
        )

    def _stale(self, age: float, error: GitExchangeError) -> None:
        self.log.warning("This list is %d minutes old: %s", age // 60, error)

    def _courses(self) -> list[str]:
        """Return the course that is set, or all that this account sees, minus what another auth plugin forbids."""
        everywhere = self._everywhere()
        courses = self._remembered(("courses",), self._my_courses) if everywhere else [self.coursedir.course_id]
        if self.authenticator is not None and not self.asks_forge() and self.coursedir.student_id:
            allowed = self.authenticator.get_student_courses(self.coursedir.student_id)
            if allowed is not None:
                courses = [course for course in courses if course in allowed]
        return courses

    def _my_courses(self) -> list[str]:
        settings = self.settings()
        forge, _ = connected(settings)
        return listing.my_courses(settings, forge)

    def _course(self, course_id: str) -> Course:
        return Course.open(self.settings(), course_id)

    @staticmethod
    def _wants(pattern: str, assignment_id: str) -> bool:
        return pattern in ("", "*") or fnmatch.fnmatchcase(assignment_id, pattern)

    # nbgrader's shape ---------------------------------------------------------------------------------------------

    def _outbound_info(self, release: Release) -> Info:
        folder = self.assignment_path(release.assignment_id, release.course_id)
        fetched = folder.exists()
        if fetched:
            names = (path for path in sorted(folder.glob("*.ipynb")) if original(path.name) is None)
            notebooks = [(path.stem, str(path)) for path in names]
        else:
            notebooks = [(Path(name).stem, name) for name in release.notebooks if "/" not in name]
        if not notebooks:
            self.log.warning("No notebooks found in %s", folder if fetched else release.assignment_id)
        status = "fetched" if fetched else "released"
        return {
            "course_id": release.course_id,
            "assignment_id": release.assignment_id,
            "status": "removed" if self.remove else status,
            "path": str(folder) if fetched else f"{self.root}/{release.course_id}/{release.assignment_id}",
            "notebooks": [{"notebook_id": name, "path": path} for name, path in notebooks],
        }

    def _tell_newer(self, found: list[Release]) -> None:
        fetched = [one for one in found if self.assignment_path(one.assignment_id, one.course_id).is_dir()]
        for course_id, releases in groupby(fetched, key=lambda release: release.course_id):
            course = self._course(course_id)
            for release in releases:
                if newer := newer_version(self, course, release):
                    self.log.info(newer)

    def _tell_archived(self) -> None:
        for course_id in self._courses():
            try:
                archived = self._ask("archived", course_id, lambda course: [course.assignments().archived])
            except (CourseError, NotFound):
                continue  # the list has said that it is left out
            if archived == [True]:
                self.log.warning("The course %s is archived: nothing can be handed in any more.", course_id)

    def _outbound_line(self, info: Info) -> str:
        already = " (already downloaded)" if Path(info["assignment_id"]).exists() else ""
        return f"{info['course_id']} {info['assignment_id']}{already}"

    def _submitted(self) -> list[Info]:
        if self.inbound:
            return self._grouped([self._inbound_info(attempt) for attempt in self._inbound()])
        return self._grouped(self._cached_infos())

    @staticmethod
    def _grouped(infos: list[Info]) -> list[Info]:
        def person(info: Info) -> tuple[str, str, str]:
            return info["course_id"], info["student_id"], info["assignment_id"]

        infos.sort(key=lambda info: (person(info), info["timestamp"]))
        grouped: list[Info] = []
        for (course_id, student_id, assignment_id), group in groupby(infos, key=person):
            submissions = list(group)
            grouped.append(
                {
                    "course_id": course_id,
                    "student_id": student_id,
                    "assignment_id": assignment_id,
                    "status": submissions[0]["status"],
                    "submissions": submissions,
                }
            )
        return grouped

    def _inbound_info(self, attempt: listing.Inbound) -> Info:
        info = self._submission(attempt, f"{attempt.ref}@{attempt.commit}")
        info["random_string"] = attempt.commit[:12]
        returned = {page.notebook_id: page.oid for page in attempt.feedback}
        return self._with_feedback(info, attempt.assignment_id, returned, attempt.notebooks)

    def _own_info(self, attempt: OwnAttempt) -> Info:
        info = self._submission(attempt, f"{attempt.assignment_id}@{attempt.commit}")
        returned = {page.notebook_id: page.oid for page in attempt.feedback}
        return self._with_feedback(info, attempt.assignment_id, returned, attempt.notebooks)

    def _cached_infos(self) -> list[Info]:
        """Return one's own attempts, and what another exchange left in nbgrader's cache."""
        mine = self._own()
        infos = [self._own_info(attempt) for attempt in mine]
        known = {(one["course_id"], one["student_id"], one["assignment_id"], one["timestamp"]) for one in infos}
        for entry in self._kept():
            person = (entry.course_id, entry.student_id, entry.assignment_id, entry.timestamp)
            if entry.attempt is None and person not in known:
                infos.append(self._kept_info(entry))
        return infos

    def _kept_info(self, entry: Kept) -> Info:
        info: Info = {
            "course_id": entry.course_id,
            "student_id": entry.student_id,
            "assignment_id": entry.assignment_id,
            "timestamp": entry.timestamp,
            "status": "removed" if self.remove else "submitted",
            "path": str(entry.folder),
        }
        return self._with_feedback(info, entry.assignment_id, {}, entry.notebooks)

    def _submission(self, attempt: OwnAttempt | listing.Inbound, path: str) -> Info:
        return {
            "course_id": attempt.course_id,
            "student_id": attempt.student_id,
            "assignment_id": attempt.assignment_id,
            "timestamp": times.timestamp(attempt.time),
            "status": "removed" if self.remove else "submitted",
            "path": path,
        }

    def _with_feedback(self, info: Info, assignment_id: str, returned: dict[str, str], names: Iterable[str]) -> Info:
        if self.remove:
            info["notebooks"] = [{"notebook_id": Path(name).stem, "path": name} for name in names]
            return info
        folder = self.assignment_path(assignment_id, info["course_id"]) / "feedback" / info["timestamp"]
        notebooks = []
        for name in names:
            page = folder / f"{Path(name).stem}.html"
            here, there = page.is_file(), returned.get(Path(name).stem)
            notebooks.append(
                {
                    "notebook_id": Path(name).stem,
                    "path": name,
                    "has_local_feedback": here,
                    "has_exchange_feedback": there is not None,
                    "local_feedback_path": str(page) if here else None,
                    "feedback_updated": here and there is not None and blob_id(page, len(there)) != there,
                }
            )
        local = bool(notebooks) and all(notebook["has_local_feedback"] for notebook in notebooks)
        info |= {
            "notebooks": notebooks,
            "has_local_feedback": local,
            "has_exchange_feedback": bool(notebooks) and all(n["has_exchange_feedback"] for n in notebooks),
            "feedback_updated": any(notebook["feedback_updated"] for notebook in notebooks),
            "local_feedback_path": str(folder) if local else None,
        }
        return info

    def _log_submissions(self, submissions: list[Info]) -> None:
        for info in (one for assignment in submissions for one in assignment["submissions"]):
            line = f"{info['course_id']} {info['student_id']} {info['assignment_id']} {info['timestamp']}"
            if info["status"] == "submitted":
                if info["has_local_feedback"] and not info["feedback_updated"]:
                    line += " (feedback already fetched)"
                elif info["has_exchange_feedback"]:
                    line += " (feedback ready to be fetched)"
                else:
                    line += " (no feedback available)"
            self.log.info(line)

    # Taking submissions out of the list ---------------------------------------------------------------------------

    def _remove_inbound(self, found: list[listing.Inbound]) -> None:
        by_course: dict[str, list[listing.Inbound]] = {}
        for attempt in found:
            by_course.setdefault(attempt.course_id, []).append(attempt)
        for course_id, attempts in by_course.items():
            try:
                listing.remove(self._course(course_id), attempts)
            except NotStaff as error:
                self.fail_with(error)

    def _hide(self, submissions: list[Info]) -> None:
        commits = {one["path"].rpartition("@")[2] for info in submissions for one in info["submissions"]}
        file = Path(self.cache) / HIDDEN
        file.parent.mkdir(parents=True, exist_ok=True)
        replace.write_file(file, [json.dumps(sorted(self._hidden() | commits)).encode()])
        for entry in self._kept():
            submission_cache.drop(entry)

    def _kept(self) -> list[Kept]:
        student_id, assignment_id = self.named_student(), self.coursedir.assignment_id
        return [
            entry
            for course_id in self._courses()
            for entry in submission_cache.kept(Path(self.cache), course_id, student_id, assignment_id)
        ]

    def _hidden(self) -> set[str]:
        try:
            said = json.loads((Path(self.cache) / HIDDEN).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return set()
        return {str(commit) for commit in said} if isinstance(said, list) else set()
