"""Whether the webhooks of a course are as they should be, by the record and on the forge, and putting them right.

``roster apply``, the collector's sweep and ``doctor`` see and repair hooks by these functions. No work is lost where a
hook is: the sweep finds it, only later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from git_exchange.course.course import Course
from git_exchange.course.enrolments import dropped_and_waiting
from git_exchange.course.hook_keys import HookKeys
from git_exchange.course.hooks import RecordedHook, read_hooks, record_hooks
from git_exchange.course.seats import Seat, seats
from git_exchange.errors import ConfigurationError, CourseError, GitExchangeError
from git_exchange.events import Event, Listener, ignore
from git_exchange.files.paths import display
from git_exchange.forge.connect import hooks_by
from git_exchange.forge.ports import ForgeHooks, Hook
from git_exchange.report import Outcome, Report
from git_exchange.rules import hook_secrets


@dataclass(frozen=True)
class HookSetup:
    """Where the forge reaches the collector, and the keys of the hooks' secrets. Raise ConfigurationError."""

    public_url: str
    keys: HookKeys

    def __post_init__(self) -> None:
        parts = urlsplit(self.public_url)
        if (
            parts.scheme not in ("http", "https")
            or not parts.hostname
            or parts.query
            or parts.fragment
            or parts.username
        ):
            raise ConfigurationError(
                f"{self.public_url!r} is not the address of a collector.",
                hint="Write it like https://collector.example.edu, as the forge reaches it.",
            )

    @property
    def newest(self) -> str:
        """Return the fingerprint of the key that hooks are installed with."""
        return self.keys.fingerprints[0]

    def url(self, course_id: str, project_id: int) -> str:
        """Return where the project's hook sends to."""
        return hook_secrets.hook_url(self.public_url, course_id, project_id)


def due(setup: HookSetup, course_id: str, project_id: int, recorded: RecordedHook | None) -> str:
    """Return why the project's hook has to be installed, going by the record; "" if it has not. Pure."""
    if recorded is None:
        return "has no webhook yet"
    if recorded.url != setup.url(course_id, project_id):
        return "its webhook sends to another address"
    if recorded.key != setup.newest:
        return f"its webhook has the key {recorded.key}, and {setup.newest} is newer"
    return ""


def fault(found: Sequence[Hook], recorded: RecordedHook) -> str:
    """Return what is wrong with the project's hook, going by those ``found`` on the forge; "" if nothing is. Pure."""
    hook = next((hook for hook in found if hook.id == recorded.hook_id), None)
    if hook is None:
        return "its webhook is gone from the forge"
    if not hook.active:
        until = f" until {hook.disabled_until:%Y-%m-%d %H:%M} UTC" if hook.disabled_until is not None else ""
        return f"the forge has disabled its webhook{until}"
    if hook.url != recorded.url or not hook.narrow:
        return "its webhook was changed on the forge"
    if sum(other.url == hook.url for other in found) > 1:
        return "it has two webhooks of the same address"
    return ""


def install(
    forge: ForgeHooks, setup: HookSetup, course_id: str, project_id: int, recorded: RecordedHook | None
) -> RecordedHook:
    """Install the project's hook with the newest key in place of what it had; the caller records it."""
    hook = forge.ensure_hook(
        project_id,
        setup.url(course_id, project_id),
        setup.keys.secret(project_id),
        instead_of=[recorded.hook_id] if recorded is not None else [],
    )
    return RecordedHook(project_id, hook.id, hook.url, setup.newest, hook.signs)


def seats_in_use(course: Course) -> list[Seat]:
    """Return the seats that should have a hook: those of students who are in the course. Raise NotStaff."""
    dropped, _ = dropped_and_waiting(course)
    return [seat for seat in seats(course) if not seat.project.archived and seat.student_id not in dropped]


def repair_hooks(course: Course, setup: HookSetup, *, listener: Listener = ignore) -> Report:
    """Look at the hook of every seat in use, by one request each, and put right what is not as it should be.

    The outcomes are "unchanged", "repaired" (and why) and "failed". Raise NotStaff, CourseNotFound.
    """
    forge, recorded = hooks_by(course.forge), read_hooks(course)

    def one(seat: Seat) -> tuple[Outcome, RecordedHook | None]:
        known = recorded.get(seat.project.id)
        try:
            why = due(setup, course.course_id, seat.project.id, known)
            if known is not None and not why:
                why = fault(forge.hooks(seat.project.id), known)
            if not why:
                return Outcome(seat.student_id, "unchanged"), None
            hook = install(forge, setup, course.course_id, seat.project.id, known)
        except GitExchangeError as error:
            listener(Event(f"{seat.student_id}: {error}", "error"))
            return Outcome(seat.student_id, "failed", str(error)), None
        return Outcome(seat.student_id, "repaired", why), hook

    done = course.in_parallel(one, seats_in_use(course))
    record_hooks(course, [hook for _, hook in done if hook is not None])
    return Report.of(outcome for outcome, _ in done)


def check_moved(course: Course, newest: str) -> None:
    """Raise CourseError if a webhook on record has another key than the newest. Raise NotStaff, CourseNotFound."""
    old = [hook for hook in read_hooks(course).values() if hook.key != newest]
    if old:
        raise CourseError(
            f"{len(old)} webhooks of the course {display(course.course_id)} still have another key than {newest}: what"
            " they send would be refused.",
            hint="Apply the roster again with --webhook-url and --webhook-keys, then try this again. Nothing was"
            " dropped.",
        )
