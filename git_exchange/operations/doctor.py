"""Look at everything that has to work, and say of each whether it does and what to do. Changes nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from git_exchange.course import hub
from git_exchange.course.course import Course
from git_exchange.course.credentials import first_accepted
from git_exchange.course.seats import Seat, my_seat, seats
from git_exchange.errors import CourseError, Forbidden, ForgeError, GitExchangeError, NotAStudent, NotFound
from git_exchange.forge.connect import connect_admin
from git_exchange.forge.ports import BranchRule, ForgeAdmin, Project, Role, Visibility
from git_exchange.operations.examine_hooks import examine_hooks
from git_exchange.operations.hook_state import HookSetup
from git_exchange.secret import Token
from git_exchange.settings import Settings
from git_exchange.transport.command import check_git
from git_exchange.transport.protocol import ls_remote

MAX_CLOCK_DIFFERENCE = 30.0
EXPIRES_SOON = timedelta(days=14)
ENOUGH_TO_STUDY = frozenset({"read_api", "write_repository"})


@dataclass(frozen=True)
class Check:
    """One thing that was looked at. ``state`` is "ok", "warning" or "failed"; ``hint`` says what to do."""

    name: str
    state: str
    detail: str
    hint: str = ""


def examine(settings: Settings, course_id: str | None, hooks: HookSetup | None = None) -> Iterator[Check]:
    """Yield the checks in the order in which they build on each other; what a failure makes pointless is left out.

    ``hooks`` are the webhooks that the course should have, where that is known here.
    """
    yield from _guard("git", lambda: iter([Check("git", "ok", check_git())]))
    yield _program(
        "alembic", "nbgrader needs it to create or upgrade its gradebook.", "Put this environment's bin on PATH."
    )
    if settings.url.startswith("http://") and urlsplit(settings.url).hostname not in ("127.0.0.1", "localhost", "::1"):
        yield Check(
            "address", "warning", f"{settings.url} is not encrypted: tokens can be read on the way.", "Use https."
        )
    yield from _hub()
    found: list[tuple[ForgeAdmin, Token]] = []
    yield from _guard("token", lambda: _connect(settings, found))
    if not found:
        return
    forge, token = found[0]
    yield from _guard("clock", lambda: _server(forge))
    yield from _guard("token", lambda: _token(forge))
    if course_id is None:
        yield from _guard("namespace", lambda: _namespace(settings, forge))
        return
    course = Course(settings, course_id, forge, token)
    yield from _guard("course", lambda: _course(course, hooks))


def _guard(name: str, checks: Callable[[], Iterator[Check]]) -> Iterator[Check]:
    """Yield the checks; an error of ours becomes a failed check, with its own hint."""
    try:
        yield from checks()
    except GitExchangeError as error:
        yield Check(name, "failed", error.message, error.hint)


def _program(name: str, why: str, hint: str) -> Check:
    if shutil.which(name):
        return Check(name, "ok", "on PATH")
    return Check(name, "warning", f"not on PATH. {why}", hint)


def _hub() -> Iterator[Check]:
    """Yield what the hub gives where it is asked, nothing elsewhere."""
    if not hub.is_asked():
        return
    said = hub.ask()
    if said.token is None:
        yield Check("hub", "warning", f"gives no token. {said.reason}", said.hint)
        return
    until = f", which lives until {said.ends:%Y-%m-%d %H:%M} UTC" if said.ends is not None else ""
    yield Check("hub", "ok", f"gives a token{until}, and renews it")


def _connect(settings: Settings, found: list[tuple[ForgeAdmin, Token]]) -> Iterator[Check]:
    def accepted(token: Token) -> ForgeAdmin:
        forge = connect_admin(settings, token)
        forge.account()
        return forge

    forge, token = first_accepted(settings, accepted)
    found.append((forge, token))
    account = forge.account()
    yield Check("token", "ok", f"{token}: {account.username} (number {account.id}) on {settings.url}")


def _server(forge: ForgeAdmin) -> Iterator[Check]:
    server = forge.server()
    yield Check("server", "ok", f"{server.kind} {server.version}")
    for concern in forge.concerns():
        yield Check("server", concern.state, concern.detail, concern.hint)
    if abs(server.clock_ahead) > MAX_CLOCK_DIFFERENCE:
        yield Check(
            "clock",
            "warning",
            f"The forge's clock and this machine's differ by {server.clock_ahead:+.0f} s.",
            "The forge's time counts for submissions; correct this machine's clock.",
        )
    else:
        yield Check("clock", "ok", f"{server.clock_ahead:+.0f} s difference")


def _token(forge: ForgeAdmin) -> Iterator[Check]:
    scopes = forge.scopes()
    if scopes is None:
        yield Check("scopes", "warning", "The forge does not tell what the token may be used for.")
    elif "api" in scopes or scopes >= ENOUGH_TO_STUDY:
        yield Check("scopes", "ok", ", ".join(sorted(scopes)))
    else:
        yield Check(
            "scopes",
            "failed",
            f"The token has only: {', '.join(sorted(scopes)) or 'nothing'}.",
            "Students need read_api and write_repository; who opens courses needs api.",
        )
    expires = forge.token_expires()
    if expires is None:
        yield Check("expiry", "ok", "no date, or not known")
        return
    left = expires - forge.server().date.date()
    state = "warning" if left < EXPIRES_SOON else "ok"
    yield Check(
        "expiry", state, f"{expires} (in {left.days} days)", "Make a new token in time." if state != "ok" else ""
    )


def _namespace(settings: Settings, forge: ForgeAdmin) -> Iterator[Check]:
    group = forge.find_group(settings.namespace)
    yield Check("namespace", "ok", f"{group.full_path} ({group.visibility.value})")


def _course(course: Course, hooks: HookSetup | None) -> Iterator[Check]:
    group = course.group()
    yield Check("course", "ok", f"{group.full_path} (number {group.id}, {group.visibility.value})")
    assignments = course.assignments()
    yield from _guard("git over HTTP", lambda: _reads(course, assignments))
    if course.is_staff():
        yield from _guard("seats", lambda: _staff(course))
        yield from _guard("webhooks", lambda: _webhooks(course, hooks))
    else:
        yield from _guard("seat", lambda: _student(course))


def _reads(course: Course, project: Project) -> Iterator[Check]:
    refs = ls_remote(course.git, course.forge.git_url(project), ["refs/heads/release/"])
    yield Check("git over HTTP", "ok", f"{len(refs)} assignments released")


def _staff(course: Course) -> Iterator[Check]:
    role = course.forge.role_in(course.staff(), course.account())
    yield Check("role", "ok" if role > Role.NONE else "warning", f"staff ({role.name.lower()})")
    if role is Role.GRADER:
        yield Check(
            "receipts",
            "warning",
            "As a grader you collect and grade, but cannot pin times or release feedback on this forge.",
            "An instructor's collect pins them.",
        )
    yield from _protection(course, course.assignments(), instructors_only=True)
    yield from _protection(course, course.staff(), instructors_only=True)
    if course.staff().visibility is not Visibility.PRIVATE:
        yield Check("staff project", "failed", "It is not private: students can read the records.", "Make it private.")
    found = seats(course)
    yield Check("seats", "ok" if found else "warning", f"{len(found)} students", "" if found else "Apply a roster.")
    wrong = [seat.student_id for seat in found if not _seat_is_protected(course, seat)]
    public = [seat.student_id for seat in found if seat.project.visibility is not Visibility.PRIVATE]
    for what, who in (("protection", wrong), ("visibility", public)):
        if who:
            yield Check(
                what,
                "failed",
                f"{len(who)} students' projects are not as they should be: {', '.join(who[:5])}.",
                "Apply the roster again with --verify.",
            )
        elif found:
            yield Check(what, "ok", f"of all {len(found)} students' projects")


def _webhooks(course: Course, hooks: HookSetup | None) -> Iterator[Check]:
    for found in examine_hooks(course, hooks):
        yield Check("webhooks", found.state, found.detail, found.hint)


def _student(course: Course) -> Iterator[Check]:
    try:
        seat = my_seat(course)
    except NotAStudent as error:
        raise CourseError(error.message, hint=error.hint) from error
    yield Check("seat", "ok", f"{seat.student_id}: {seat.project.web_url}")
    yield from _guard("git over HTTP", lambda: _own(course, seat))


def _own(course: Course, seat: Seat) -> Iterator[Check]:
    refs = ls_remote(course.git, course.forge.git_url(seat.project), ["refs/heads/submit/"])
    yield Check("my submissions", "ok", f"{len(refs)} assignments submitted")


def _protection(course: Course, project: Project, *, instructors_only: bool) -> Iterator[Check]:
    name = f"protection of {project.path}"
    try:
        rules = _rules(course, project)
    except (Forbidden, NotFound):
        yield Check(name, "warning", "cannot be read with this token")
        return
    if _half_purged(rules):
        yield Check(
            name,
            "failed",
            "A branch can be rewritten: a purge was interrupted.",
            "Run the purge again, or git-exchange course create.",
        )
    elif instructors_only and _pushers(course, rules, "release/x") is Role.INSTRUCTOR:
        yield Check(name, "ok", "only instructors push")
    else:
        yield Check(name, "failed", "Others than instructors may push.", "Run git-exchange course create again.")


def _seat_is_protected(course: Course, seat: Seat) -> bool:
    try:
        rules = _rules(course, seat.project)
    except ForgeError:
        return False
    return (
        not _half_purged(rules)
        and _pushers(course, rules, "feedback/x") is Role.INSTRUCTOR
        and _pushers(course, rules, "submit/x") is Role.STUDENT
    )


def _rules(course: Course, project: Project) -> list[BranchRule]:
    forge: ForgeAdmin = course.forge  # type: ignore[assignment]  # examine() connects with rights to look at rules
    return forge.rules(project.id)


def _pushers(course: Course, rules: list[BranchRule], branch: str) -> Role | None:
    """Return the least role that may push to the branch by the rule that counts, None without a rule."""
    prefix = branch.partition("/")[0]
    matching = [rule.push for rule in rules if rule.pattern in ("*", "**", f"{prefix}/*", f"{prefix}/**")]
    if not matching:
        return None
    return matching[0] if course.forge.first_rule_counts else min(matching)


def _half_purged(rules: list[BranchRule]) -> bool:
    """Return whether a rule for one branch of the staff's is none of ours: a purge needs one for a moment."""
    return any(rule.push is Role.NONE and rule.pattern.startswith(("release/", "feedback/")) for rule in rules)
