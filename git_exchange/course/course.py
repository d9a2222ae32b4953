"""One course on the forge, as one account sees it: where things are, who we are, and the tools to reach them.

Constructing it does nothing; what was read once is kept for the life of the object, which is one operation.
"""

from __future__ import annotations

import shlex
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from typing import TypeVar

from git_exchange.course.credentials import first_accepted
from git_exchange.errors import (
    CacheCorrupt,
    CourseArchived,
    CourseNotFound,
    NotAMember,
    NotAStudent,
    NotFound,
    NotStaff,
)
from git_exchange.forge.connect import connect
from git_exchange.forge.ports import Account, Forge, Group, Project, Role
from git_exchange.rules import layout
from git_exchange.secret import Token
from git_exchange.settings import Settings
from git_exchange.transport.cache import Cache, Repository, cache_root
from git_exchange.transport.command import Git

_Read = TypeVar("_Read")
_Item = TypeVar("_Item")


def connected(settings: Settings) -> tuple[Forge, Token]:
    """Return the forge with the first token that it accepts. Raise NoToken, TokenRefused, ForgeUnreachable."""
    (forge, _), token = _signed_in(settings)
    return forge, token


def _signed_in(settings: Settings) -> tuple[tuple[Forge, Account], Token]:
    def accepted(token: Token) -> tuple[Forge, Account]:
        forge = connect(settings, token)
        return forge, forge.account()

    return first_accepted(settings, accepted)


def git_for(settings: Settings, token: Token) -> Git:
    """Return git set up for this forge: the token goes to this origin only."""
    return Git(
        authorization={settings.url: token.basic_authorization()},
        ca_bundle=settings.ca_bundle,
        timeout=settings.limits.git_timeout,
        stall=settings.limits.git_stall,
    )


def same_person(author: str, other: str) -> bool:
    """Return whether both "name <address>", as ``Course.identity`` makes them, are one account, however called."""
    (number, host), (others, elsewhere) = _numbered(author), _numbered(other)
    return (number, host) == (others, elsewhere) and bool(number and host)


def _numbered(author: str) -> tuple[str, str]:
    person, _, host = author.rpartition("<")[2].rstrip(">").partition("@")
    return person.partition("-")[0] if "-" in person else "", host


