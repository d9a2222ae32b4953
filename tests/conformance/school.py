"""One forge for nbgrader's tests, and one person on it who may do all that they do in one folder as one user.

nbgrader's tests are instructor and student at once. Here that is an account that is an instructor in every project of
a course and the student of one seat, whose rules let it push feedback too. Real courses have no such account.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from git_exchange.course.course import Course
from git_exchange.course.protection import SEAT_RULES
from git_exchange.course.register import Registered, register
from git_exchange.forge.connect import connect, connect_accounts, connect_admin
from git_exchange.forge.ports import Account, BranchRule, Role, Visibility
from git_exchange.provisioning.open_course import open_course
from git_exchange.rules import layout
from git_exchange.secret import Token
from git_exchange.settings import Settings

# The last three say what nbgrader's own exchange does where ours, by default, decides for the student.
CONFIGURATION = """\
from git_exchange.plugin import configure

c = get_config()
configure(c, {url!r}, namespace={namespace!r}, kind="gitlab")
c.GitExchange.cache_dir = {cache!r}
c.GitExchange.identical_resubmission = "own-time"
c.GitExchange.grace_seconds = 0.0
c.ExchangeSubmit.leave_out_notebooks = True
"""


@dataclass(frozen=True)
class Person:
    """The account that nbgrader's tests act as, and its token."""

    account: Account
    token: Token


@dataclass(frozen=True)
class School:
    """A running forge with a site administrator's token, and the person."""

    url: str
    admin: Token
    person: Person
    student_id: str
    token_file: Path

    def namespace(self, cache: Path) -> Namespace:
        """Return a namespace of its own, in which there is nothing yet."""
        name = f"nbgrader-{uuid.uuid4().hex[:10]}"
        return Namespace(
            self,
            Settings(
                url=self.url,
                namespace=name,
                kind="gitlab",
                cache_dir=cache,
                identical_resubmission="own-time",
                grace_seconds=0.0,
            ),
        )


@dataclass(frozen=True)
class Namespace:
    """Where one test's courses lie."""

    school: School
    settings: Settings

    @property
    def configuration(self) -> str:
        """What ``nbgrader_config.py`` says."""
        settings = self.settings
        return CONFIGURATION.format(url=settings.url, namespace=settings.namespace, cache=str(settings.cache_dir))

    def open(self, course_id: str, students: Collection[str] = ()) -> None:
        """Open a course with the person as instructor, the person's own seat, and seats for ``students``."""
        admin = connect_admin(self.settings, self.school.admin)
        me = self.school.person.account
        group = open_course(self.settings, admin, course_id)
        for name in (layout.ASSIGNMENTS, layout.STAFF):
            admin.set_access(admin.find_project(f"{group.full_path}/{name}").id, me, Role.INSTRUCTOR)
        for student in (self.school.student_id, *students):
            seat = admin.ensure_project(
                group,
                layout.seat_name(student),
                description=layout.describe_seat(student),
                visibility=Visibility.PRIVATE,
                issues=True,
            )
            own = student == self.school.student_id
            admin.ensure_rules(seat.id, [BranchRule("*", Role.STUDENT)] if own else SEAT_RULES)
            admin.set_access(seat.id, me, Role.STUDENT if own else Role.INSTRUCTOR)
            if own:
                register(self.course(course_id), [Registered(student, seat.id, me.id, me.username)])

    def course(self, course_id: str) -> Course:
        """Return the course as the person sees it."""
        token = self.school.person.token
        return Course(self.settings, course_id, connect(self.settings, token), token)


def enrol(url: str, admin: Token, student_id: str, place: Path) -> School:
    """Return the school with the person's account made and its token written to ``place / "token"``."""
    settings = Settings(url=url, namespace="nobody", kind="gitlab", cache_dir=place / "cache")
    accounts = connect_accounts(settings, admin)
    account = accounts.create_account("everybody", name="Every Body", email="everybody@example.invalid")
    expires = datetime.now(timezone.utc).date() + timedelta(days=30)
    token = accounts.create_token(account, name="conformance", scopes=("api",), expires=expires)
    file = place / "token"
    file.touch(mode=0o600)
    file.write_text(token.value)
    return School(url, admin, Person(account, token), student_id, file)