class Course:
    """A course: its layout, the forge, the cache and the clock."""

    def __init__(self, settings: Settings, course_id: str, forge: Forge, token: Token) -> None:
        self.settings = settings
        self.course_id = course_id
        self.forge = forge
        self.git = git_for(settings, token)
        self._token = token
        self._read: dict[str, object] = {}
        self._lock = threading.RLock()

    @classmethod
    def open(cls, settings: Settings, course_id: str) -> Course:
        """Return the course with the first token that the forge accepts; whether it exists shows with the first use."""
        (forge, account), token = _signed_in(settings)
        course = cls(settings, course_id, forge, token)
        course._read["account"] = account
        return course

    def another(self, course_id: str) -> Course:
        """Return another course on the same forge for the same account."""
        other = Course(self.settings, course_id, self.forge, self._token)
        other.git = self.git  # which knows whether the server has refused the token
        return other

    def now(self) -> datetime:
        """Return this machine's time, aware, UTC: for names and durations, never as evidence."""
        return datetime.now(timezone.utc)

    def account(self) -> Account:
        """Return who we are."""
        return self._once("account", self.forge.account)

    def group(self) -> Group:
        """Return the course's group. Raise CourseNotFound."""
        path = layout.group_path(self.settings.namespace, self.course_id)

        def find() -> Group:
            try:
                group = self.forge.find_group(path)
                pinned = self.settings.group_ids.get(self.course_id, group.id)
                if group.id != pinned:
                    raise CourseNotFound(
                        f"The group {path!r} on {self.settings.url} is number {group.id}, but the course"
                        f" {self.course_id} was number {pinned}: somebody made another one of that name.",
                        hint="Do not use it. Tell the course's staff; if it is right, correct c.GitExchange.group_ids.",
                    )
                return group
            except NotFound as error:
                raise CourseNotFound(
                    f"Course not found: {self.course_id} (there is no group {path!r} on {self.settings.url} that"
                    f" {self.account().username} can see).",
                    hint="Check the course id and the namespace, or ask the course's staff to add you.",
                ) from error

        return self._once("group", find)

    def assignments(self) -> Project:
        """Return the project that holds the releases. Raise CourseNotFound, NotAMember."""
        return self._once("assignments", lambda: self._project(layout.ASSIGNMENTS))

    def staff(self) -> Project:
        """Return the staff's project. Raise NotStaff for everybody else."""
        return self._once("staff", self._find_staff)

    def check_open(self) -> None:
        """Raise CourseArchived if the staff have archived the course. Raise CourseNotFound, NotAMember."""
        if self.assignments().archived:
            raise self.archived()

    def archived(self) -> CourseArchived:
        """Return the error for who wants to change something in an archived course."""
        return CourseArchived(
            f"The course {self.course_id} is archived: nothing can be handed in or changed any more.",
            hint="What is there can still be read. If that is a mistake, its staff can undo it:"
            f" git-exchange course archive {shlex.quote(self.course_id)} --undo",
        )

    def is_staff(self) -> bool:
        """Return whether this account belongs to the course's staff."""
        try:
            self.staff()
        except NotStaff:
            return False
        return True

    def check_member(self) -> None:
        """Raise NotAStudent for who neither has a seat nor is staff, though able to read what is released."""
        if not self.is_staff():
            self.my_seat_project()

    def projects(self) -> list[Project]:
        """Return every project of the course that this account sees."""
        return self._once("projects", lambda: self.forge.projects(self.group()))

    def my_seat_project(self) -> Project:
        """Return the project of this account's own seat. Raise NotAStudent, NotAMember."""
        return self._once("seat", self._find_my_seat)

    def seat_project(self, student_id: str) -> Project:
        """Return the project of a student's seat. Raise NotAMember."""
        name = layout.seat_name(student_id)
        try:
            return self._once(f"seat {name}", lambda: self.forge.find_project(f"{self.group().full_path}/{name}"))
        except NotFound as error:
            raise NotAMember(
                f"{student_id!r} has no project in the course {self.course_id}, or {self.account().username} may not"
                " see it.",
                hint="If the student belongs to the course, add the student to the roster and apply it.",
            ) from error

    def cache(self) -> Cache:
        """Return the local cache of this course for this account."""
        return self._once(
            "cache",
            lambda: Cache(
                cache_root(self.settings.cache_dir, self.settings.origin, self.account().id, self.group().id), self.git
            ),
        )

    def in_repository(self, find: Callable[[Cache], Repository], action: Callable[[Repository], _Read]) -> _Read:
        """Run ``action`` on a cached repository under its lock; rebuild a damaged one and repeat the action once."""
        cache = self.cache()
        for last in (False, True):
            repository = find(cache)
            try:
                with repository.locked(self.settings.limits.git_timeout):
                    return action(repository)
            except CacheCorrupt:
                if last:
                    raise
                cache.rebuild(repository)
        raise AssertionError("unreachable")

    def in_parallel(self, action: Callable[[_Item], _Read], items: list[_Item]) -> list[_Read]:
        """Return ``action`` of every item, in their order, by the bounded pool."""
        if len(items) <= 1:
            return [action(item) for item in items]
        with ThreadPoolExecutor(min(self.settings.limits.pool, len(items)), "git-exchange") as pool:
            return list(pool.map(action, items))

    def identity(self) -> tuple[str, str]:
        """Return name and e-mail address for commits: the forge's private address, which it links to the account."""
        account = self.account()
        host = self.settings.origin.split("://", 1)[1].rsplit(":", 1)[0]
        return account.name or account.username, f"{account.id}-{account.username}@users.noreply.{host}"

    def is_mine(self, author: str) -> bool:
        """Return whether "name <address>", as git shows it, is this account, whatever it was called at the time."""
        return same_person(author, f"<{self.identity()[1]}>")

    def _project(self, name: str) -> Project:
        path = f"{self.group().full_path}/{name}"
        try:
            return self.forge.find_project(path)
        except NotFound as error:
            raise NotAMember(
                f"{self.account().username} cannot read the project {name!r} of the course {self.course_id}.",
                hint="Ask the course's staff whether you are on the roster; a course that was never opened has no such"
                " project (git-exchange course create).",
            ) from error

    def _find_staff(self) -> Project:
        group = self.group()
        try:
            return self.forge.find_project(f"{group.full_path}/{layout.STAFF}")
        except NotFound as error:
            raise NotStaff(
                f"{self.account().username} is not on the staff of the course {self.course_id}.",
                hint="Only instructors and graders may do this. If you are one, check whose token is in use"
                " (git-exchange doctor).",
            ) from error

    def _find_my_seat(self) -> Project:
        path = self.group().full_path
        mine = [
            project
            for project in self.forge.my_projects("student-")
            if project.group_path == path and layout.student_in(project.path, project.description) is not None
        ]
        # Staff can push to every student's project; a seat of one's own is one in which one is a student.
        if len(mine) == 1 and self.forge.role_in(mine[0], self.account()) is Role.STUDENT:
            return mine[0]
        if not mine:
            raise NotAStudent(
                f"You do not have access to this course. ({self.account().username} has no seat in {self.course_id}.)",
                hint="Ask the course's staff to add you to the roster.",
            )
        raise NotAStudent(
            f"{self.account().username} is on the staff of {self.course_id} and has no seat in it.",
            hint="To do this for a student, name the student: --student=ID.",
        )

    def _once(self, key: str, read: Callable[[], _Read]) -> _Read:
        with self._lock:
            if key not in self._read:
                self._read[key] = read()
            return self._read[key]  # type: ignore[return-value]  # each key has one reader
